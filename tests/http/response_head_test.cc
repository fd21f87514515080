#include "http/head_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace weir::http {
namespace {

struct ResponseParsed {
  ParseOutcome outcome;
  ResponseHead head;
};

ResponseParsed ParseInSteps(std::string_view bytes, std::string_view method, std::size_t step) {
  ResponseParsed parsed;
  std::size_t scanned = 0;
  for (std::size_t size = std::min(step, bytes.size());; size = std::min(size + step, bytes.size())) {
    parsed.outcome = ParseResponseHead(bytes.substr(0, size), scanned, ResponseHeadLimits(), method, parsed.head);
    if (parsed.outcome.status != ParseStatus::kNeedMore || size == bytes.size()) return parsed;
  }
}

struct ResponseRow {
  std::string_view name;
  std::string_view bytes;
  bool accepted = true;
  FramingKind framing = FramingKind::kNone;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  std::string_view method = "GET";
};

class ResponseHeadTable : public ::testing::TestWithParam<ResponseRow> {};

TEST_P(ResponseHeadTable, GivesVerdictAndFramingHoweverItArrives) {
  const ResponseRow& row = GetParam();
  for (const std::size_t step : {row.bytes.size(), std::size_t{1}, std::size_t{5}}) {
    const ResponseParsed parsed = ParseInSteps(row.bytes, row.method, step);
    EXPECT_EQ(parsed.outcome.status, row.accepted ? ParseStatus::kDone : ParseStatus::kRefused) << parsed.outcome.why;
    EXPECT_EQ(parsed.outcome.why.empty(), row.accepted);
    if (!row.accepted) continue;
    EXPECT_EQ(parsed.outcome.consumed, row.bytes.size());
    EXPECT_EQ(parsed.head.framing.kind, row.framing);
    EXPECT_EQ(parsed.head.framing.content_length, row.content_length);
    EXPECT_EQ(parsed.head.keep_alive, row.keep_alive);
  }
}

using enum FramingKind;
#define OK_LINE "HTTP/1.1 200 OK\r\n"

// RFC 9112 section 6.3; spec: l7.md 5.3 C.
INSTANTIATE_TEST_SUITE_P(
    Framing, ResponseHeadTable,
    ::testing::Values(
        ResponseRow{"Length", OK_LINE "Content-Length: 5\r\n\r\n", true, kContentLength, 5},
        ResponseRow{"Chunked", OK_LINE "Transfer-Encoding: chunked\r\n\r\n", true, kChunked},
        ResponseRow{"UntilClose", OK_LINE "Connection: keep-alive\r\n\r\n", true, kUntilClose, 0, false},
        ResponseRow{"HeadWithLength", OK_LINE "Content-Length: 5\r\n\r\n", true, kNone, 0, true, "HEAD"},
        ResponseRow{"HeadWithCoding", OK_LINE "Transfer-Encoding: chunked\r\n\r\n", true, kNone, 0, true, "HEAD"},
        ResponseRow{"HeadWithout", OK_LINE "\r\n", true, kNone, 0, true, "HEAD"},
        ResponseRow{"NoContent", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"},
        ResponseRow{"NotModified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"},
        ResponseRow{"Continue", "HTTP/1.1 100 Continue\r\n\r\n"},
        ResponseRow{"EarlyHints", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"},
        ResponseRow{"SwitchingProtocols",
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"},
        ResponseRow{"Tunnel", OK_LINE "Content-Length: 5\r\n\r\n", true, kNone, 0, true, "CONNECT"},
        ResponseRow{"TunnelRefused", "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n", true, kContentLength, 5, true,
                    "CONNECT"},
        ResponseRow{"EqualLengths", OK_LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", true, kContentLength, 5},
        ResponseRow{"DifferentLengths", OK_LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", false},
        ResponseRow{"LengthList", OK_LINE "Content-Length: 5, 5\r\n\r\n", false},
        ResponseRow{"LengthSigned", OK_LINE "Content-Length: +5\r\n\r\n", false},
        ResponseRow{"LengthEmpty", OK_LINE "Content-Length:\r\n\r\n", false},
        ResponseRow{"LengthAndCoding", OK_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", false},
        ResponseRow{"CodingTwice", OK_LINE "Transfer-Encoding: chunked, chunked\r\n\r\n", false},
        ResponseRow{"CodingGzip", OK_LINE "Transfer-Encoding: gzip\r\n\r\n", false},
        ResponseRow{"CodingGzipChunked", OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", false},
        ResponseRow{"CodingIdentity", OK_LINE "Transfer-Encoding: identity\r\n\r\n", false},
        ResponseRow{"CodingInHttp10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false},
        ResponseRow{"Http10", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", true, kContentLength, 5, false},
        ResponseRow{"Http10KeepAlive", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", true,
                    kContentLength, 5, true},
        ResponseRow{"Close", OK_LINE "Content-Length: 5\r\nConnection: close\r\n\r\n", true, kContentLength, 5, false}),
    [](const auto& row) { return std::string(row.param.name); });

// RFC 9112 section 4.
INSTANTIATE_TEST_SUITE_P(Lines, ResponseHeadTable,
                         ::testing::Values(ResponseRow{"NoReason", "HTTP/1.1 204 \r\n\r\n"},
                                           ResponseRow{"NoReasonNoSpace", "HTTP/1.1 204\r\n\r\n"},
                                           ResponseRow{"ReasonWithHighByte", "HTTP/1.1 204 \xe9t\xe9\r\n\r\n"},
                                           ResponseRow{"ReasonWithControl", "HTTP/1.1 204 a\x01\r\n\r\n", false},
                                           ResponseRow{"ReasonWithCr", "HTTP/1.1 204 a\rb\r\n\r\n", false},
                                           ResponseRow{"TwoDigits", "HTTP/1.1 20 OK\r\n\r\n", false},
                                           ResponseRow{"FourDigits", "HTTP/1.1 2000 OK\r\n\r\n", false},
                                           ResponseRow{"StatusBelow100", "HTTP/1.1 099 OK\r\n\r\n", false},
                                           ResponseRow{"NotADigit", "HTTP/1.1 2x0 OK\r\n\r\n", false},
                                           ResponseRow{"TwoSpaces", "HTTP/1.1  200 OK\r\n\r\n", false},
                                           ResponseRow{"Version2", "HTTP/2.0 200 OK\r\n\r\n", false},
                                           ResponseRow{"VersionShort", "HTTP/1 200 OK\r\n\r\n", false},
                                           ResponseRow{"Icy", "ICY 200 OK\r\n\r\n", false},
                                           ResponseRow{"LeadingEmptyLine", "\r\nHTTP/1.1 200 OK\r\n\r\n", false},
                                           ResponseRow{"BareLf", "HTTP/1.1 204 OK\n\r\n", false},
                                           ResponseRow{"BareLfInField", "HTTP/1.1 204 OK\r\nA: b\nC: d\r\n\r\n", false},
                                           ResponseRow{"BareLfAtEnd", "HTTP/1.1 204 OK\r\nA: b\r\n\n", false},
                                           ResponseRow{"Fold", "HTTP/1.1 204 OK\r\nA: b\r\n c\r\n\r\n", false},
                                           ResponseRow{"SpaceBeforeColon", "HTTP/1.1 204 OK\r\nA : b\r\n\r\n", false},
                                           ResponseRow{"EmptyName", "HTTP/1.1 204 OK\r\n: b\r\n\r\n", false},
                                           ResponseRow{"NoColon", "HTTP/1.1 204 OK\r\nab\r\n\r\n", false},
                                           ResponseRow{"ControlInValue", "HTTP/1.1 204 OK\r\nA: \x01\r\n\r\n", false},
                                           ResponseRow{"CrInValue", "HTTP/1.1 204 OK\r\nA: b\rc\r\n\r\n", false},
                                           ResponseRow{"HighByteInValue", "HTTP/1.1 204 OK\r\nA: \xe9\r\n\r\n"},
                                           ResponseRow{"ConnectionIsNoToken",
                                                       "HTTP/1.1 204 OK\r\nConnection: a b\r\n\r\n", false}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ResponseHeadTest, PartsAreViewsOfTheBytes) {
  const ResponseParsed parsed =
      ParseInSteps("HTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 1\r\n\r\nx", "GET", 1'000);
  EXPECT_EQ(parsed.head.status, 404);
  EXPECT_EQ(parsed.head.reason, "Not Found");
  EXPECT_EQ(parsed.head.version, Version::kHttp11);
  ASSERT_EQ(parsed.head.fields.size(), 2U);
  EXPECT_EQ(parsed.head.fields[0].name, "A");
}

TEST(ResponseHeadTest, HeadsAbove32KibibytesAreRefused) {  // spec: alb.md 12.2
  const HeadLimits limits = ResponseHeadLimits();
  for (const std::size_t excess : {0U, 1U}) {
    std::string bytes = "HTTP/1.1 204 OK\r\nA: \r\n\r\n";
    bytes.insert(bytes.find("A: ") + 3, limits.head_bytes_max - bytes.size() + excess, 'x');
    const ResponseParsed parsed = ParseInSteps(bytes, "GET", bytes.size());
    EXPECT_EQ(parsed.outcome.status, excess == 0 ? ParseStatus::kDone : ParseStatus::kRefused);
    EXPECT_EQ(parsed.outcome.too_large, excess == 1);
  }
}

TEST(ResponseHeadTest, SaysWhichHeadsAreOnlyTooLarge) {
  std::string many = "HTTP/1.1 204 OK\r\n";
  for (int i = 0; i < 1'001; ++i) many += "A: b\r\n";
  const std::string long_reason = "HTTP/1.1 204 " + std::string(33'000, 'x');
  const std::string long_line = "HTTP/1.1 204 OK\r\nA: " + std::string(33'000, 'x');
  for (const std::string& bytes : {many, long_reason, long_line}) {
    for (const std::size_t step : {bytes.size(), std::size_t{997}}) {
      const ResponseParsed parsed = ParseInSteps(bytes + "\r\n\r\n", "GET", step);
      EXPECT_EQ(parsed.outcome.status, ParseStatus::kRefused);
      EXPECT_TRUE(parsed.outcome.too_large) << parsed.outcome.why;
    }
  }
  EXPECT_FALSE(ParseInSteps("HTTP/1.1 204 OK\r\nA\r\n\r\n", "GET", 100).outcome.too_large);
}

TEST(ResponseHeadTest, AReusedHeadForgetsTheLastOne) {
  ResponseHead head;
  std::size_t scanned = 0;
  ASSERT_EQ(ParseResponseHead("HTTP/1.1 200 OK\r\n\r\n", scanned, ResponseHeadLimits(), "GET", head).status,
            ParseStatus::kDone);
  EXPECT_FALSE(head.keep_alive);
  scanned = 0;
  ASSERT_EQ(ParseResponseHead("HTTP/1.1 204\r\n\r\n", scanned, ResponseHeadLimits(), "GET", head).status,
            ParseStatus::kDone);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.reason, "");
  EXPECT_EQ(head.framing.kind, FramingKind::kNone);
}

}  // namespace
}  // namespace weir::http
