#include "health/status_rules.h"

#include "health/check_state.h"

#include <algorithm>
#include <variant>

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

bool GroupHealthy(const config::TargetGroup& group, const GroupStatus& status) {
  return status.registered > 0 && EnoughHealthy(group.dns_failover, status.healthy, status.registered);
}

bool RuleHealthy(const config::Rule& rule, const config::Model& model, const std::vector<GroupStatus>& groups) {
  const auto* forward = std::get_if<config::ForwardAction>(&rule.action);
  if (forward == nullptr) return true;
  return std::ranges::all_of(forward->target_groups, [&](const config::WeightedTargetGroup& weighted) {
    return GroupHealthy(model.target_groups[weighted.target_group], groups[weighted.target_group]);
  });
}

}  // namespace

bool EnoughHealthy(const config::MinimumHealthy& minimum, std::uint32_t healthy, std::uint32_t registered) {
  if (minimum.count && healthy < *minimum.count) return false;
  return !minimum.percentage || std::uint64_t{healthy} * 100 >= std::uint64_t{*minimum.percentage} * registered;
}

void SummarizeGroup(const config::TargetGroup& group, GroupStatus& status) {
  status.routable.clear();
  status.healthy = 0;
  status.registered = 0;
  for (const TargetStatus& target : status.targets) {
    if (target.deregistered) continue;
    ++status.registered;
    if (target.state == HealthState::kHealthy) ++status.healthy;
  }
  const bool enough = EnoughHealthy(group.unhealthy_state_routing, status.healthy, status.registered);
  for (std::uint32_t i = 0; i < status.targets.size(); ++i) {
    const TargetStatus& target = status.targets[i];
    if (target.deregistered || target.state == HealthState::kDraining) continue;
    const bool takes_all = !group.in_use || !enough;
    if (takes_all || target.state == HealthState::kHealthy) status.routable.push_back(i);
  }
  SumWeights(status);
  const auto started = [](const TargetStatus& target) { return target.slow_start_since != WallTime{}; };
  status.slow_start = std::ranges::any_of(status.targets, started);
  status.fail_open = group.in_use && !enough && !status.routable.empty();
}

void CalculateChecks(const config::Model& model, std::vector<CheckStatus>& checks) {
  std::vector<Visit> visits(checks.size(), Visit::kNot);
  for (std::uint32_t i = 0; i < checks.size(); ++i) Calculate(model, i, checks, visits);
}

LoadBalancerStatus SummarizeLoadBalancer(const config::LoadBalancer& load_balancer, const config::Model& model,
                                         const std::vector<GroupStatus>& groups) {
  const auto healthy = [&](const config::Rule& rule) { return RuleHealthy(rule, model, groups); };
  const bool all = std::ranges::all_of(load_balancer.listeners, [&](const config::Listener& listener) {
    return healthy(listener.default_rule) &&
           std::ranges::all_of(listener.rules, [&](const auto& rule) { return healthy(*rule); });
  });
  return {.healthy = all};
}

}  // namespace weir::health
