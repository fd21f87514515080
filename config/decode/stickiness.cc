// Stickiness of target groups and of forward actions. spec: alb.md 9, 5.1, 7.3.

#include "config/decode/decode.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace weir::config {
namespace {

// Names that begin so are the load balancer's own: AWSALB, AWSALBAPP, AWSALBTG.
constexpr std::string_view kReservedPrefix = "AWSALB";

void CheckCookieName(const Fields& fields, std::string_view key, const std::string& name, Findings& findings) {
  // RFC 6265 section 4.1.1: a token.
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const bool is_token = std::ranges::all_of(name, [kMarks](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || kMarks.contains(c);
  });
  if (!is_token) {
    findings.AddError(fields.PositionOf(key), fmt::format("{} is no name of a cookie", Quoted(name)),
                      "letters, digits and marks such as - . _");
  } else if (name.starts_with(kReservedPrefix)) {
    findings.AddError(fields.PositionOf(key), fmt::format("the cookie {} is the load balancer's own", Quoted(name)),
                      "a name that does not begin with AWSALB, AWSALBAPP or AWSALBTG");
  }
}

}  // namespace

void DecodeStickiness(const Fields& attributes, TargetGroup& out, Findings& findings) {
  constexpr std::string_view kEnabled = "stickiness.enabled";
  constexpr std::string_view kCookieName = "stickiness.app_cookie.cookie_name";
  TargetGroupStickiness& stickiness = out.stickiness;
  stickiness.position = attributes.PositionOf(kEnabled);
  stickiness.enabled = attributes.Boolean(kEnabled, false);
  stickiness.type = attributes.Choice("stickiness.type", kStickinessTypeWords, StickinessType::kLbCookie);
  const bool by_application = stickiness.type == StickinessType::kAppCookie;
  const std::string_view duration =
      by_application ? "stickiness.app_cookie.duration_seconds" : "stickiness.lb_cookie.duration_seconds";
  if (const auto value = attributes.Integer(duration)) stickiness.duration = std::chrono::seconds(*value);
  stickiness.cookie_name = attributes.Text(kCookieName);
  CheckCookieName(attributes, kCookieName, stickiness.cookie_name, findings);
  if (!stickiness.enabled) return;
  // A name that cannot be read was reported.
  const bool has_name =
      !stickiness.cookie_name.empty() || (attributes.Has(kCookieName) && attributes.Scalar(kCookieName) == nullptr);
  if (by_application && !has_name) {
    findings.AddError(attributes.PositionOf("stickiness.type"), fmt::format("`app_cookie` without `{}`", kCookieName),
                      "the name of the application's cookie");
  }
  if (out.algorithm == BalancingAlgorithm::kWeightedRandom) {
    findings.AddError(stickiness.position, fmt::format("`{}` does not go with `weighted_random`", kEnabled),
                      "round_robin or least_outstanding_requests");
  }
}

std::optional<std::chrono::seconds> DecodeForwardStickiness(const Fields& forward, Findings& findings) {
  const Node* const map = forward.Map("stickiness");
  if (map == nullptr) return std::nullopt;
  const Fields fields(*map);
  if (!fields.Boolean("enabled", false)) return std::nullopt;
  if (!fields.Has("duration")) {
    findings.AddError(map->position, "`stickiness` without `duration`", "1s to 7d, such as 1h");
  }
  // One that is out of range was reported.
  return std::chrono::seconds(fields.Seconds("duration").value_or(1));
}

}  // namespace weir::config
