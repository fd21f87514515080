#include <gtest/gtest.h>
#include <sys/socket.h>

namespace {

TEST(NoSocketsDeathTest, AUnitTestThatOpensASocketDies) {
  int pair[2];
  EXPECT_DEATH(static_cast<void>(socket(AF_INET, SOCK_STREAM, 0)), "in a unit test");
  EXPECT_DEATH(static_cast<void>(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)), "in a unit test");
}

}  // namespace
