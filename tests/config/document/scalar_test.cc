#include "config/document/scalar.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

using std::chrono::milliseconds;

TEST(ScalarTest, DurationsHaveAUnit) {
  EXPECT_EQ(ParseDuration("250ms"), milliseconds(250));
  EXPECT_EQ(ParseDuration("5s"), milliseconds(5'000));
  EXPECT_EQ(ParseDuration("2m"), milliseconds(120'000));
  EXPECT_EQ(ParseDuration("1h"), milliseconds(3'600'000));
  EXPECT_EQ(ParseDuration("14d"), milliseconds(14LL * 86'400'000));
  for (const auto* text : {"5", "", "s", "-1s", "1.5s", "1 s", "5S", "99999999999999999999s", "999999999999999999d"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(ScalarTest, DurationsAreWrittenInTheUnitThatFits) {
  const std::pair<milliseconds, const char*> rows[] = {
      {milliseconds(0), "0s"},          {milliseconds(1'500), "1500ms"},    {milliseconds(90'000), "90s"},
      {milliseconds(3'600'000), "1h"},  {milliseconds(5'400'000), "5400s"}, {milliseconds(86'400'000), "1d"},
      {milliseconds(90'000'000), "25h"}};
  for (const auto& [duration, text] : rows) {
    EXPECT_EQ(DurationText(duration), text);
    EXPECT_EQ(ParseDuration(text), duration);
  }
}

TEST(ScalarTest, NumbersAreDecimal) {
  EXPECT_EQ(ParseInteger("-3"), -3);
  for (const auto* text : {"", "0x10", "1e3", "1.0", " 1", "99999999999999999999"})
    EXPECT_FALSE(ParseInteger(text)) << text;
  EXPECT_EQ(ParseNumber("-6.25"), -6.25);
  for (const auto* text : {"", "nan", "inf", "1,5", "1e400"}) EXPECT_FALSE(ParseNumber(text)) << text;
}

TEST(ScalarTest, OnlyTrueAndFalseAreBooleans) {
  EXPECT_EQ(ParseBoolean("True"), true);
  EXPECT_EQ(ParseBoolean("false"), false);
  for (const auto* text : {"yes", "no", "on", "off", "1", ""}) EXPECT_FALSE(ParseBoolean(text)) << text;
}

}  // namespace
}  // namespace weir::config
