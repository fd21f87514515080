#pragma once

#include "base/clock.h"

#include <chrono>

namespace weir::testing {

// A clock that stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime Now() const override { return now_; }
  [[nodiscard]] WallTime WallNow() const override { return wall_now_; }
  void Advance(std::chrono::nanoseconds by) {
    now_ += by;
    wall_now_ += std::chrono::duration_cast<WallTime::duration>(by);
  }

 private:
  SteadyTime now_{std::chrono::hours(1)};
  WallTime wall_now_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace weir::testing
