#include "control/query_string.h"

#include <gtest/gtest.h>

namespace weir::control {
namespace {

TEST(QueryStringTest, DecodesEscapesAndLeavesWhatIsNone) {
  EXPECT_EQ(PercentDecode("a%2Fb%c3%A9", false), "a/b\xC3\xA9");
  EXPECT_EQ(PercentDecode("100%", false), "100%");
  EXPECT_EQ(PercentDecode("%4", false), "%4");
  EXPECT_EQ(PercentDecode("%4G", false), "%4G");
}

TEST(QueryStringTest, APlusIsASpaceOnlyWhereAsked) {
  EXPECT_EQ(PercentDecode("a+b", true), "a b");
  EXPECT_EQ(PercentDecode("a+b", false), "a+b");
}

TEST(QueryStringTest, PairsKeepTheirOrderAndRepeat) {
  const auto pairs = ParseQuery("a=1&&b&a=2%263&c==x");
  EXPECT_EQ(pairs, (QueryPairs{{"a", "1"}, {"b", ""}, {"a", "2&3"}, {"c", "=x"}}));
  EXPECT_EQ(Find(pairs, "a"), "1");
  EXPECT_EQ(Find(pairs, "d"), "");
}

}  // namespace
}  // namespace weir::control
