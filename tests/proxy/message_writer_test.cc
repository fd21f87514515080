#include "proxy/message_writer.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using http::FramingKind;
using WriterReceiver = MessageWriter::Receiver;

std::string Joined(std::span<const iovec> pieces) {
  std::string all;
  for (const iovec& piece : pieces) all.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  return all;
}

Content Piece(std::string_view bytes, ContentEnd end) {
  return {.bytes = bytes, .pipe = nullptr, .end = end, .trailers = nullptr};
}

TEST(MessageWriterTest, TheHeadSaysHowTheContentEnds) {
  struct Row {
    const char* name;
    http::Framing framing;
    WriterReceiver receiver;
    std::string field;
    bool framed;
  };
  const std::vector<Row> rows = {
      {"none", {FramingKind::kNone, 0}, WriterReceiver::kKnowsChunks, "", true},
      {"a length", {FramingKind::kContentLength, 5}, WriterReceiver::kHttp10, "Content-Length: 5\r\n", true},
      {"chunks", {FramingKind::kChunked, 0}, WriterReceiver::kKnowsChunks, "Transfer-Encoding: chunked\r\n", true},
      {"until close",
       {FramingKind::kUntilClose, 0},
       WriterReceiver::kKnowsChunks,
       "Transfer-Encoding: chunked\r\n",
       true},
      {"a stream's end",
       {FramingKind::kUnknown, 0},
       WriterReceiver::kKnowsChunks,
       "Transfer-Encoding: chunked\r\n",
       true},
      {"no chunks for 1.0", {FramingKind::kChunked, 0}, WriterReceiver::kHttp10, "", false},
  };
  for (const Row& row : rows) {
    MessageWriter writer;
    std::string head;
    EXPECT_EQ(writer.Begin(head, row.framing, row.receiver), row.framed) << row.name;
    EXPECT_EQ(head, row.field) << row.name;
    EXPECT_EQ(writer.chunked(), head.contains("chunked")) << row.name;
  }
}

TEST(MessageWriterTest, SmallContentIsOnePieceWithItsHeadAndLargeContentIsNotCopied) {
  MessageWriter writer;
  std::string out;
  EXPECT_TRUE(writer.Begin(out, {FramingKind::kContentLength, 5}, WriterReceiver::kKnowsChunks));
  MessageWriter::Pieces room;
  const auto small = writer.Frame(out, Piece("hello", ContentEnd::kLast), room);
  EXPECT_EQ(Joined(small), "Content-Length: 5\r\nhello");
  EXPECT_EQ(small.size(), 1U);
  out.clear();
  const std::string large(2'000, 'x');
  const auto pieces = writer.Frame(out, Piece(large, ContentEnd::kLast), room);
  EXPECT_EQ(pieces[1].iov_base, large.data());
  EXPECT_EQ(Joined(pieces), large);
}

TEST(MessageWriterTest, EachPieceOfUnknownContentIsAChunk) {
  MessageWriter writer;
  MessageWriter::Pieces room;
  std::string out;
  EXPECT_TRUE(writer.Begin(out, {FramingKind::kChunked, 0}, WriterReceiver::kKnowsChunks));
  out.clear();
  EXPECT_EQ(Joined(writer.Frame(out, Piece("hello", ContentEnd::kMore), room)), "5\r\nhello\r\n");
  out.clear();
  EXPECT_EQ(Joined(writer.Frame(out, Piece("", ContentEnd::kMore), room)), "");
  const std::vector<http::Field> trailers = {{.name = "X-Sum", .value = "7"}};
  const std::string large(0x1000, 'x');
  EXPECT_EQ(Joined(writer.Frame(out, {.bytes = large, .pipe = nullptr, .end = ContentEnd::kLast, .trailers = &trailers},
                                room)),
            "1000\r\n" + large + "\r\n0\r\nX-Sum: 7\r\n\r\n");
  // The next message begins anew.
  EXPECT_TRUE(writer.Begin(out, {FramingKind::kNone, 0}, WriterReceiver::kKnowsChunks));
  out.clear();
  EXPECT_EQ(Joined(writer.Frame(out, Piece("", ContentEnd::kLast), room)), "");
}

}  // namespace
}  // namespace weir::proxy
