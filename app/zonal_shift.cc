#include "app/zonal_shift.h"

#include "base/clock.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace weir::app {
namespace {

using Refused = std::unexpected<control::Refusal>;

Refused RefuseShift(control::RefusalKind kind, std::string message, std::string hint) {
  return Refused(control::Refusal{.kind = kind, .error = {std::move(message), std::move(hint)}, .diagnostics = {}});
}

bool HasNodeIn(const config::LoadBalancer& balancer, std::string_view zone) {
  return std::ranges::find(balancer.nodes, zone, &config::LoadBalancerNode::zone) != balancer.nodes.end();
}

bool IsConcerned(const config::LoadBalancer& balancer, std::string_view zone) {
  return balancer.attributes.zonal_shift && HasNodeIn(balancer, zone);
}

Refused RefuseUnknown(const config::Model& model, std::string_view zone) {
  std::vector<std::string_view> names(model.availability_zones.begin(), model.availability_zones.end());
  const auto near = NearestWord(zone, names);
  const std::string hint = names.empty()  ? "no load balancer has `zones`"
                           : near.empty() ? fmt::format("the zones: {}", fmt::join(names, ", "))
                                          : fmt::format("did you mean {}?", near);
  return RefuseShift(control::RefusalKind::kNotFound, fmt::format("no load balancer has a zone {}", zone), hint);
}

// A group whose requests nobody could take that is healthy; null: there is none.
const config::TargetGroup* GroupLeftAlone(const config::Model& model, const health::StatusTable& health,
                                          std::string_view zone) {
  for (std::size_t i = 0; i < std::min(model.target_groups.size(), health.groups.size()); ++i) {
    const config::TargetGroup& group = model.target_groups[i];
    if (std::ranges::find(group.shift_zones, zone) == group.shift_zones.end()) continue;
    const auto& targets = health.groups[i].targets;
    const auto takes_over = [zone](const health::TargetStatus& target) {
      return target.zone != zone && target.state == health::HealthState::kHealthy && !target.deregistered;
    };
    if (!targets.empty() && std::ranges::none_of(targets, takes_over)) return &group;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> BalancersShifted(const config::Model& model, std::string_view zone) {
  std::vector<std::string> out;
  for (const config::LoadBalancer& balancer : model.load_balancers) {
    if (IsConcerned(balancer, zone)) out.push_back(balancer.name);
  }
  return out;
}

bool CanBeLeft(const config::Model& model, std::string_view zone) {
  bool concerns = false;
  for (const config::LoadBalancer& balancer : model.load_balancers) {
    if (!IsConcerned(balancer, zone)) continue;
    concerns = true;
    if (balancer.nodes.size() < 2) return false;
  }
  return concerns;
}

std::expected<void, control::Refusal> CheckZonalShift(const config::Model& model, const health::StatusTable& health,
                                                      const std::optional<control::ZonalShift>& current,
                                                      const control::ZonalShiftChange& change) {
  const std::string& zone = change.zone;
  const bool known = std::ranges::any_of(model.load_balancers, [&](const auto& each) { return HasNodeIn(each, zone); });
  if (!known) return RefuseUnknown(model, zone);
  if (current && current->is_active()) {
    return RefuseShift(
        control::RefusalKind::kConflict,
        fmt::format("a zonal shift leads away from zone {} until {}", current->zone, FormatIso8601(current->expires)),
        "one zone at a time: cancel it first");
  }
  if (BalancersShifted(model, zone).empty()) {
    return RefuseShift(control::RefusalKind::kConflict, fmt::format("no load balancer lets zone {} be left", zone),
                       "set its attribute `zonal_shift.config.enabled: true`");
  }
  for (const config::LoadBalancer& balancer : model.load_balancers) {
    if (!IsConcerned(balancer, zone) || balancer.nodes.size() > 1) continue;
    return RefuseShift(control::RefusalKind::kConflict,
                       fmt::format("zone {} is the only one of load balancer {}", zone, balancer.name),
                       "a shift needs a zone to lead to");
  }
  if (change.force) return {};
  if (const auto* const group = GroupLeftAlone(model, health, zone)) {
    return RefuseShift(control::RefusalKind::kConflict,
                       fmt::format("target group {} has no healthy target outside of zone {}", group->name, zone),
                       "wait for one, or force the shift");
  }
  return {};
}

}  // namespace weir::app
