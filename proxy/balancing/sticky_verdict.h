#pragma once

#include "base/enumerators.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::proxy {

// What a stickiness cookie keeps a client at. A value that was made for one is none for another. spec: alb.md 9.
enum class CookiePurpose : std::uint8_t {
  kTarget,       // AWSALB, AWSALBCORS: a target
  kApplication,  // AWSALBAPP-0: a target, as long as the application's own cookie is there
  kGroup,        // AWSALBTG, AWSALBTGCORS: a target group of a forward action
};
inline constexpr std::size_t kCookiePurposes = CountEnumerators<CookiePurpose>();

// What became of the cookie of one request.
enum class StickyVerdict : std::uint8_t {
  kHolds,                // it decides
  kNoCookie,             // there is none
  kNoApplicationCookie,  // the application's own is not there, so that ours does not count
  // From here on the cookie is at fault, or what it names: what is chosen is chosen anew.
  kInvalid,    // of another shape, or made by nobody who has one of our keys
  kExpired,    // its duration is over
  kElsewhere,  // of another target group; of kGroup: the rule does not forward to its group
  kGone,       // the target is not registered any more; of kGroup: the group has no target that takes requests
  kUnhealthy,  // the target takes no requests
  kDraining,   // the same, because it is being taken out
};
inline constexpr std::size_t kStickyVerdicts = CountEnumerators<StickyVerdict>();

[[nodiscard]] inline bool IsFault(StickyVerdict verdict) { return verdict >= StickyVerdict::kInvalid; }

// `AWSALB`, `AWSALBAPP`, `AWSALBTG`.
[[nodiscard]] std::string_view ToString(CookiePurpose purpose);
// As metrics print faults: `invalid`, `expired`; empty for what is none.
[[nodiscard]] std::string_view ToString(StickyVerdict verdict);
// The access log's error_reason of a fault: `AWSALBTGCookieInvalid` (spec: alb.md 16.2), the others by its pattern.
// Empty for what is none.
[[nodiscard]] std::string_view LogReasonOf(CookiePurpose purpose, StickyVerdict verdict);

}  // namespace weir::proxy
