#include "base/clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace weir {
namespace {

TEST(ClockTest, FormatsUtcWithMicroseconds) {
  EXPECT_EQ(FormatIso8601(WallTime{}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatIso8601(WallTime(std::chrono::microseconds(1'700'000'000'000'042))), "2023-11-14T22:13:20.000042Z");
}

TEST(ClockTest, SystemClockGoesForward) {
  const SteadyTime before = SystemClock().Now();
  EXPECT_GE(SystemClock().Now(), before);
}

}  // namespace
}  // namespace weir
