#pragma once

// What the health engine publishes and everybody else reads: an immutable table of every target, target group, DNS
// health check and load balancer of one configuration revision. proxy and dns read health only through this header and
// observation.h.

#include "base/clock.h"
#include "base/ip_address.h"
#include "health/anomaly.h"
#include "health/observation.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {
struct LoadBalancer;
struct LoadBalancerNode;
struct TargetGroup;
}  // namespace weir::config

namespace weir::health {

// ELBv2's target states; spec: alb.md section 11.
enum class HealthState : std::uint8_t { kInitial, kHealthy, kUnhealthy, kUnused, kDraining, kUnavailable };

// ELBv2's reason codes.
enum class HealthReason : std::uint8_t {
  kNone,
  kRegistrationInProgress,    // Elb.RegistrationInProgress
  kInitialHealthChecking,     // Elb.InitialHealthChecking
  kInternalError,             // Elb.InternalError
  kResponseCodeMismatch,      // Target.ResponseCodeMismatch
  kTimeout,                   // Target.Timeout
  kFailedHealthChecks,        // Target.FailedHealthChecks
  kNotRegistered,             // Target.NotRegistered
  kNotInUse,                  // Target.NotInUse
  kDeregistrationInProgress,  // Target.DeregistrationInProgress
  kHealthCheckDisabled,       // Target.HealthCheckDisabled
};

// What an operator forced; kMeasured is no override.
enum class AdminState : std::uint8_t { kMeasured, kHealthy, kUnhealthy, kDraining };

// `healthy`, `Target.Timeout`, `draining` as the APIs spell them. kNone gives an empty text.
[[nodiscard]] std::string_view ToString(HealthState state);
[[nodiscard]] std::string_view ToString(HealthReason reason);
[[nodiscard]] std::string_view ToString(AdminState state);

// Whether a zonal shift takes requests away from a target; ELBv2's administrative override, which has nothing to do
// with its health. spec: alb.md 10.3.
enum class ZonalOverride : std::uint8_t {
  kNone,            // no_override
  kShiftActive,     // zonal_shift_active: it gets no new requests
  kDelegatedToDns,  // zonal_shift_delegated_to_dns: with cross-zone off its node keeps it, but no alias answers the
                    // node
};
[[nodiscard]] std::string_view ToString(ZonalOverride zonal_override);

// One target of one group: a configured address, or one address that a configured host name resolved to.
struct TargetStatus {
  Endpoint endpoint;                          // of a function: none
  std::string zone;                           // may be empty
  std::string host;                           // the host name it was resolved from; may be empty
  HealthState state = HealthState::kInitial;  // with the override applied
  HealthReason reason = HealthReason::kNone;
  std::string description;  // `Health checks failed with these codes: [503]`; may be empty
  WallTime since;           // when `state` was entered
  AdminState admin_state = AdminState::kMeasured;
  HealthState measured_state = HealthState::kInitial;  // without the override
  bool deregistered = false;  // removed by a reload and draining until its deregistration delay ends
  ZonalOverride zonal_override = ZonalOverride::kNone;
  // When it began to take a growing share of the requests (spec: alb.md 8.1), which ends by the group's slow start; the
  // epoch: it did not.
  WallTime slow_start_since;
  std::uint16_t weight = 1;  // as configured
  Anomaly anomaly;           // spec: alb.md 8.3
  std::shared_ptr<TargetObservations>
      observations;           // what the workers saw; the same object for the same group and endpoint
  std::string function = {};  // what it is called (config::FunctionId) where it is one; empty: an endpoint
  // As others show it.
  [[nodiscard]] std::string id() const { return function.empty() ? endpoint.ToString() : function; }
  // It takes requests by its health: functions without checks do, whose state is `unavailable`.
  [[nodiscard]] bool counts_as_healthy() const {
    return state == HealthState::kHealthy || reason == HealthReason::kHealthCheckDisabled;
  }
};

// A target given by name whose last look-up gave no address.
struct UnresolvedHost {
  std::string host;
  std::uint16_t port = 0;
  std::string reason;                // `Domain name not found`, `not resolved yet`
  std::uint32_t addresses_kept = 0;  // from an earlier look-up; they are targets still
};

// One target group. Its index in StatusTable::groups is its index in config::Model::target_groups.
struct GroupStatus {
  std::vector<TargetStatus> targets;
  std::vector<UnresolvedHost> unresolved;  // in the order of the file
  // Indexes into `targets` that take new requests, in the order of the file: the healthy ones, or every registered one
  // that is not draining when fewer are healthy than unhealthy_state_routing asks for (fail-open). Empty: there is
  // nothing to send to (503).
  std::vector<std::uint32_t> routable;
  // By position in `routable`: how much it and those before it weigh. Empty: they all weigh the same.
  std::vector<std::uint32_t> weight_sums;
  bool fail_open = false;
  bool slow_start = false;       // a target has a slow_start_since
  bool healthy_for_dns = true;   // as many are healthy as dns_failover asks for, and there is one
  std::uint32_t node = 0;        // in `by_zone`: its index there and 1
  std::uint32_t healthy = 0;     // by state, overrides applied
  std::uint32_t registered = 0;  // without the deregistered ones
  // The same as seen by nodes that use only targets of their own zone (cross-zone off), by
  // config::TargetGroup::node_zones: the targets are all of them at the same indexes, everything else is of the zone.
  std::vector<GroupStatus> by_zone;
};

// One DNS health check. Its index in StatusTable::checks is its index in config::Model::health_checks.
struct CheckStatus {
  bool healthy = true;           // what records see: override, else (disabled ? true : measured) xor inverted
  bool measured_healthy = true;  // before disabled, inverted and override
  AdminState admin_state = AdminState::kMeasured;  // never kDraining
  WallTime since;                                  // when `healthy` last changed
  std::string last_result;                         // `HTTP 200`, `connection refused`; empty before the first
};

// One node of a load balancer; spec: alb.md 10.2, 10.3.
struct NodeStatus {
  bool healthy = true;   // a group that its load balancer forwards to has enough healthy targets for it
  bool shifted = false;  // a zonal shift leads away from it
  bool answers = true;   // aliases answer its addresses: it is healthy, or no other is (fail-open), and not shifted
};

// One load balancer as an alias target: healthy when every target group that its rules use and that has targets has
// enough healthy ones; a group without targets is unhealthy (spec: dns.md 3.1).
// With zones one healthy zone is enough for a group with cross-zone off.
struct LoadBalancerStatus {
  bool healthy = true;
  std::vector<NodeStatus> nodes;  // by config::LoadBalancer::nodes
};

// What a node of `balancer` uses of a group with `settings`: its zone's part of `status` with cross-zone off, else all
// of it; spec: alb.md 10.1. Thread: any.
[[nodiscard]] const GroupStatus& StatusOfNode(const config::LoadBalancer& balancer,
                                              const config::LoadBalancerNode& node, const config::TargetGroup& settings,
                                              const GroupStatus& status);

struct StatusTable {
  std::uint64_t revision = 0;    // of the configuration it belongs to
  std::uint64_t generation = 0;  // grows by one with each publication
  std::vector<GroupStatus> groups;
  std::vector<CheckStatus> checks;
  std::vector<LoadBalancerStatus> load_balancers;
  std::string shifted_zone;  // which a zonal shift leads away from; empty: none is under way
};

}  // namespace weir::health
