#include "proxy/content_reader.h"

#include "proxy/stream_writer.h"
#include "tests/proxy/fake_stream.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::proxy {
namespace {

using http::FramingKind;
using net::IoStatus;

constexpr std::uint64_t kLarge = 1'000'000;

TEST(ContentReaderTest, OnlyLargeContentWithALengthWantsAPipe) {
  ContentReader reader;
  EXPECT_FALSE(reader.wants_pipe()) << "no message has begun";
  reader.Begin({FramingKind::kContentLength, kLarge});
  EXPECT_TRUE(reader.wants_pipe());
  EXPECT_TRUE(reader.is_large());
  reader.Begin({FramingKind::kContentLength, 48 * 1024});
  EXPECT_TRUE(reader.wants_pipe());
  EXPECT_FALSE(reader.is_large());
  reader.Begin({FramingKind::kContentLength, 48 * 1024 - 1});
  EXPECT_FALSE(reader.wants_pipe());
  for (const auto kind : {FramingKind::kNone, FramingKind::kChunked, FramingKind::kUntilClose}) {
    reader.Begin({kind, 0});
    EXPECT_FALSE(reader.wants_pipe());
    EXPECT_FALSE(reader.is_large());
  }
}

TEST(ContentReaderTest, ASenderOfSmallPiecesIsReadByCopying) {
  ContentReader reader;
  reader.Begin({FramingKind::kContentLength, kLarge});
  reader.NoteRead(1'448);
  EXPECT_FALSE(reader.wants_pipe());
  reader.NoteRead(16 * 1024);
  EXPECT_TRUE(reader.wants_pipe());
}

TEST(ContentReaderTest, ATunnelIsReadIntoPipesOnceItComesInBulk) {
  ContentReader reader;
  reader.BeginTunnel();
  EXPECT_FALSE(reader.wants_pipe());
  Content content;
  std::string_view bytes = "whatever comes";
  EXPECT_EQ(reader.Take(bytes, content), ContentReader::Status::kOk);
  EXPECT_EQ(content.bytes, "whatever comes");
  EXPECT_FALSE(content.is_last());
  reader.NoteRead(16 * 1024);
  EXPECT_TRUE(reader.wants_pipe());
  reader.NoteRead(100);
  EXPECT_FALSE(reader.wants_pipe());
  reader.Begin({FramingKind::kUntilClose, 0});
  reader.NoteRead(16 * 1024);
  EXPECT_FALSE(reader.wants_pipe()) << "nothing is left of the tunnel";
}

TEST(ContentReaderTest, AStreamThatDoesNotSpliceTakesNoPipeFromOthers) {
  class TlsLike final : public FakeStream {
    bool splices() const override { return false; }
  } stream;
  stream.refuses_pipes = true;
  stream.incoming = "encrypted";
  net::PipePool pool;
  ContentReader reader;
  reader.Begin({FramingKind::kContentLength, kLarge});
  net::PipePool::Loan pipe;
  Content content;
  EXPECT_EQ(reader.ReadToPipe(stream, pool, pipe, content), IoStatus::kRefused);
  EXPECT_NE(pool.Take(), nullptr) << "others still splice";
}

TEST(ContentReaderTest, APipeIsFilledWithNoMoreThanTheContent) {
  ContentReader reader;
  reader.Begin({FramingKind::kContentLength, 100'000});
  FakeStream stream;
  stream.incoming = std::string(40'000, 'a');
  net::PipePool pipes;
  net::PipePool::Loan pipe;
  Content content;
  ASSERT_EQ(reader.ReadToPipe(stream, pipes, pipe, content), IoStatus::kOk);
  EXPECT_EQ(content.pipe, &pipe);
  EXPECT_TRUE(content.bytes.empty());
  EXPECT_FALSE(content.is_last());
  EXPECT_EQ(pipe->bytes(), 40'000U);
  EXPECT_EQ(stream.asked, 100'000U);

  stream.incoming = std::string(70'000, 'b');
  net::PipePool::Loan second;
  ASSERT_EQ(reader.ReadToPipe(stream, pipes, second, content), IoStatus::kOk);
  EXPECT_EQ(stream.asked, 60'000U);
  EXPECT_TRUE(content.is_last());
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(stream.incoming.size(), 10'000U) << "what lies behind the content stays";
}

TEST(ContentReaderTest, AskedForMuchItTakesAPipeAtATime) {
  ContentReader reader;
  reader.Begin({FramingKind::kContentLength, kLarge});
  FakeStream stream;
  stream.incoming = "x";
  net::PipePool pipes;
  net::PipePool::Loan pipe;
  Content content;
  ASSERT_EQ(reader.ReadToPipe(stream, pipes, pipe, content), IoStatus::kOk);
  EXPECT_EQ(stream.asked, net::Pipe::kBytesMax);
  EXPECT_FALSE(reader.wants_pipe()) << "the next byte is copied";
}

TEST(ContentReaderTest, WhereTheSystemDoesNotSpliceNoPipeIsLentAgain) {
  ContentReader reader;
  reader.Begin({FramingKind::kContentLength, kLarge});
  FakeStream stream;
  stream.refuses_pipes = true;
  net::PipePool pipes;
  net::PipePool::Loan pipe;
  Content content;
  EXPECT_EQ(reader.ReadToPipe(stream, pipes, pipe, content), IoStatus::kRefused);
  pipe.reset();
  EXPECT_EQ(pipes.Take(), nullptr);
}

class StreamWriterTest : public ::testing::Test {
 protected:
  net::PipePool::Loan Filled(const std::string& bytes) {
    auto pipe = pipes_.Take();
    FakeStream source;
    source.incoming = bytes;
    EXPECT_EQ(source.ReadTo(*pipe, bytes.size()).bytes, bytes.size());
    return pipe;
  }
  static bool Write(StreamWriter& writer, FakeStream& stream, std::string_view bytes) {
    const iovec piece = Piece(bytes);
    return writer.Write(stream, {&piece, 1});
  }
  net::PipePool pipes_;
  FakeStream stream_;
  StreamWriter writer_;
};

TEST_F(StreamWriterTest, APipeThatIsTakenWholeGoesBackAtOnce) {
  auto pipe = Filled("content");
  EXPECT_TRUE(writer_.Write(stream_, pipe));
  EXPECT_FALSE(writer_.congested());
  EXPECT_EQ(stream_.outgoing, "content");
  pipe.reset();
  EXPECT_EQ(pipes_.spare(), 1U);
}

TEST_F(StreamWriterTest, WhatAPipeStillHoldsGoesOutBeforeWhatFollows) {
  stream_.room = 3;
  auto pipe = Filled("content");
  EXPECT_TRUE(writer_.Write(stream_, pipe));
  EXPECT_EQ(pipe, nullptr) << "the writer keeps it";
  EXPECT_TRUE(writer_.congested());
  EXPECT_TRUE(Write(writer_, stream_, " and more"));
  EXPECT_EQ(stream_.outgoing, "con");
  stream_.room = 6;
  EXPECT_TRUE(writer_.Flush(stream_));
  EXPECT_TRUE(writer_.congested());
  EXPECT_EQ(stream_.outgoing, "content a");
  EXPECT_EQ(pipes_.spare(), 1U) << "the pipe went back when it was empty";
  stream_.room = 100;
  EXPECT_TRUE(writer_.Flush(stream_));
  EXPECT_FALSE(writer_.congested());
  EXPECT_EQ(stream_.outgoing, "content and more");
}

TEST_F(StreamWriterTest, BytesThatAreNotTakenAreKeptInOrder) {
  stream_.room = 4;
  EXPECT_TRUE(Write(writer_, stream_, "first "));
  EXPECT_TRUE(Write(writer_, stream_, "second"));
  EXPECT_TRUE(writer_.congested());
  stream_.room = 100;
  EXPECT_TRUE(writer_.Flush(stream_));
  EXPECT_EQ(stream_.outgoing, "first second");
}

TEST_F(StreamWriterTest, ClearGivesThePipeUp) {
  stream_.room = 0;
  auto pipe = Filled("content");
  EXPECT_TRUE(writer_.Write(stream_, pipe));
  EXPECT_EQ(pipes_.out(), 1U);
  writer_.Clear();
  EXPECT_FALSE(writer_.congested());
  EXPECT_EQ(pipes_.out(), 0U);
  EXPECT_EQ(pipes_.spare(), 0U) << "it holds somebody's bytes";
}

TEST_F(StreamWriterTest, ABrokenStreamIsTold) {
  stream_.broken_now = true;
  auto pipe = Filled("content");
  EXPECT_FALSE(writer_.Write(stream_, pipe));
  EXPECT_FALSE(Write(writer_, stream_, "bytes"));
}

}  // namespace
}  // namespace weir::proxy
