#include "base/percent.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// RFC 3986 6.2.2.1 and 6.2.2.2.
TEST(PercentTest, EncodingsTakeTheirNormalForm) {
  EXPECT_EQ(WithNormalEncodings("/x%2fy"), "/x%2Fy");
  EXPECT_EQ(WithNormalEncodings("/%61%42%30%2d%2E%5f%7e"), "/aB0-._~");
  EXPECT_EQ(WithNormalEncodings("/plain/*?"), "/plain/*?");
  EXPECT_EQ(WithNormalEncodings("%c3%bc"), "%C3%BC");
}

TEST(PercentTest, WildcardsAreNeverDecoded) { EXPECT_EQ(WithNormalEncodings("%2a%3f"), "%2A%3F"); }

TEST(PercentTest, BrokenEncodingsStay) {
  EXPECT_EQ(WithNormalEncodings("100%"), "100%");
  EXPECT_EQ(WithNormalEncodings("%4"), "%4");
  EXPECT_EQ(WithNormalEncodings("%zz%4g%%41"), "%zz%4g%A");
}

}  // namespace
}  // namespace weir
