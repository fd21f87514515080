#include "base/text.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace weir {
namespace {

TEST(TextTest, ComparesAsciiOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("Content-Length", "content-length"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("\xc4", "\xe4")) << "Latin-1 letters have no case here";
  EXPECT_EQ(ToLowerAscii("AZ[`az"), "az[`az");
}

TEST(TextTest, ParsesDecimalNumbersAndNothingElse) {
  EXPECT_EQ(ParseDecimal("0"), 0U);
  EXPECT_EQ(ParseDecimal("007"), 7U);
  EXPECT_EQ(ParseDecimal("18446744073709551615"), 18446744073709551615ULL);
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "18446744073709551616"}) {
    EXPECT_FALSE(ParseDecimal(text)) << text;
  }
}

TEST(TextTest, AppendsTheLowestHexadecimalDigits) {
  std::string out = "x";
  AppendHex(out, 0x0123456789abcdef, 16);
  AppendHex(out, 0xabcdef, 4);
  AppendHex(out, 0, 1);
  EXPECT_EQ(out, "x0123456789abcdefcdef0");
}

TEST(TextTest, SuggestsTheNearestWord) {
  static constexpr std::array<std::string_view, 3> kWords = {"listeners", "target-groups", "zones"};
  EXPECT_EQ(NearestWord("listners", kWords), "listeners");
  EXPECT_EQ(NearestWord("Zones", kWords), "zones");
  EXPECT_EQ(NearestWord("target-group", kWords), "target-groups");
  EXPECT_EQ(NearestWord("banana", kWords), "");
  EXPECT_EQ(NearestWord("x", {}), "");
}

}  // namespace
}  // namespace weir
