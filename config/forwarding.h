#pragma once

// Walks over what load balancers forward to. Thread: any.

#include "config/model.h"

#include <algorithm>
#include <cstdint>
#include <variant>

namespace weir::config {

// Calls `take(rule, forward)` with each rule that forwards, the default rule last, until it says false; false then.
template <class Take>
bool EachForward(const Listener& listener, Take take) {
  const auto visit = [&take](const Rule& rule) {
    const auto* const forward = std::get_if<ForwardAction>(&rule.action);
    return forward == nullptr || take(rule, *forward);
  };
  return std::ranges::all_of(listener.rules, [&](const auto& rule) { return visit(*rule); }) &&
         visit(listener.default_rule);
}

// The same of all listeners.
template <class Take>
bool EachForward(const LoadBalancer& balancer, Take take) {
  return std::ranges::all_of(balancer.listeners, [&](const Listener& listener) { return EachForward(listener, take); });
}

// Calls `take(index)` with each target group that the load balancer forwards to, also with weight 0, as often as it is
// named, until it says false; false then.
template <class Take>
bool EachForwardedGroup(const LoadBalancer& balancer, Take take) {
  return EachForward(balancer, [&take](const Rule&, const ForwardAction& forward) {
    return std::ranges::all_of(forward.target_groups,
                               [&](const WeightedTargetGroup& choice) { return take(choice.target_group); });
  });
}

}  // namespace weir::config
