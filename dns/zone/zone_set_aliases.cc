// Building a zone set: where its aliases lead, and that they come to an end.

#include "dns/wire/name.h"
#include "dns/wire/types.h"
#include "dns/zone/zone_set_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weir::dns {
namespace {

constexpr std::uint32_t kAliasDepthMax = 100;  // our choice: health looks through aliases by recursion

}  // namespace

void ZoneSetBuilder::ResolveAliases() {
  for (Group& group : set_->groups_) {
    for (Member& member : std::span(set_->members_).subspan(group.first_member, group.member_count)) {
      if (member.alias == AliasKind::kRecord) ResolveAlias(group, member);
    }
  }
}

void ZoneSetBuilder::ResolveAlias(Group& group, Member& member) {
  const config::RecordSet& record = *set_->record_of(group, member);
  const std::uint32_t zone = set_->nodes_[group.node].zone;
  const auto name = Name::Parse(record.alias->record);
  if (!name) {
    Fail(record.alias->position, "alias: " + name.error().message, name.error().hint);
    return;
  }
  HashedName hashed;
  hashed.Assign(name->wire());
  const auto match = name->IsWithin(Name::FromWire(set_->name_of(set_->nodes_[set_->zones_[zone].node])))
                         ? set_->FindNode(zone, hashed, false)
                         : NodeMatch{};
  const Group* target = match.kind == NodeMatch::Kind::kFound ? set_->FindGroup(match.node, group.type) : nullptr;
  if (target == nullptr) {
    Fail(record.alias->position,
         "the alias of '" + record.name + "' leads to '" + record.alias->record + "', which has no " +
             TypeName(group.type) + " record in this zone",
         "alias to a record of the same zone and type");
    return;
  }
  member.alias_target = static_cast<std::uint32_t>(target - set_->groups_.data());
  if (!member.evaluate_target_health) return;
  Group& remembered = set_->groups_[member.alias_target];
  if (remembered.health_slot == kNoIndex) remembered.health_slot = set_->health_slot_count_++;
}

// Depth first with an explicit stack: the depth is the configuration's.
void ZoneSetBuilder::CheckAliasCycles() {
  if (!findings_.empty()) return;  // alias targets may be unset
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(set_->groups_.size(), Mark::kNew);
  std::vector<std::uint32_t> depths(set_->groups_.size(), 0);  // aliases from here to the farthest end
  struct Visit {
    std::uint32_t group;
    std::uint32_t next_member;
  };
  std::vector<Visit> path;
  const auto open = [&](std::uint32_t group) {
    marks[group] = Mark::kOpen;
    path.push_back({group, 0});
  };
  for (std::uint32_t start = 0; start < marks.size(); ++start) {
    if (marks[start] != Mark::kNew) continue;
    open(start);
    while (!path.empty()) {
      Visit& visit = path.back();
      const Group& group = set_->groups_[visit.group];
      if (visit.next_member == group.member_count) {
        marks[visit.group] = Mark::kDone;
        CheckAliasDepth(group, depths);
        path.pop_back();
        continue;
      }
      const Member& member = set_->members_[group.first_member + visit.next_member++];
      if (member.alias != AliasKind::kRecord) continue;
      if (marks[member.alias_target] == Mark::kOpen) {
        const config::RecordSet& record = *set_->record_of(group, member);
        Fail(record.alias->position, "the alias of '" + record.name + "' leads back to itself",
             "end the chain in a record with values or in a load balancer");
      } else if (marks[member.alias_target] == Mark::kNew) {
        open(member.alias_target);
      }
    }
  }
}

void ZoneSetBuilder::CheckAliasDepth(const Group& group, std::span<std::uint32_t> depths) {
  std::uint32_t& depth = depths[static_cast<std::size_t>(&group - set_->groups_.data())];
  for (const Member& member : set_->members_of(group)) {
    if (member.alias != AliasKind::kRecord) continue;
    const bool was_short = depth <= kAliasDepthMax;
    depth = std::max(depth, depths[member.alias_target] + 1);
    if (!was_short || depth != kAliasDepthMax + 1) continue;
    const config::RecordSet& record = *set_->record_of(group, member);
    Fail(record.alias->position, "more than 100 aliases follow each other from '" + record.name + "'",
         "alias nearer to the records with values");
  }
}

void ZoneSetBuilder::MarkDrawsByClient() {
  if (!findings_.empty()) return;  // aliases may lead in circles
  std::vector<ClientUse> uses(set_->groups_.size(), ClientUse::kUnknown);
  for (std::uint32_t i = 0; i < uses.size(); ++i) DependsOnClient(i, 0, uses);
}

// Whether who asks makes a difference to the answer of a group or of what its CNAMEs lead to in the zone. `depth` is
// that of the recursion; past what answering follows, the answer is yes.
bool ZoneSetBuilder::DependsOnClient(std::uint32_t index, std::uint32_t depth, std::span<ClientUse> uses) {
  if (uses[index] != ClientUse::kUnknown) return uses[index] == ClientUse::kYes;
  if (depth > 2 * kAliasDepthMax) return true;
  uses[index] = ClientUse::kNo;  // where CNAMEs lead in a circle
  Group& group = set_->groups_[index];
  bool behind = false;
  bool draws_behind = false;
  for (const Member& member : set_->members_of(group)) {
    if (member.alias == AliasKind::kRecord) {
      behind = DependsOnClient(member.alias_target, depth + 1, uses) || behind;
      draws_behind = draws_behind || set_->groups_[member.alias_target].draws_by_client;
    } else if (group.type == rr::kCname && member.values.count > 0) {
      behind = TargetDependsOnClient(group, member, depth + 1, uses) || behind;
    }
  }
  group.draws_by_client =
      (behind && group.policy == config::RoutingPolicy::kWeighted) || (draws_behind && group.type == rr::kCname);
  const bool itself = group.policy == config::RoutingPolicy::kLatency || group.policy == config::RoutingPolicy::kCidr;
  uses[index] = behind || itself ? ClientUse::kYes : ClientUse::kNo;
  return behind || itself;
}

bool ZoneSetBuilder::TargetDependsOnClient(const Group& cname, const Member& member, std::uint32_t depth,
                                           std::span<ClientUse> uses) {
  const std::uint32_t zone = set_->nodes_[cname.node].zone;
  const std::uint8_t* at = set_->rdata().data() + member.values.offset;
  const auto name = Name::FromWire(NextValue(at));
  if (!name.IsWithin(Name::FromWire(set_->name_of(set_->nodes_[set_->zones_[zone].node])))) return false;
  HashedName hashed;
  hashed.Assign(name.wire());
  const NodeMatch match = set_->FindNode(zone, hashed, false);
  if (match.kind != NodeMatch::Kind::kFound) return false;
  const Node& node = set_->nodes_[match.node];
  bool depends = false;
  for (std::uint32_t i = 0; i < node.group_count; ++i) {
    depends = DependsOnClient(node.first_group + i, depth, uses) || depends;
  }
  return depends;
}

}  // namespace weir::dns
