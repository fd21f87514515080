#include "dns/zone/zone_set.h"

#include "dns/policy/cidr_table.h"
#include "dns/policy/geo_database.h"
#include "dns/policy/latency_table.h"
#include "dns/wire/types.h"
#include "dns/zone/name_table.h"

#include <algorithm>

namespace weir::dns {

ZoneSet::ZoneSet() = default;
ZoneSet::~ZoneSet() = default;

std::optional<std::uint32_t> ZoneSet::FindZone(const HashedName& name, bool ds) const {
  if (places_.empty()) return std::nullopt;
  for (std::size_t depth = name.labels() + 1; depth-- > 0;) {
    const auto suffix = name.suffix(depth);
    const auto zone = FindSlot(zone_slots_, name.suffix_hash(depth),
                               [&](std::uint32_t index) { return std::ranges::equal(places_[index].name, suffix); });
    if (!zone) continue;
    if (!ds || depth != name.labels() || depth == 0) return zone;
    // The parent's side of the cut, if the parent is ours; this zone's apex otherwise.
    for (std::size_t above = depth; above-- > 0;) {
      const auto parent = FindSlot(zone_slots_, name.suffix_hash(above), [&](std::uint32_t index) {
        return std::ranges::equal(places_[index].name, name.suffix(above));
      });
      if (parent) return parent;
    }
    return zone;
  }
  return std::nullopt;
}

RdataList ZoneSet::load_balancer_values(std::uint32_t load_balancer, std::uint16_t type) const {
  if (type == rr::kA) return load_balancer_values_[load_balancer][0];
  if (type == rr::kAaaa) return load_balancer_values_[load_balancer][1];
  return {};
}

RdataList ZoneSet::node_values(std::uint32_t load_balancer, std::size_t node, std::uint16_t type) const {
  if (type == rr::kA) return node_values_[load_balancer][node][0];
  if (type == rr::kAaaa) return node_values_[load_balancer][node][1];
  return {};
}

std::size_t ZoneSet::memory_bytes() const {
  const auto bytes = [](const auto& values) { return values.capacity() * sizeof(values[0]); };
  std::size_t total =
      bytes(zone_slots_) + bytes(places_) + bytes(zones_) + bytes(load_balancer_values_) + bytes(load_balancer_rdata_);
  for (const auto& zone : zones_) total += zone->memory_bytes();
  return total;
}

}  // namespace weir::dns
