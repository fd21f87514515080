#include "health/status_rules.h"

#include "config/forwarding.h"
#include "health/check_state.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace weir::health {
namespace {

enum class Visit : std::uint8_t { kNot, kOpen, kDone };

void Calculate(const config::Model& model, std::uint32_t index, std::vector<CheckStatus>& checks,
               std::vector<Visit>& visits) {
  const config::HealthCheck& check = model.health_checks[index];
  if (check.type != config::HealthCheckType::kCalculated || visits[index] != Visit::kNot) return;
  visits[index] = Visit::kOpen;
  std::uint32_t healthy_children = 0;
  for (const std::uint32_t child : check.children) {
    Calculate(model, child, checks, visits);
    if (visits[child] == Visit::kOpen || checks[child].healthy) ++healthy_children;
  }
  CheckStatus& status = checks[index];
  status.measured_healthy = CalculatedHealthy(healthy_children, check.health_threshold);
  status.healthy = EffectiveHealthy(status.measured_healthy, check.disabled, check.inverted, status.admin_state);
  status.last_result =
      std::to_string(healthy_children) + " of " + std::to_string(check.children.size()) + " children are healthy";
  visits[index] = Visit::kDone;
}

// In parts of its weight: one that fails more than its peers keeps some of them.
std::uint32_t WeightOf(const TargetStatus& target) { return target.weight * target.anomaly.parts; }

void SumWeights(GroupStatus& status) {
  status.weight_sums.clear();
  const auto weight = [&](std::uint32_t target) { return WeightOf(status.targets[target]); };
  const auto& routable = status.routable;
  const auto differs = [&](std::uint32_t target) { return weight(target) != weight(routable.front()); };
  if (std::ranges::none_of(routable, differs)) return;
  std::uint32_t sum = 0;
  for (const std::uint32_t target : routable) status.weight_sums.push_back(sum += weight(target));
}

void JudgeNodes(const config::LoadBalancer& load_balancer, const config::Model& model,
                const std::vector<GroupStatus>& groups, std::string_view shifted_zone, LoadBalancerStatus& out) {
  bool any_answers = false;
  for (const config::LoadBalancerNode& node : load_balancer.nodes) {
    bool forwards = false;
    bool healthy = false;
    EachForwardedGroup(load_balancer, [&](std::uint32_t group) {
      forwards = true;
      healthy = StatusOfNode(load_balancer, node, model.target_groups[group], groups[group]).healthy_for_dns;
      return !healthy;
    });
    const bool shifted = load_balancer.attributes.zonal_shift && node.zone == shifted_zone;
    out.nodes.push_back({.healthy = healthy || !forwards, .shifted = shifted, .answers = false});
    out.nodes.back().answers = out.nodes.back().healthy && !shifted;
    any_answers = any_answers || out.nodes.back().answers;
  }
  if (any_answers) return;
  for (NodeStatus& node : out.nodes) node.answers = !node.shifted;
}

// Which of the targets count: those of `zone` and not of `shifted_zone`; empty: that does not matter.
struct Scope {
  std::string_view zone;
  std::string_view shifted_zone;
  [[nodiscard]] bool Holds(const TargetStatus& target) const {
    if (!zone.empty() && target.zone != zone) return false;
    return shifted_zone.empty() || target.zone != shifted_zone;
  }
};

// Fills in `status`, whose targets are all of the group.
void Summarize(const config::TargetGroup& group, const Scope& scope, GroupStatus& status) {
  status.routable.clear();
  status.healthy = 0;
  status.registered = 0;
  status.slow_start = false;
  std::uint32_t healthy = 0;
  std::uint32_t registered = 0;
  for (const TargetStatus& target : status.targets) {
    status.slow_start = status.slow_start || target.slow_start_since != WallTime{};
    if (target.deregistered || !(Scope{scope.zone, {}}.Holds(target))) continue;
    const bool is_healthy = target.counts_as_healthy();
    ++status.registered;
    if (is_healthy) ++status.healthy;
    if (!scope.Holds(target)) continue;
    ++registered;
    if (is_healthy) ++healthy;
  }
  status.healthy_for_dns = registered > 0 && EnoughHealthy(group.dns_failover, healthy, registered);
  const bool enough = EnoughHealthy(group.unhealthy_state_routing, healthy, registered);
  const bool takes_all = !group.in_use || !enough;
  for (std::uint32_t i = 0; i < status.targets.size(); ++i) {
    const TargetStatus& target = status.targets[i];
    if (target.deregistered || target.state == HealthState::kDraining || !scope.Holds(target)) continue;
    if (takes_all || target.counts_as_healthy()) status.routable.push_back(i);
  }
  SumWeights(status);
  status.fail_open = group.in_use && !enough && !status.routable.empty();
}

// A shift away from a zone without which the group has nothing is none.
bool IsShifted(const config::TargetGroup& group, const GroupStatus& status, std::string_view zone) {
  if (zone.empty() || std::ranges::find(group.shift_zones, zone) == group.shift_zones.end()) return false;
  return std::ranges::any_of(status.targets,
                             [&](const TargetStatus& target) { return !target.deregistered && target.zone != zone; });
}

}  // namespace

