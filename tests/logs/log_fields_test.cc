#include "logs/log_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace weir::logs {
namespace {

using namespace std::chrono_literals;

TEST(LogFieldsTest, FieldsEndAtSpacesOutsideOfQuotes) {
  std::string_view line = R"(https  "GET /a b" - "" "open)";
  EXPECT_EQ(TakeField(line)->text, "https");
  const auto request = TakeField(line);
  EXPECT_EQ(request->text, "GET /a b");
  EXPECT_TRUE(request->quoted);
  EXPECT_EQ(TakeField(line)->text, "-");
  EXPECT_EQ(TakeField(line)->text, "");
  EXPECT_FALSE(TakeField(line)) << "its quote does not end";
  std::string_view nothing = "  ";
  EXPECT_FALSE(TakeField(nothing));
}

TEST(LogFieldsTest, EscapesAreReadBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  std::string escaped;
  AppendEscaped(escaped, bytes);
  EXPECT_EQ(escaped.find('"'), std::string::npos);
  EXPECT_EQ(Unescape(escaped), bytes);
  EXPECT_EQ(Unescape(R"(a\x22b\xe4\x2)"), "a\"b\xe4\\x2");
}

TEST(LogFieldsTest, TimesAreReadToTheirFraction) {
  const auto time = ParseLogTime("2026-11-02T10:15:30.123456Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(FormatIso8601(*time), "2026-11-02T10:15:30.123456Z");
  EXPECT_EQ(ParseLogTime("2026-11-02T10:15:30"), *time - 123456us);
  for (const char* const wrong :
       {"", "-", "2026-11-02", "2026-02-30T10:15:30Z", "2026-11-02T24:15:30Z", "2026-11-02T10:15:61Z",
        "2026-11-02T10:15:30.Z", "2026-11-02T10:15:30.1234567890Z", "2026-11-02 10:15:30Z", "x026-11-02T10:15:30Z"}) {
    EXPECT_FALSE(ParseLogTime(wrong)) << wrong;
  }
}

TEST(LogFieldsTest, ManyTimesOfAMinuteAreReadAlike) {
  LogTimeReader reader;
  for (const char* const text : {"2026-11-02T10:15:30.5Z", "2026-11-02T10:15:31Z", "2026-11-02T10:16:31Z", "2026-11-02",
                                 "2026-11-02T10:16:6", "2026-11-02T10:15:30.5Z"}) {
    EXPECT_EQ(reader.Read(text), ParseLogTime(text)) << text;
  }
}

TEST(LogFieldsTest, SecondsAreMicroseconds) {
  EXPECT_EQ(ParseLogSeconds("0.012"), 12ms);
  EXPECT_EQ(ParseLogSeconds("12"), 12s);
  EXPECT_EQ(ParseLogSeconds("1.000001"), 1'000'001us);
  for (const char* const none : {"-1", "-", "", ".5", "1.", "1e3", "99999999999"})
    EXPECT_FALSE(ParseLogSeconds(none)) << none;
}

}  // namespace
}  // namespace weir::logs
