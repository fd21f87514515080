#pragma once

// What follows from the states of single targets and checks: who is routable, whether a group fails open, which
// calculated checks and load balancers are healthy. Pure functions over a table. Thread: any.

#include "config/model.h"
#include "health/status.h"

#include <cstdint>
#include <string_view>

namespace weir::health {

// True when `healthy` of `registered` targets are enough: neither the count nor the percentage asked for is missed.
// spec: alb.md 10.2.
[[nodiscard]] bool EnoughHealthy(const config::MinimumHealthy& minimum, std::uint32_t healthy,
                                 std::uint32_t registered);

// Fills in everything else of `status` from its targets. A group that is not in use lists every target as routable
// without failing open: nothing is known of them, and nobody asks. A zonal shift away from `shifted_zone` (empty: none)
// takes the targets of that zone out, as if they were not registered, unless the group has no others; spec:
// alb.md 10.3.
void SummarizeGroup(const config::TargetGroup& group, GroupStatus& status, std::string_view shifted_zone = {});

// Fills in measured_healthy and healthy of every CALCULATED check from its children, disabled and inverted ones as
// records see them. A check that watches itself through others counts as healthy where the circle closes.
void CalculateChecks(const config::Model& model, std::vector<CheckStatus>& checks);

// A load balancer as an alias target; spec: dns.md 3.1. Groups with weight 0 count like the others; a load balancer
// that forwards to no group is healthy.
// With zones, a group with cross-zone off is healthy when it is so for one of the nodes that are not shifted. A node is
// healthy when one of the groups is for it (alb.md 10.2). Of nodes that all are unhealthy each answers that is not
// shifted.
[[nodiscard]] LoadBalancerStatus SummarizeLoadBalancer(const config::LoadBalancer& load_balancer,
                                                       const config::Model& model,
                                                       const std::vector<GroupStatus>& groups,
                                                       std::string_view shifted_zone = {});

}  // namespace weir::health
