#pragma once

// Walks over the rules of load balancers, and over what they forward to. Thread: any.

#include "config/action_groups.h"
#include "config/model.h"

#include <algorithm>
#include <cstdint>
#include <variant>

namespace weir::config {

// Calls `take(rule)` with each rule, the default rule last, until it says false; false then.
template <class Take>
bool EachRule(const Listener& listener, Take take) {
  return std::ranges::all_of(listener.rules, [&](const auto& rule) { return take(*rule); }) &&
         take(listener.default_rule);
}

// The same of all listeners.
template <class Take>
bool EachRule(const LoadBalancer& balancer, Take take) {
  return std::ranges::all_of(balancer.listeners, [&](const Listener& listener) { return EachRule(listener, take); });
}

// Calls `take(rule, forward)` with each rule whose action is `forward`, the default rules last, until it says false;
// false then.
template <class Take>
bool EachForward(const LoadBalancer& balancer, Take take) {
  return EachRule(balancer, [&take](const Rule& rule) {
    const auto* const forward = std::get_if<ForwardAction>(&rule.action);
    return forward == nullptr || take(rule, *forward);
  });
}

// Calls `take(index)` with each target group that the load balancer sends requests to, also with weight 0, as often as
// it is named, until it says false; false then.
template <class Take>
bool EachForwardedGroup(const LoadBalancer& balancer, Take take) {
  return EachRule(balancer, [&take](const Rule& rule) {
    return std::ranges::all_of(TargetGroupsOf(rule.action),
                               [&](const WeightedTargetGroup& choice) { return take(choice.target_group); });
  });
}

}  // namespace weir::config
