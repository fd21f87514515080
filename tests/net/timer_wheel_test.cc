#include "net/timer_wheel.h"

#include "base/random.h"
#include "tests/support/manual_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace weir::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::chrono::nanoseconds kSlot{TimerWheel::kSlotNanoseconds};

class TimerWheelTest : public ::testing::Test {
 protected:
  void Pass(std::chrono::nanoseconds time) {
    clock_.Advance(time);
    wheel_.Advance(clock_.Now());
  }
  testing::ManualClock clock_;
  TimerWheel wheel_{clock_.Now()};
};

TEST_F(TimerWheelTest, FiresNeverEarlyAndAtMostOneSlotLate) {
  Random random(7);
  for (int i = 0; i < 500; ++i) {
    int fired = 0;
    CallbackTimer timer([&] { ++fired; });
    const std::chrono::nanoseconds delay(static_cast<std::int64_t>(random.Below(200'000'000'000ULL)));
    const SteadyTime deadline = clock_.Now() + delay;
    wheel_.Schedule(timer, deadline);
    if (delay > milliseconds(1)) {
      Pass(delay - milliseconds(1));
      EXPECT_EQ(fired, 0) << delay.count();
    }
    clock_.Advance(deadline - clock_.Now() + kSlot);
    wheel_.Advance(clock_.Now());
    EXPECT_EQ(fired, 1) << delay.count();
    EXPECT_FALSE(timer.scheduled());
  }
}

TEST_F(TimerWheelTest, ALaterDeadlineReplacesTheEarlierOne) {
  int fired = 0;
  CallbackTimer timer([&] { ++fired; });
  wheel_.Schedule(timer, clock_.Now() + seconds(1));
  wheel_.Schedule(timer, clock_.Now() + seconds(3));
  Pass(seconds(2));
  EXPECT_EQ(fired, 0);
  Pass(seconds(1) + kSlot);
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, AnEarlierDeadlineReplacesTheLaterOne) {
  int fired = 0;
  CallbackTimer timer([&] { ++fired; });
  wheel_.Schedule(timer, clock_.Now() + seconds(3));
  wheel_.Schedule(timer, clock_.Now() + seconds(1));
  Pass(seconds(1) + kSlot);
  EXPECT_EQ(fired, 1);
  Pass(seconds(5));
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, FiresBeyondItsOwnLength) {
  const auto length = kSlot * TimerWheel::kSlots;
  int fired = 0;
  CallbackTimer timer([&] { ++fired; });
  wheel_.Schedule(timer, clock_.Now() + length * 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(fired, 0);
    Pass(length);
  }
  Pass(kSlot);
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, ALongPauseFiresEverythingOnce) {
  int fired = 0;
  std::vector<std::unique_ptr<CallbackTimer>> timers;
  for (int i = 0; i < 1000; ++i) {
    timers.push_back(std::make_unique<CallbackTimer>([&] { ++fired; }));
    wheel_.Schedule(*timers.back(), clock_.Now() + milliseconds(i * 97));
  }
  Pass(std::chrono::hours(24));
  EXPECT_EQ(fired, 1000);
  EXPECT_EQ(wheel_.size(), 0U);
}

TEST_F(TimerWheelTest, CancelAndDestructionTakeATimerOut) {
  int fired = 0;
  CallbackTimer cancelled([&] { ++fired; });
  wheel_.Schedule(cancelled, clock_.Now() + seconds(1));
  cancelled.Cancel();
  {
    CallbackTimer destroyed([&] { ++fired; });
    wheel_.Schedule(destroyed, clock_.Now() + seconds(1));
  }
  EXPECT_EQ(wheel_.size(), 0U);
  EXPECT_FALSE(wheel_.NextWake());
  Pass(seconds(2));
  EXPECT_EQ(fired, 0);
}

TEST_F(TimerWheelTest, ACallbackMayCancelAnotherOfTheSameSlot) {
  std::unique_ptr<CallbackTimer> first;
  std::unique_ptr<CallbackTimer> second;
  int fired = 0;
  first = std::make_unique<CallbackTimer>([&] {
    ++fired;
    second->Cancel();
  });
  second = std::make_unique<CallbackTimer>([&] {
    ++fired;
    first->Cancel();
  });
  const SteadyTime deadline = clock_.Now() + seconds(1);
  wheel_.Schedule(*first, deadline);
  wheel_.Schedule(*second, deadline);
  Pass(seconds(2));
  EXPECT_EQ(fired, 1);
}

// A timer set for a moment that has passed, by a callback, once waited a whole round of the wheel (65 s).
TEST_F(TimerWheelTest, ACallbackMayScheduleForAMomentThatHasPassed) {
  int fired = 0;
  std::unique_ptr<CallbackTimer> timer;
  timer = std::make_unique<CallbackTimer>([&] {
    if (++fired < 3) wheel_.Schedule(*timer, clock_.Now() - seconds(1));
  });
  wheel_.Schedule(*timer, clock_.Now());
  for (int i = 0; i < 4; ++i) Pass(kSlot);
  EXPECT_EQ(fired, 3);
}

TEST_F(TimerWheelTest, NextWakeIsNeverAfterTheDeadlinesSlot) {
  Random random(11);
  for (int i = 0; i < 200; ++i) {
    CallbackTimer timer([] {});
    const SteadyTime deadline = clock_.Now() + milliseconds(static_cast<std::int64_t>(random.Below(60'000)));
    wheel_.Schedule(timer, deadline);
    ASSERT_TRUE(wheel_.NextWake());
    EXPECT_LE(*wheel_.NextWake(), deadline + kSlot);
    Pass(milliseconds(static_cast<std::int64_t>(random.Below(100))));
  }
}

// In any order of scheduling, firing and taking back, on either side of the wheel's end.
TEST_F(TimerWheelTest, NextWakeIsTheSlotOfTheNextTimer) {
  Random random(12);
  struct One final : Timer {
    void OnTimer() override {}
    SteadyTime deadline;
  };
  std::vector<std::unique_ptr<One>> timers;
  for (int i = 0; i < 5'000; ++i) {
    if (timers.size() < 8 && random.Below(2) == 0) {
      timers.push_back(std::make_unique<One>());
      timers.back()->deadline = clock_.Now() + milliseconds(static_cast<std::int64_t>(1 + random.Below(64'000)));
      wheel_.Schedule(*timers.back(), timers.back()->deadline);
    } else if (!timers.empty() && random.Below(4) == 0) {
      timers.erase(timers.begin() + static_cast<std::ptrdiff_t>(random.Below(timers.size())));
    } else {
      Pass(milliseconds(static_cast<std::int64_t>(random.Below(4'000))));
    }
    std::erase_if(timers, [](const auto& timer) { return !timer->scheduled(); });
    const auto next = std::ranges::min_element(timers, {}, [](const auto& timer) { return timer->deadline; });
    ASSERT_EQ(wheel_.NextWake().has_value(), next != timers.end());
    if (next == timers.end()) continue;
    EXPECT_GE(*wheel_.NextWake(), (*next)->deadline);
    EXPECT_LT(*wheel_.NextWake(), (*next)->deadline + kSlot);
  }
}

TEST(TimerWheelLifeTest, ATimerMayOutliveItsWheel) {
  const testing::ManualClock clock;
  CallbackTimer timer([] {});
  {
    TimerWheel wheel(clock.Now());
    wheel.Schedule(timer, clock.Now() + seconds(1));
  }
  EXPECT_FALSE(timer.scheduled());
}

}  // namespace
}  // namespace weir::net
