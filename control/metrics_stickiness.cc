#include "control/metrics_stickiness.h"

#include "proxy/balancing/sticky_verdict.h"
#include "proxy/routing/routing_table.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>

namespace weir::control {
namespace {

using Type = config::StickinessType;

bool HasStickyForward(const proxy::Listener& listener) {
  return std::ranges::any_of(listener.rules, [](const proxy::Rule& rule) {
    const auto* const forward = std::get_if<proxy::Forward>(&rule.action);
    return forward != nullptr && forward->is_sticky();
  });
}

// Calls write(fault, its index) for each fault that a cookie can have.
template <class Write>
void ForEachFault(proxy::CookiePurpose purpose, Write write) {
  for (std::size_t i = 0; i < proxy::kStickyVerdicts; ++i) {
    const auto verdict = static_cast<proxy::StickyVerdict>(i);
    if (!LogReasonOf(purpose, verdict).empty()) write(ToString(verdict), i);
  }
}

void WriteNonSticky(MetricsWriter& out, const View& view, Type type, std::string_view name, std::string_view help,
                    Counter proxy::GroupCounters::* member) {
  out.Family(name, "counter", help);
  for (const auto& group : view.routing->groups()) {
    if (!group.config->stickiness.enabled || group.config->stickiness.type != type) continue;
    out.Sample({{"target_group", group.name}}, group.counters->Sum([=](const auto& c) { return (c.*member).value(); }));
  }
}

}  // namespace

void WriteStickinessMetrics(MetricsWriter& out, const View& view) {
  WriteNonSticky(out, view, Type::kLbCookie, "weir_target_group_non_sticky_requests_total",
                 "NonStickyRequestCount: requests to a sticky group whose target was chosen anew.",
                 &proxy::GroupCounters::non_sticky_requests);
  WriteNonSticky(out, view, Type::kAppCookie, "weir_target_group_app_cookie_non_sticky_requests_total",
                 "AppCookieNonStickinessCount: the same where the application's cookie makes the group sticky.",
                 &proxy::GroupCounters::app_cookie_non_sticky_requests);
  out.Family("weir_target_group_stickiness_cookies_rejected_total", "counter",
             "Cookies that chose no target, by what was wrong.");
  for (const auto& group : view.routing->groups()) {
    if (!group.config->stickiness.enabled) continue;
    ForEachFault(proxy::CookiePurpose::kTarget, [&](std::string_view fault, std::size_t i) {
      out.Sample({{"target_group", group.name}, {"reason", fault}},
                 group.counters->Sum([i](const auto& c) { return c.cookies[i].value(); }));
    });
  }
  out.Family("weir_listener_stickiness_cookies_rejected_total", "counter",
             "Cookies that chose no target group, by what was wrong.");
  for (const auto& listener : view.routing->listeners()) {
    if (!HasStickyForward(*listener)) continue;
    const std::string port = std::to_string(listener->port);
    ForEachFault(proxy::CookiePurpose::kGroup, [&](std::string_view fault, std::size_t i) {
      out.Sample({{"load_balancer", listener->load_balancer}, {"listener", port}, {"reason", fault}},
                 listener->counters->Sum([i](const auto& c) { return c.group_cookies[i].value(); }));
    });
  }
}

}  // namespace weir::control
