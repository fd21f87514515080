#include "base/enumerators.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace weir {
namespace {

enum class Colour : std::uint8_t { kRed, kGreen, kBlue, kHttp2 };
enum class Nothing : std::uint8_t {};
enum class One : std::int32_t { kOnly };

// These are facts about the compiler.
static_assert(IsEnumerator<Colour::kRed>());
static_assert(IsEnumerator<static_cast<Colour>(3)>());
static_assert(!IsEnumerator<static_cast<Colour>(4)>());

TEST(EnumeratorsTest, EachIsCounted) {
  EXPECT_EQ(CountEnumerators<Colour>(), 4U);
  EXPECT_EQ(CountEnumerators<One>(), 1U);
  EXPECT_EQ(CountEnumerators<Nothing>(), 0U);
}

}  // namespace
}  // namespace weir
