#include "proxy/balancing/sticky_verdict.h"

#include <array>

namespace weir::proxy {

std::string_view ToString(CookiePurpose purpose) {
  switch (purpose) {
    case CookiePurpose::kTarget:
      return "AWSALB";
    case CookiePurpose::kApplication:
      return "AWSALBAPP";
    case CookiePurpose::kGroup:
      return "AWSALBTG";
  }
  std::unreachable();
}

std::string_view ToString(StickyVerdict verdict) {
  switch (verdict) {
    case StickyVerdict::kHolds:
    case StickyVerdict::kNoCookie:
    case StickyVerdict::kNoApplicationCookie:
      return {};
    case StickyVerdict::kInvalid:
      return "invalid";
    case StickyVerdict::kExpired:
      return "expired";
    case StickyVerdict::kElsewhere:
      return "elsewhere";
    case StickyVerdict::kGone:
      return "gone";
    case StickyVerdict::kUnhealthy:
      return "unhealthy";
    case StickyVerdict::kDraining:
      return "draining";
  }
  std::unreachable();
}

std::string_view LogReasonOf(CookiePurpose purpose, StickyVerdict verdict) {
  // By verdict from kInvalid on. A group is neither unhealthy nor draining.
  using Reasons = std::array<std::string_view, 6>;
  static constexpr std::array<Reasons, kCookiePurposes> kReasons = {
      Reasons{"AWSALBCookieInvalid", "AWSALBCookieExpired", "AWSALBCookieOfOtherTargetGroup", "AWSALBTargetGone",
              "AWSALBTargetUnhealthy", "AWSALBTargetDraining"},
      Reasons{"AWSALBAPPCookieInvalid", "AWSALBAPPCookieExpired", "AWSALBAPPCookieOfOtherTargetGroup",
              "AWSALBAPPTargetGone", "AWSALBAPPTargetUnhealthy", "AWSALBAPPTargetDraining"},
      Reasons{"AWSALBTGCookieInvalid",
              "AWSALBTGCookieExpired",
              "AWSALBTGCookieOfOtherTargetGroup",
              "AWSALBTGTargetGroupEmpty",
              {},
              {}}};
  if (!IsFault(verdict)) return {};
  return kReasons[std::to_underlying(purpose)]
                 [std::to_underlying(verdict) - std::to_underlying(StickyVerdict::kInvalid)];
}

}  // namespace weir::proxy
