// Where load balancers and targets stand; spec: alb.md 10.

#include "base/text.h"
#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/findings.h"
#include "config/forwarding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weir::config {
namespace {

// The groups that a load balancer forwards to, each once.
std::vector<std::uint32_t> GroupsOf(const LoadBalancer& balancer) {
  std::vector<std::uint32_t> out;
  EachForwardedGroup(balancer, [&out](std::uint32_t group) { out.push_back(group); });
  std::ranges::sort(out);
  const auto rest = std::ranges::unique(out);
  out.erase(rest.begin(), rest.end());
  return out;
}

void AddOnce(const std::string& zone, std::vector<std::string>& zones) {
  if (std::ranges::find(zones, zone) == zones.end()) zones.push_back(zone);
}

std::string IdOf(const Target& target) {
  return fmt::format("{} port {}", target.address ? target.address->ToString() : target.host, target.port);
}

// Targets that could be read.
bool IsWhole(const Target& target) { return target.port != 0 && (target.address || !target.host.empty()); }

// Nodes of `balancer` use only targets of `group` that stand in their own zone.
void CheckOwnTargets(const LoadBalancer& balancer, const TargetGroup& group, Findings& findings) {
  for (const LoadBalancerNode& node : balancer.nodes) {
    if (group.targets.empty() || std::ranges::find(group.targets, node.zone, &Target::zone) != group.targets.end()) {
      continue;
    }
    findings.AddWarning(node.position,
                        fmt::format("target group {} has no targets in zone {}, and cross-zone is off",
                                    Quoted(group.name), Quoted(node.zone)),
                        "requests for it that come in here are answered 503");
  }
  for (const Target& target : group.targets) {
    if (target.zone.empty() || !IsWhole(target)) continue;
    if (std::ranges::find(balancer.nodes, target.zone, &LoadBalancerNode::zone) != balancer.nodes.end()) continue;
    findings.AddWarning(target.position,
                        fmt::format("load balancer {} has no node in zone {}, and cross-zone is off",
                                    Quoted(balancer.name), Quoted(target.zone)),
                        "the target gets no requests from it");
  }
}

void CheckTargetZones(const TargetGroup& group, Findings& findings) {
  for (const Target& target : group.targets) {
    if (!target.zone.empty() || !IsWhole(target)) continue;
    findings.AddError(
        target.position,
        fmt::format("{} of {} stands in no zone, and cross-zone is off", IdOf(target), Quoted(group.name)),
        "`zone`: where cross-zone is off, each target stands in one");
  }
}

}  // namespace

void CheckAvailabilityZones(Model& model, Findings& findings) {
  std::vector<std::vector<std::uint32_t>> groups_of;
  for (LoadBalancer& balancer : model.load_balancers) {
    const auto& groups = groups_of.emplace_back(GroupsOf(balancer));
    const auto keeps_zone = [&](std::uint32_t group) {
      return !CrossesZones(balancer.attributes, model.target_groups[group]);
    };
    const auto first = std::ranges::find_if(groups, keeps_zone);
    if (first != groups.end() && balancer.nodes.empty() && !model.node.zone.empty()) {
      balancer.nodes.push_back({.zone = model.node.zone,
                                .addresses = balancer.addresses,
                                .advertise = balancer.advertise,
                                .position = balancer.position});
    }
    if (first != groups.end() && balancer.nodes.empty()) {
      findings.AddError(balancer.position,
                        fmt::format("load balancer {} has no zones, and cross-zone is off for target group {}",
                                    Quoted(balancer.name), Quoted(model.target_groups[*first].name)),
                        "`zones`, or `node: {zone: NAME}` where this is the node of one zone");
      continue;
    }
    for (const LoadBalancerNode& node : balancer.nodes) AddOnce(node.zone, model.availability_zones);
    for (const std::uint32_t index : groups) {
      if (keeps_zone(index)) CheckOwnTargets(balancer, model.target_groups[index], findings);
    }
  }
  for (std::size_t i = 0; i < groups_of.size(); ++i) {
    LoadBalancer& balancer = model.load_balancers[i];
    for (LoadBalancerNode& node : balancer.nodes) {
      const auto found = std::ranges::find(model.availability_zones, node.zone);
      node.zone_index = static_cast<std::uint32_t>(found - model.availability_zones.begin());
    }
    for (const std::uint32_t index : groups_of[i]) {
      TargetGroup& group = model.target_groups[index];
      if (!CrossesZones(balancer.attributes, group) && group.node_zones.empty()) {
        group.node_zones = model.availability_zones;
        if (group.stickiness.enabled) {
          findings.AddError(group.stickiness.position,
                            fmt::format("{} is sticky, and cross-zone is off for it", Quoted(group.name)),
                            "a node does not know the targets of other zones; turn one of both off");
        }
        CheckTargetZones(group, findings);
      }
      if (!balancer.attributes.zonal_shift) continue;
      for (const LoadBalancerNode& node : balancer.nodes) AddOnce(node.zone, group.shift_zones);
    }
  }
}

}  // namespace weir::config
