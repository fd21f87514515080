#include "dns/zone/lookahead.h"

#include "dns/wire/name.h"
#include "dns/wire/query.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace weir::dns {
namespace {

constexpr std::size_t kTogether = 32;  // as many as the caches' queues of outstanding lines can use

// Names with more types, and groups with more members, are read as they always were: no query may cost much here.
constexpr std::size_t kRowsAhead = 4;

template <class T>
std::span<const T> FirstOf(std::span<const T> rows) {
  return rows.first(std::min(rows.size(), kRowsAhead));
}

// What is read lies on one cache line or on two.
template <class T>
void Prefetch(std::span<const T> piece) {
  if (piece.empty()) return;
  __builtin_prefetch(piece.data());
  __builtin_prefetch(reinterpret_cast<const std::byte*>(piece.data() + piece.size()) - 1);
}

// A question's name in its zone.
struct Asked {
  const Zone* zone;
  std::uint64_t name_hash;
};

std::optional<Asked> FindAsked(const ZoneSet& zones, std::span<const std::uint8_t> message, HashedName& name) {
  if (message.size() <= kHeaderBytes || NameBytes(message.subspan(kHeaderBytes)) == 0) return std::nullopt;
  name.Assign(message.subspan(kHeaderBytes));
  const auto zone = zones.FindZone(name, false);
  if (!zone) return std::nullopt;
  return Asked{zones.place(*zone).zone, name.suffix_hash(name.labels())};
}

struct Found {
  const Zone* zone;
  const Node* node;
};

void ReadTogether(const ZoneSet& zones, std::span<const std::span<const std::uint8_t>> messages) {
  std::array<Asked, kTogether> asked;
  std::array<Found, kTogether> nodes;
  std::size_t asked_count = 0;
  std::size_t node_count = 0;
  HashedName name;
  for (const auto message : messages) {
    if (const auto one = FindAsked(zones, message, name)) {
      one->zone->PrefetchSlot(one->name_hash);
      asked[asked_count++] = *one;
    }
  }
  for (const auto& [zone, name_hash] : std::span(asked).first(asked_count)) {
    if (const auto index = zone->LikelyNode(name_hash)) {
      nodes[node_count] = {zone, &zone->node(*index)};
      Prefetch(std::span(nodes[node_count++].node, 1));
    }
  }
  const auto found = std::span(nodes).first(node_count);
  for (const auto& [zone, node] : found) {
    Prefetch(zone->name_of(*node));
    Prefetch(FirstOf(zone->groups_of(*node)));
  }
  for (const auto& [zone, node] : found) {
    for (const Group& group : FirstOf(zone->groups_of(*node))) Prefetch(FirstOf(zone->members_of(group)));
  }
  for (const auto& [zone, node] : found) {
    for (const Group& group : FirstOf(zone->groups_of(*node))) {
      for (const Member& member : FirstOf(zone->members_of(group))) {
        if (member.values.count > 0) __builtin_prefetch(zone->rdata() + member.values.offset);
      }
    }
  }
}

}  // namespace

void ReadAhead(const ZoneSet& zones, std::span<const std::span<const std::uint8_t>> messages) {
  for (std::size_t at = 0; at < messages.size(); at += kTogether) {
    ReadTogether(zones, messages.subspan(at, std::min(kTogether, messages.size() - at)));
  }
}

}  // namespace weir::dns
