#include "base/figures.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

TEST(TextFormatTest, CountsHaveThousandsApart) {
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(1'000), "1,000");
  EXPECT_EQ(CountText(1'234'567), "1,234,567");
}

TEST(TextFormatTest, RatesKeepThreeDigits) {
  EXPECT_EQ(RateText(0), "0");
  EXPECT_EQ(RateText(0.25), "0.25");
  EXPECT_EQ(RateText(12.34), "12.3");
  EXPECT_EQ(RateText(99.96), "100");
  EXPECT_EQ(RateText(123'456.7), "123,457");
}

TEST(TextFormatTest, DurationsHaveTheUnitThatFits) {
  EXPECT_EQ(DurationText(0), "0 ms");
  EXPECT_EQ(DurationText(0.0005), "500 ns");
  EXPECT_EQ(DurationText(0.0123), "12.3 us");
  EXPECT_EQ(DurationText(0.9997), "1.00 ms") << "never 1000 us";
  EXPECT_EQ(DurationText(45.67), "45.7 ms");
  EXPECT_EQ(DurationText(12'345), "12.3 s");
}

TEST(TextFormatTest, BytesAreDecimal) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(1'500), "1.50 kB");
  EXPECT_EQ(BytesText(2.5e9), "2.50 GB");
}

TEST(TextFormatTest, RareThingsAreNotRoundedAway) {
  EXPECT_EQ(PercentText(0, 10), "0 %");
  EXPECT_EQ(PercentText(1, 0), "0 %");
  EXPECT_EQ(PercentText(1, 1'000'000), "<0.01 %");
  EXPECT_EQ(PercentText(999'999, 1'000'000), ">99.99 %");
  EXPECT_EQ(PercentText(10, 10), "100.00 %");
  EXPECT_EQ(PercentText(1, 3), "33.33 %");
}

TEST(TextFormatTest, ControlCharactersDoNotReachATerminal) {
  EXPECT_EQ(TerminalText("a\x1b[2Jb\r\n\t\x7f"), "a?[2Jb????");
  EXPECT_EQ(TerminalText("\xC2\x9B"
                         "31m caf\xC3\xA9"),
            "?31m caf\xC3\xA9")
      << "U+009B opens a sequence as well";
}

TEST(TextFormatTest, WhatIsNotUtf8IsReplaced) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(Utf8("gr\xC3\xBCn \xE2\x82\xAC \xF0\x9F\x98\x80"), "gr\xC3\xBCn \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(Utf8("a\xFF"
                 "b"),
            "a" + bad + "b");
  EXPECT_EQ(Utf8("\xC3"), bad) << "cut off";
  EXPECT_EQ(Utf8("\xC0\xAF"), bad + bad) << "overlong";
  EXPECT_EQ(Utf8("\xE0\x80\x80"), bad + bad + bad) << "overlong";
  EXPECT_EQ(Utf8("\xED\xA0\x80"), bad + bad + bad) << "a surrogate";
  EXPECT_EQ(Utf8("\xF4\x90\x80\x80"), bad + bad + bad + bad) << "beyond U+10FFFF";
}

TEST(TextFormatTest, HtmlIsEscaped) {
  EXPECT_EQ(Html("</script><b a=\"1\" c='2'>&"), "&lt;/script&gt;&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
}

TEST(TextFormatTest, LinesAreCutAtCharacters) {
  EXPECT_EQ(Cut("hello", 5), "hello");
  EXPECT_EQ(Cut("hello!", 5), "hell\xE2\x80\xA6");
  EXPECT_EQ(Cut("\xC3\xA4\xC3\xB6\xC3\xBC", 2), "\xC3\xA4\xE2\x80\xA6");
  EXPECT_EQ(Cut("abc", 1), "\xE2\x80\xA6");
  EXPECT_EQ(Cut("abc", 0), "");
}

TEST(TextFormatTest, RankedByCountThenName) {
  const auto ranked = Ranked({{"c", 1}, {"b", 5}, {"a", 1}});
  ASSERT_EQ(ranked.size(), 3U);
  EXPECT_EQ(ranked[0].first, "b");
  EXPECT_EQ(ranked[1].first, "a");
  EXPECT_EQ(ranked[2].first, "c");
}

}  // namespace
}  // namespace weir
