#include "dns/zone/zone_set.h"

#include "dns/policy/cidr_table.h"
#include "dns/policy/geo_database.h"
#include "dns/policy/latency_table.h"
#include "dns/wire/types.h"
#include "dns/zone/name_table.h"

#include <algorithm>

namespace weir::dns {
namespace {

constexpr std::array<std::uint8_t, 1> kWildcardLabel = {'*'};

}  // namespace

ZoneSet::ZoneSet() = default;
ZoneSet::~ZoneSet() = default;

std::optional<std::uint32_t> ZoneSet::FindZone(const HashedName& name, bool ds) const {
  if (zones_.empty()) return std::nullopt;
  for (std::size_t depth = name.labels() + 1; depth-- > 0;) {
    const auto suffix = name.suffix(depth);
    const auto zone = FindSlot(zone_slots_, name.suffix_hash(depth), [&](std::uint32_t index) {
      return std::ranges::equal(name_of(nodes_[zones_[index].node]), suffix);
    });
    if (!zone) continue;
    if (!ds || depth != name.labels() || depth == 0) return zone;
    // The parent's side of the cut, if the parent is ours; this zone's apex otherwise.
    for (std::size_t above = depth; above-- > 0;) {
      const auto parent = FindSlot(zone_slots_, name.suffix_hash(above), [&](std::uint32_t index) {
        return std::ranges::equal(name_of(nodes_[zones_[index].node]), name.suffix(above));
      });
      if (parent) return parent;
    }
    return zone;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> ZoneSet::FindHashed(std::uint32_t zone, std::uint64_t hash,
                                                 std::span<const std::uint8_t> name) const {
  return FindSlot(node_slots_, NodeHash(zone, hash), [&](std::uint32_t index) {
    return nodes_[index].zone == zone && std::ranges::equal(name_of(nodes_[index]), name);
  });
}

std::optional<std::uint32_t> ZoneSet::FindExact(std::uint32_t zone, const HashedName& name) const {
  return FindHashed(zone, name.suffix_hash(name.labels()), name.wire());
}

std::optional<std::uint32_t> ZoneSet::FindWildcard(std::uint32_t zone, const HashedName& name,
                                                   std::size_t depth) const {
  const auto encloser = name.suffix(depth);
  const std::uint64_t hash = HashedName::Extend(name.suffix_hash(depth), kWildcardLabel);
  return FindSlot(node_slots_, NodeHash(zone, hash), [&](std::uint32_t index) {
    const auto stored = name_of(nodes_[index]);
    return nodes_[index].zone == zone && stored.size() == encloser.size() + 2 && stored[0] == 1 && stored[1] == '*' &&
           std::ranges::equal(stored.subspan(2), encloser);
  });
}

void ZoneSet::PrefetchSlot(std::uint64_t node_hash) const {
  __builtin_prefetch(&node_slots_[node_hash & (node_slots_.size() - 1)]);
}

std::optional<std::uint32_t> ZoneSet::LikelyNode(std::uint64_t node_hash) const {
  return FindSlot(node_slots_, node_hash, [](std::uint32_t /*index*/) { return true; });
}

NodeMatch ZoneSet::FindNode(std::uint32_t zone, const HashedName& name, bool ds) const {
  using enum NodeMatch::Kind;
  const ZoneApex& apex = zones_[zone];
  if (apex.has_delegations) {
    // From the top: what lies below a zone cut is not ours, even when it is written in the zone. A question about the
    // cut itself that belongs to the parent (DS) is answered here.
    for (std::size_t depth = apex.labels + 1U; depth <= name.labels(); ++depth) {
      if (ds && depth == name.labels()) break;
      const auto node = FindHashed(zone, name.suffix_hash(depth), name.suffix(depth));
      if (!node) break;
      if (nodes_[*node].delegation) return {kDelegation, false, *node};
    }
  }
  if (const auto node = FindExact(zone, name)) return {kFound, false, *node};
  // The closest encloser is the longest ancestor that exists; only a wildcard right below it counts (RFC 4592 3.3.1).
  for (std::size_t depth = name.labels(); depth-- > apex.labels;) {
    if (depth != apex.labels && !FindHashed(zone, name.suffix_hash(depth), name.suffix(depth))) continue;
    if (const auto node = FindWildcard(zone, name, depth)) return {kFound, true, *node};
    break;
  }
  return {};
}

const Group* ZoneSet::FindGroup(std::uint32_t node, std::uint16_t type) const {
  const auto groups = groups_of(nodes_[node]);
  const auto found = std::ranges::find(groups, type, &Group::type);
  return found == groups.end() ? nullptr : &*found;
}

RdataList ZoneSet::load_balancer_values(std::uint32_t load_balancer, std::uint16_t type) const {
  if (type == rr::kA) return load_balancer_values_[load_balancer][0];
  if (type == rr::kAaaa) return load_balancer_values_[load_balancer][1];
  return {};
}

const config::RecordSet* ZoneSet::record_of(const Group& group, const Member& member) const {
  if (member.record == kNoIndex) return nullptr;
  return &model_->zones[nodes_[group.node].zone].records[member.record];
}

std::size_t ZoneSet::memory_bytes() const {
  const auto bytes = [](const auto& values) { return values.capacity() * sizeof(values[0]); };
  return bytes(zones_) + bytes(zone_slots_) + bytes(node_slots_) + bytes(nodes_) + bytes(groups_) + bytes(members_) +
         bytes(names_) + bytes(rdata_) + bytes(load_balancer_values_);
}

}  // namespace weir::dns
