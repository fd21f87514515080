#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace weir {

class TextWriter;

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

// The same, for many times: the date is worked out once a second. Thread: one owner.
class Iso8601Writer {
 public:
  static constexpr std::size_t kTextBytes = 27;
  void Put(TextWriter& out, WallTime time);

 private:
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  std::array<char, kTextBytes> text_{};  // of that second; the microseconds are those of the last call
};

}  // namespace weir
