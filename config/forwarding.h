#pragma once

// Walks over the rules of load balancers, and over what they forward to. What takes each of them gives nothing, or says
// false where the walk is to end; then the walk is false too. Thread: any.

#include "config/action_groups.h"
#include "config/model.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <variant>

namespace weir::config {

// Whether the walk goes on after `take(values...)`.
template <class Take, class... Values>
bool GoesOn(Take& take, const Values&... values) {
  if constexpr (std::is_void_v<decltype(take(values...))>) {
    take(values...);
    return true;
  } else {
    return take(values...);
  }
}

// Calls `take(rule)` with each rule, the default rule last.
template <class Take>
bool EachRule(const Listener& listener, Take take) {
  return std::ranges::all_of(listener.rules, [&](const auto& rule) { return GoesOn(take, *rule); }) &&
         GoesOn(take, listener.default_rule);
}

// The same of all listeners.
template <class Take>
bool EachRule(const LoadBalancer& balancer, Take take) {
  return std::ranges::all_of(balancer.listeners, [&](const Listener& listener) { return EachRule(listener, take); });
}

// Calls `take(rule, forward)` with each rule whose action is `forward`, the default rules last.
template <class Take>
bool EachForward(const LoadBalancer& balancer, Take take) {
  return EachRule(balancer, [&take](const Rule& rule) {
    const auto* const forward = std::get_if<ForwardAction>(&rule.action);
    return forward == nullptr || GoesOn(take, rule, *forward);
  });
}

// Calls `take(index)` with each target group that the load balancer sends requests to, also with weight 0, as often as
// it is named.
template <class Take>
bool EachForwardedGroup(const LoadBalancer& balancer, Take take) {
  return EachRule(balancer, [&take](const Rule& rule) {
    return std::ranges::all_of(TargetGroupsOf(rule.action),
                               [&](const WeightedTargetGroup& choice) { return GoesOn(take, choice.target_group); });
  });
}

// Where requests for the canary of `forward` are logged; absent: where the others are, if anywhere.
[[nodiscard]] inline std::optional<LogFile> CanaryLog(const LoadBalancer& balancer, const ForwardAction& forward) {
  if (!forward.canary) return std::nullopt;
  if (forward.canary->access_log || !balancer.access_log || balancer.access_log->path == "-") {
    return forward.canary->access_log;
  }
  LogFile out = *balancer.access_log;
  out.path += ".canary";
  return out;
}

// Calls `take(log)` with each log of requests that the load balancer writes.
template <class Take>
void EachAccessLog(const LoadBalancer& balancer, Take take) {
  if (balancer.access_log) take(*balancer.access_log);
  EachForward(balancer, [&](const Rule& /*rule*/, const ForwardAction& forward) {
    if (const auto log = CanaryLog(balancer, forward)) take(*log);
  });
}

// Calls `take(log, noun)` with each log that the load balancer writes; the noun is `access log` or the like.
template <class Take>
void EachLog(const LoadBalancer& balancer, Take take) {
  EachAccessLog(balancer, [&](const LogFile& log) { take(log, "access log"); });
  if (balancer.connection_log) take(*balancer.connection_log, "connection log");
  if (balancer.health_check_log) take(*balancer.health_check_log, "health check log");
}

}  // namespace weir::config
