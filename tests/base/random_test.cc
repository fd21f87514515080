#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace weir {
namespace {

TEST(RandomTest, TheSameSeedGivesTheSameSequence) {
  Random one(42);
  Random two(42);
  Random other(43);
  const auto first = one.Next();
  EXPECT_EQ(first, two.Next());
  EXPECT_NE(first, other.Next());
}

TEST(RandomTest, BelowStaysBelowAndIsEven) {
  Random random(1);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100'000; ++i) ++counts.at(random.Below(10));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
  EXPECT_EQ(random.Below(1), 0U);
}

TEST(RandomTest, FractionIsInTheHalfOpenInterval) {
  Random random(1);
  for (int i = 0; i < 10'000; ++i) {
    const double fraction = random.Fraction();
    ASSERT_GE(fraction, 0.0);
    ASSERT_LT(fraction, 1.0);
  }
}

TEST(RandomTest, AppendsHexDigits) {
  Random random(1);
  std::string out = "id-";
  random.AppendHex(out, 24);
  EXPECT_EQ(out.size(), 27U);
  EXPECT_EQ(out.find_first_not_of("0123456789abcdef", 3), std::string::npos);
}

}  // namespace
}  // namespace weir