bool EnoughHealthy(const config::MinimumHealthy& minimum, std::uint32_t healthy, std::uint32_t registered) {
  if (minimum.count && healthy < *minimum.count) return false;
  return !minimum.percentage || std::uint64_t{healthy} * 100 >= std::uint64_t{*minimum.percentage} * registered;
}

void SummarizeGroup(const config::TargetGroup& group, GroupStatus& status, std::string_view shifted_zone) {
  const bool shifted = IsShifted(group, status, shifted_zone);
  const auto kind = group.node_zones.empty() ? ZonalOverride::kShiftActive : ZonalOverride::kDelegatedToDns;
  for (TargetStatus& target : status.targets) {
    target.zonal_override = shifted && target.zone == shifted_zone ? kind : ZonalOverride::kNone;
  }
  status.by_zone.clear();
  Summarize(group, {.zone = {}, .shifted_zone = shifted ? shifted_zone : std::string_view()}, status);
  // Those that the shift leads away from keep what they have: where cross-zone is off, only DNS obeys it.
  const std::vector<TargetStatus>& targets = status.targets;
  std::vector<GroupStatus> by_zone;
  for (const std::string& zone : group.node_zones) {
    GroupStatus& node = by_zone.emplace_back();
    node.targets = targets;
    node.node = static_cast<std::uint32_t>(by_zone.size());
    Summarize(group, {.zone = zone, .shifted_zone = {}}, node);
  }
  status.by_zone = std::move(by_zone);
}

void CalculateChecks(const config::Model& model, std::vector<CheckStatus>& checks) {
  std::vector<Visit> visits(checks.size(), Visit::kNot);
  for (std::uint32_t i = 0; i < checks.size(); ++i) Calculate(model, i, checks, visits);
}

LoadBalancerStatus SummarizeLoadBalancer(const config::LoadBalancer& load_balancer, const config::Model& model,
                                         const std::vector<GroupStatus>& groups, std::string_view shifted_zone) {
  LoadBalancerStatus out;
  JudgeNodes(load_balancer, model, groups, shifted_zone, out);
  const auto healthy_in_a_zone = [&](const config::TargetGroup& group, const GroupStatus& status) {
    for (std::size_t i = 0; i < out.nodes.size(); ++i) {
      if (out.nodes[i].shifted) continue;
      if (StatusOfNode(load_balancer, load_balancer.nodes[i], group, status).healthy_for_dns) return true;
    }
    return false;
  };
  EachForwardedGroup(load_balancer, [&](std::uint32_t index) {
    const config::TargetGroup& group = model.target_groups[index];
    const bool by_zone = !load_balancer.nodes.empty() && !CrossesZones(load_balancer.attributes, group);
    out.healthy = by_zone ? healthy_in_a_zone(group, groups[index]) : groups[index].healthy_for_dns;
    return out.healthy;
  });
  return out;
}

}  // namespace weir::health
