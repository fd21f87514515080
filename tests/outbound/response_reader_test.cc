#include "outbound/response_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace weir::outbound {
namespace {

using State = ResponseReader::State;

State TakeAll(ResponseReader& reader, std::string_view bytes, std::size_t piece_bytes) {
  State state = State::kNeedMore;
  while (!bytes.empty() && state == State::kNeedMore) {
    state = reader.Take(bytes.substr(0, piece_bytes));
    bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
  }
  return state;
}

State StateAfter(std::string_view bytes, std::size_t content_max = 100, std::string method = "GET") {
  ResponseReader reader(std::move(method), content_max);
  return reader.Take(bytes);
}

TEST(ResponseReaderTest, GathersStatusFieldsAndContentHoweverTheyArrive) {
  constexpr std::string_view kBytes =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCONTENT-LENGTH: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, kBytes.size()}) {
    ResponseReader reader("GET", 5);
    ASSERT_EQ(TakeAll(reader, kBytes, piece), State::kDone) << piece;
    const Response& response = reader.response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content, "hello");
    EXPECT_EQ(response.Field("content-type"), "application/json");
    EXPECT_EQ(response.Field("x-a"), "1");
    EXPECT_EQ(response.Field("x-b"), "");
    EXPECT_EQ(response.fields.size(), 4U);
  }
}

TEST(ResponseReaderTest, DecodesChunksHoweverTheyArrive) {
  constexpr std::string_view kBytes =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, kBytes.size()}) {
    ResponseReader reader("GET", 5);
    ASSERT_EQ(TakeAll(reader, kBytes, piece), State::kDone) << piece;
    EXPECT_EQ(reader.response().content, "hello");
  }
}

TEST(ResponseReaderTest, SkipsInterimResponses) {
  constexpr std::string_view kBytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, kBytes.size()}) {
    ResponseReader reader("GET", 5);
    ASSERT_EQ(TakeAll(reader, kBytes, piece), State::kDone);
    EXPECT_EQ(reader.response().status, 204);
    EXPECT_EQ(reader.response().Field("link"), "");
  }
}

TEST(ResponseReaderTest, EndlessInterimResponsesAndSwitchingProtocolsAreMalformed) {
  std::string bytes;
  for (int i = 0; i < 17; ++i) bytes += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(StateAfter(bytes), State::kMalformed);
  EXPECT_EQ(StateAfter("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), State::kMalformed);
}

TEST(ResponseReaderTest, WithoutALengthTheEndIsTheEndWhereItIsTold) {
  ResponseReader reader("GET", 100);
  EXPECT_EQ(reader.Take("HTTP/1.0 200 OK\r\n\r\nhel"), State::kNeedMore);
  EXPECT_EQ(reader.Take("lo"), State::kNeedMore);
  EXPECT_EQ(reader.TakeEnd(false), State::kMalformed);
  EXPECT_EQ(reader.TakeEnd(true), State::kDone);
  EXPECT_EQ(reader.response().content, "hello");
}

TEST(ResponseReaderTest, AnEndInTheMiddleIsMalformed) {
  for (const std::string_view bytes :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    ResponseReader reader("GET", 100);
    EXPECT_EQ(reader.Take(bytes), State::kNeedMore) << bytes;
    EXPECT_EQ(reader.TakeEnd(true), State::kMalformed) << bytes;
  }
}

TEST(ResponseReaderTest, AnAnswerToHeadHasNoContent) {
  EXPECT_EQ(StateAfter("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 100, "HEAD"), State::kDone);
}

TEST(ResponseReaderTest, ContentBeyondTheLimitIsTooLargeInEveryFraming) {
  const std::string content(101, 'x');
  EXPECT_EQ(StateAfter("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"), State::kTooLarge);
  EXPECT_EQ(StateAfter("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"), State::kNeedMore);
  EXPECT_EQ(StateAfter("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + content), State::kTooLarge);
  EXPECT_EQ(StateAfter("HTTP/1.1 200 OK\r\n\r\n" + content), State::kTooLarge);
  EXPECT_EQ(StateAfter("HTTP/1.1 200 OK\r\n\r\n" + content.substr(1)), State::kNeedMore);
}

TEST(ResponseReaderTest, AHeadBeyondItsLimitsIsTooLarge) {
  const std::string line = "X-Filler: " + std::string(8000, 'x') + "\r\n";
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 5; ++i) head += line;
  EXPECT_EQ(StateAfter(head), State::kTooLarge);
  EXPECT_EQ(StateAfter("HTTP/1.1 200 OK\r\nX-Filler: " + std::string(40'000, 'x')), State::kTooLarge);
}

TEST(ResponseReaderTest, WhatIsNoHttpIsMalformed) {
  for (const std::string_view bytes :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 2OO OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_EQ(StateAfter(bytes), State::kMalformed) << bytes;
  }
}

}  // namespace
}  // namespace weir::outbound
