#include "base/text.h"

#include "base/hex.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {
namespace {

TEST(TextTest, ComparesAsciiOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("Content-Length", "content-length"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("\xc4", "\xe4")) << "Latin-1 letters have no case here";
  EXPECT_EQ(ToLowerAscii("AZ[`az"), "az[`az");
}

TEST(TextTest, TrimsBlanksAndLineEnds) {
  EXPECT_EQ(TrimBlanks(" \t a b\r\n"), "a b");
  EXPECT_EQ(TrimBlanks("a"), "a");
  EXPECT_EQ(TrimBlanks(" \r\n\t "), "");
  EXPECT_EQ(TrimBlanks(""), "");
}

TEST(TextTest, ReadsHexadecimalDigitsOfEitherCase) {
  constexpr std::string_view kDigits = "0123456789abcdef0123456789ABCDEF";
  for (int c = 0; c < 256; ++c) {
    const auto at = kDigits.find(static_cast<char>(c));
    EXPECT_EQ(HexValue(static_cast<char>(c)), at == std::string_view::npos ? -1 : static_cast<int>(at % 16)) << c;
  }
}

TEST(TextTest, ComparesWithLowerCaseWhateverTheLength) {
  const std::string lower = "abcdefghijklmnopqrstuvwxyz@[`{-0123456789.\xc4\xe4";
  std::string upper = lower;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
  for (std::size_t begin = 0; begin < lower.size(); ++begin) {
    for (std::size_t size = 0; begin + size <= lower.size(); ++size) {
      const auto text = std::string_view(upper).substr(begin, size);
      EXPECT_TRUE(EqualsLower(text, std::string_view(lower).substr(begin, size))) << text;
      if (begin + size == lower.size()) continue;
      EXPECT_FALSE(EqualsLower(text, std::string_view(lower).substr(begin, size + 1))) << text;
    }
  }
}

TEST(TextTest, ComparesEveryByteWithLowerCaseAsOneByOne) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      if (b >= 'A' && b <= 'Z') continue;
      const bool same = ToLowerAscii(static_cast<char>(a)) == static_cast<char>(b);
      for (const std::size_t at : {0U, 7U, 8U, 10U}) {
        std::string text(11, '.');
        std::string lower(11, '.');
        text[at] = static_cast<char>(a);
        lower[at] = static_cast<char>(b);
        ASSERT_EQ(EqualsLower(text, lower), same) << a << " " << b << " at " << at;
      }
    }
  }
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
  for (unsigned digits = 1; digits <= 16; ++digits) {
    out.clear();
    AppendHex(out, 0xfedcba9876543210, digits);
    EXPECT_EQ(out, std::string_view("fedcba9876543210").substr(16 - digits));
  }
}

TEST(TextTest, AppendsDecimalNumbers) {
  std::string out = "x";
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{10}, UINT64_MAX}) AppendDecimal(out, value);
  EXPECT_EQ(out, "x01018446744073709551615");
}

TEST(TextTest, SuggestsTheNearestWord) {
  static constexpr std::array<std::string_view, 3> kWords = {"listeners", "target-groups", "zones"};
  EXPECT_EQ(NearestWord("listners", kWords), "listeners");
  EXPECT_EQ(NearestWord("Zones", kWords), "zones");
  EXPECT_EQ(NearestWord("target-group", kWords), "target-groups");
  EXPECT_EQ(NearestWord("banana", kWords), "");
  EXPECT_EQ(NearestWord("x", {}), "");
}

TEST(TextTest, ASwapOfNeighboursIsOneSlip) {
  static constexpr std::array<std::string_view, 2> kWords = {"blue", "shop"};
  EXPECT_EQ(NearestWord("bleu", kWords), "blue");
  EXPECT_EQ(NearestWord("shpo", kWords), "shop");
  EXPECT_EQ(NearestWord("hsop", kWords), "shop");
  EXPECT_EQ(NearestWord("opsh", kWords), "");
}

}  // namespace
}  // namespace weir
