// Building a zone: where its aliases lead. They come to an end: the configuration is checked.

#include "base/check.h"
#include "config/limits.h"
#include "dns/rrset.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"
#include "dns/zone/zone_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weir::dns {
namespace {

// What answering follows: CNAMEs, and aliases behind each of them.
constexpr std::uint32_t kFollowedMax = (std::uint32_t{kCnameChainMax} + 1) * (config::kAliasDepthMax + 1);

// Whether the policy itself looks at where the client is.
bool AsksForClient(config::RoutingPolicy policy) {
  return policy == config::RoutingPolicy::kLatency || policy == config::RoutingPolicy::kCidr ||
         policy == config::RoutingPolicy::kGeolocation || policy == config::RoutingPolicy::kGeoproximity;
}

}  // namespace

void ZoneBuilder::ResolveAliases() {
  for (const Group& group : zone_->groups_) {
    for (Member& member : std::span(zone_->members_).subspan(group.first_member, group.member_count)) {
      if (member.alias == AliasKind::kRecord) ResolveAlias(group, member);
    }
  }
}

// The configuration is checked: the target is there.
void ZoneBuilder::ResolveAlias(const Group& group, Member& member) {
  const Name name = CheckedName(zone_->record_of(member)->alias->record);
  HashedName hashed;
  hashed.Assign(name.wire());
  const auto node = zone_->FindExact(hashed);
  const Group* const target = node ? zone_->FindGroup(*node, group.type) : nullptr;
  WEIR_CHECK(target != nullptr);
  member.alias_target = static_cast<std::uint32_t>(target - zone_->groups_.data());
  if (!member.evaluate_target_health) return;
  Group& remembered = zone_->groups_[member.alias_target];
  if (remembered.health_slot == kNoIndex) remembered.health_slot = zone_->health_slot_count_++;
}

void ZoneBuilder::MarkDrawsByClient() {
  std::vector<ClientUse> uses(zone_->groups_.size(), ClientUse::kUnknown);
  for (std::uint32_t i = 0; i < uses.size(); ++i) DependsOnClient(i, 0, uses);
}

// Whether who asks makes a difference to the answer of a group or of what its CNAMEs lead to in the zone. `depth` is
// that of the recursion; past what answering follows, the answer is yes.
bool ZoneBuilder::DependsOnClient(std::uint32_t index, std::uint32_t depth, std::span<ClientUse> uses) {
  if (uses[index] != ClientUse::kUnknown) return uses[index] == ClientUse::kYes;
  if (depth > kFollowedMax) return true;
  uses[index] = ClientUse::kNo;  // where CNAMEs lead in a circle
  Group& group = zone_->groups_[index];
  bool behind = false;
  bool draws_behind = false;
  for (const Member& member : zone_->members_of(group)) {
    if (member.alias == AliasKind::kRecord) {
      behind = DependsOnClient(member.alias_target, depth + 1, uses) || behind;
      draws_behind = draws_behind || zone_->groups_[member.alias_target].draws_by_client;
    } else if (group.type == rr::kCname && member.values.count > 0) {
      behind = TargetDependsOnClient(member, depth + 1, uses) || behind;
    }
  }
  group.draws_by_client =
      (behind && group.policy == config::RoutingPolicy::kWeighted) || (draws_behind && group.type == rr::kCname);
  const bool itself = AsksForClient(group.policy);
  uses[index] = behind || itself ? ClientUse::kYes : ClientUse::kNo;
  return behind || itself;
}

bool ZoneBuilder::TargetDependsOnClient(const Member& member, std::uint32_t depth, std::span<ClientUse> uses) {
  const std::uint8_t* at = zone_->rdata() + member.values.offset;
  const auto name = Name::FromWire(NextValue(at));
  if (!name.IsWithin(name_)) return false;
  HashedName hashed;
  hashed.Assign(name.wire());
  const NodeMatch match = zone_->FindNode(hashed, false);
  if (match.kind != NodeMatch::Kind::kFound) return false;
  const Node& node = zone_->nodes_[match.node];
  bool depends = false;
  for (std::uint32_t i = 0; i < node.group_count; ++i) {
    depends = DependsOnClient(node.first_group + i, depth, uses) || depends;
  }
  return depends;
}

}  // namespace weir::dns
