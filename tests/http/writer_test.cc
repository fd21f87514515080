#include "http/writer.h"

#include "http/date.h"
#include "http/head_parser.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace weir::http {
namespace {

TEST(WriterTest, LinesHaveTheFormOfRfc9112) {
  std::string out;
  AppendStatusLine(out, Version::kHttp11, 404, "Not Found");
  AppendStatusLine(out, Version::kHttp10, 200, "");
  AppendField(out, "A", "b c");
  AppendField(out, "D", "");
  AppendRequestLine(out, "GET", "/a?b=c#d|\xc3\xa9");
  EXPECT_EQ(out, "HTTP/1.1 404 Not Found\r\nHTTP/1.0 200 \r\nA: b c\r\nD: \r\nGET /a?b=c#d|\xc3\xa9 HTTP/1.1\r\n");
}

TEST(WriterTest, BytesThatCouldEndATargetAreEscaped) {
  std::string out;
  AppendRequestLine(out, "GET", "/a b\tc\x7f HTTP/1.1 ");
  EXPECT_EQ(out, "GET /a%20b%09c%7F%20HTTP/1.1%20 HTTP/1.1\r\n");
}

TEST(WriterTest, AnyTargetThatIsReadIsWrittenAsAPlainOne) {
  RequestHead head;
  std::size_t scanned = 0;
  ASSERT_EQ(ParseRequestHead("GET /a \x01 b HTTP/1.1\r\nHost: a\r\n\r\n", scanned, {}, head).status,
            ParseStatus::kDone);
  std::string out;
  AppendRequestLine(out, head.method, head.target);
  out += "Host: a\r\n\r\n";
  scanned = 0;
  ASSERT_EQ(ParseRequestHead(out, scanned, {}, head).status, ParseStatus::kDone);
  EXPECT_EQ(head.desync_class, DesyncClass::kCompliant);
  EXPECT_EQ(head.target, "/a%20%01%20b");
}

WallTime At(std::chrono::sys_days day, std::chrono::seconds in_day) { return WallTime(day) + in_day; }

TEST(HttpDateTest, IsAnImfFixdate) {  // RFC 9110 section 5.6.7
  using std::chrono::year;
  std::string out = "Date: ";
  AppendHttpDate(out, At(year(1994) / 11 / 6, std::chrono::seconds(8 * 3600 + 49 * 60 + 37)));
  EXPECT_EQ(out, "Date: Sun, 06 Nov 1994 08:49:37 GMT");
  out.clear();
  AppendHttpDate(out, WallTime{} - std::chrono::microseconds(1));
  EXPECT_EQ(out, "Wed, 31 Dec 1969 23:59:59 GMT");
  out.clear();
  AppendHttpDate(out, At(year(2024) / 2 / 29, std::chrono::seconds(86'399)));
  EXPECT_EQ(out, "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(HttpDateTest, TheLineFollowsTheClock) {
  HttpDateLine line;
  EXPECT_EQ(line.At(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(line.At(WallTime{} + std::chrono::milliseconds(999)), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(line.At(WallTime{} + std::chrono::milliseconds(1'000)), "Thu, 01 Jan 1970 00:00:01 GMT");
  EXPECT_EQ(line.At(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace weir::http
