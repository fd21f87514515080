#pragma once

// What follows from the states of single targets and checks: who is routable, whether a group fails open, which
// calculated checks and load balancers are healthy. Pure functions over a table. Thread: any.

#include "config/model.h"
#include "health/status.h"

#include <cstdint>

namespace weir::health {

// True when `healthy` of `registered` targets are enough: neither the count nor the percentage asked for is missed.
// spec: alb.md 10.2.
[[nodiscard]] bool EnoughHealthy(const config::MinimumHealthy& minimum, std::uint32_t healthy,
                                 std::uint32_t registered);

// Fills in routable, weight_sums, slow_start, fail_open, healthy and registered of `status` from its targets. A group
// that is not in use lists every target as routable without failing open: nothing is known of them, and nobody asks.
void SummarizeGroup(const config::TargetGroup& group, GroupStatus& status);

// Fills in measured_healthy and healthy of every CALCULATED check from its children, disabled and inverted ones as
// records see them. A check that watches itself through others counts as healthy where the circle closes.
void CalculateChecks(const config::Model& model, std::vector<CheckStatus>& checks);

// A load balancer as an alias target; spec: dns.md 3.1. Groups with weight 0 count like the others; a load balancer
// that forwards to no group is healthy.
[[nodiscard]] LoadBalancerStatus SummarizeLoadBalancer(const config::LoadBalancer& load_balancer,
                                                       const config::Model& model,
                                                       const std::vector<GroupStatus>& groups);

}  // namespace weir::health
