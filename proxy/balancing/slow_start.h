#pragma once

#include "base/clock.h"
#include "health/status.h"

#include <algorithm>
#include <chrono>

namespace weir::proxy {

// How much of its share a target of a group with this slow start takes at `now`: 0 to 1, growing in a straight line.
// spec: alb.md 8.1.
[[nodiscard]] inline double SlowStartShare(const health::TargetStatus& target, std::chrono::seconds slow_start,
                                           WallTime now) {
  if (target.slow_start_since == WallTime{} || slow_start.count() == 0) return 1;
  const std::chrono::duration<double> passed = now - target.slow_start_since;
  return std::clamp(passed / slow_start, 0.0, 1.0);
}

}  // namespace weir::proxy
