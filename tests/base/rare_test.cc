#include "base/rare.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir {
namespace {

TEST(RareTest, IsOnePointerAndReadsAsANewValue) {
  static_assert(sizeof(Rare<std::vector<int>>) == sizeof(void*));
  const Rare<std::vector<int>> none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.size(), 0U);
  EXPECT_EQ(*none, std::vector<int>());
  for (const int value : none) ADD_FAILURE() << value;
  EXPECT_EQ(none, Rare<std::vector<int>>(std::vector<int>()));
}

TEST(RareTest, ReadsAsWhatItWasGiven) {
  const Rare<std::string> name = std::string("a long name that does not fit");
  EXPECT_EQ(name, "a long name that does not fit");
  EXPECT_EQ(std::string_view(name).size(), name.size());
  EXPECT_EQ(name->front(), 'a');
}

TEST(RareTest, CopiesAreOfTheirOwnAndWhatIsMovedGoesAlong) {
  Rare<std::vector<int>> one = std::vector<int>{1, 2};
  Rare<std::vector<int>> other = one;
  other.edit().push_back(3);
  EXPECT_EQ(one.size(), 2U);
  EXPECT_EQ(other[2], 3);
  one = other;
  EXPECT_EQ(one, other);
  const int* const place = one.data();
  const Rare<std::vector<int>> moved = std::move(one);
  EXPECT_EQ(moved.data(), place);
}

TEST(RareTest, AValueThatIsNoContainerIsKeptAsItIs) {
  struct Pair {
    int first = 7;
  };
  const Rare<Pair> none;
  EXPECT_EQ(none->first, 7);
  const Rare<Pair> some = Pair{.first = 8};
  EXPECT_EQ(some->first, 8);
}

}  // namespace
}  // namespace weir
