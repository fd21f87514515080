#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::control {

enum class ZonalShiftStatus : std::uint8_t { kActive, kExpired, kCanceled };

// New requests are led away from one availability zone until it expires; spec: alb.md 10.3, resilience.md 6.2.
struct ZonalShift {
  std::string zone;
  WallTime started;
  WallTime expires;
  std::string comment;  // may be empty
  ZonalShiftStatus status = ZonalShiftStatus::kActive;
  [[nodiscard]] bool is_active() const { return status == ZonalShiftStatus::kActive; }
};

// How long a shift may last and what is said of it; ours begins at a second, AWS's at a minute.
inline constexpr std::chrono::seconds kZonalShiftSecondsMax{72 * 3'600};
inline constexpr std::size_t kZonalShiftCommentMax = 128;  // characters, as bytes

// `ACTIVE`, `EXPIRED`, `CANCELED`.
[[nodiscard]] std::string_view ToString(ZonalShiftStatus status);

// `90s`, `30m`, `1h`: a whole number without a zero in front, up to 72 hours.
[[nodiscard]] Result<std::chrono::seconds> ParseExpiry(std::string_view text);

// As the state directory keeps it, and back. A text of another shape is a failure.
[[nodiscard]] std::string FormatZonalShift(const ZonalShift& shift);
[[nodiscard]] Result<ZonalShift> ParseZonalShift(std::string_view text);

}  // namespace weir::control
