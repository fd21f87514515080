#pragma once

#include <chrono>
#include <string>

namespace weir {

// Monotonic time: every deadline and duration. Event loops cache it once per turn.
using SteadyTime = std::chrono::steady_clock::time_point;
// Civil time (UTC): logs, dates, trace ids, `since` in status.
using WallTime = std::chrono::system_clock::time_point;

// Where time comes from, so that tests can move it by hand (tests/support/manual_clock.h).
// Thread: any (const).
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual SteadyTime Now() const = 0;
  [[nodiscard]] virtual WallTime WallNow() const = 0;
};

// The operating system's clocks. Lives for the whole process.
[[nodiscard]] const Clock& SystemClock();

// 2026-11-02T10:15:30.123456Z (RFC 3339, microseconds), as ALB's logs print it.
[[nodiscard]] std::string FormatIso8601(WallTime time);
void AppendIso8601(std::string& out, WallTime time);

}  // namespace weir
