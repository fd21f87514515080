#include "base/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

TEST(PrintableTest, ControlCharactersAreEscapedAndTheRestStays) {
  EXPECT_EQ(Printable("blue"), "blue");
  EXPECT_EQ(Printable("a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
  EXPECT_EQ(Printable("Grüße 世界"), "Grüße 世界");
  EXPECT_EQ(Printable("a\xC2\x9B"
                      "1m"),
            "a\\x9b1m")
      << "C1 in UTF-8";
  EXPECT_EQ(Printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(Printable("\xC2"), "\xC2") << "a cut sequence is no control character";
}

TEST(PrintableTest, IsPrintableSaysWhetherAnythingWouldBeEscaped) {
  EXPECT_TRUE(IsPrintable(""));
  EXPECT_TRUE(IsPrintable("Grüße \xC2\xA0"));
  EXPECT_FALSE(IsPrintable("a\tb"));
  EXPECT_FALSE(IsPrintable("a\xC2\x80"));
}

}  // namespace
}  // namespace weir
