#include "dns/zone/zone.h"

#include "dns/zone/name_table.h"

#include <algorithm>
#include <array>

namespace weir::dns {
namespace {

constexpr std::array<std::uint8_t, 1> kWildcardLabel = {'*'};

}  // namespace

std::optional<std::uint32_t> Zone::FindHashed(std::uint64_t hash, std::span<const std::uint8_t> name) const {
  return FindSlot(node_slots_, hash,
                  [&](std::uint32_t index) { return std::ranges::equal(name_of(nodes_[index]), name); });
}

std::optional<std::uint32_t> Zone::FindWildcard(const HashedName& name, std::size_t depth) const {
  const auto encloser = name.suffix(depth);
  const std::uint64_t hash = HashedName::Extend(name.suffix_hash(depth), kWildcardLabel);
  return FindSlot(node_slots_, hash, [&](std::uint32_t index) {
    const auto stored = name_of(nodes_[index]);
    return stored.size() == encloser.size() + 2 && stored[0] == 1 && stored[1] == '*' &&
           std::ranges::equal(stored.subspan(2), encloser);
  });
}

std::optional<std::uint32_t> Zone::LikelyNode(std::uint64_t name_hash) const {
  return FindSlot(node_slots_, name_hash, [](std::uint32_t /*index*/) { return true; });
}

NodeMatch Zone::FindNode(const HashedName& name, bool ds) const {
  using enum NodeMatch::Kind;
  if (apex_.has_delegations) {
    // From the top: what lies below a zone cut is not ours, even when it is written in the zone. A question about the
    // cut itself that belongs to the parent (DS) is answered here.
    for (std::size_t depth = apex_.labels + 1U; depth <= name.labels(); ++depth) {
      if (ds && depth == name.labels()) break;
      const auto node = FindHashed(name.suffix_hash(depth), name.suffix(depth));
      if (!node) break;
      if (nodes_[*node].delegation) return {kDelegation, false, *node};
    }
  }
  if (const auto node = FindExact(name)) return {kFound, false, *node};
  // The closest encloser is the longest ancestor that exists; only a wildcard right below it counts (RFC 4592 3.3.1).
  for (std::size_t depth = name.labels(); depth-- > apex_.labels;) {
    if (depth != apex_.labels && !FindHashed(name.suffix_hash(depth), name.suffix(depth))) continue;
    if (const auto node = FindWildcard(name, depth)) return {kFound, true, *node};
    break;
  }
  return {};
}

const Group* Zone::FindGroup(std::uint32_t node, std::uint16_t type) const {
  const auto groups = groups_of(nodes_[node]);
  const auto found = std::ranges::find(groups, type, &Group::type);
  return found == groups.end() ? nullptr : &*found;
}

std::size_t Zone::memory_bytes() const {
  const auto bytes = [](const auto& values) { return values.capacity() * sizeof(values[0]); };
  return sizeof(*this) + bytes(node_slots_) + bytes(nodes_) + bytes(groups_) + bytes(members_) + bytes(names_) +
         bytes(rdata_) + bytes(cidr_collections_);
}

}  // namespace weir::dns
