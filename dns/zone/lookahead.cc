#include "dns/zone/lookahead.h"

#include "dns/wire/name.h"
#include "dns/wire/query.h"
#include "dns/zone/name_table.h"

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

// Where the question's name leads in the table of nodes.
std::optional<std::uint64_t> QuestionHash(const ZoneSet& zones, std::span<const std::uint8_t> message,
                                          HashedName& name) {
  if (message.size() <= kHeaderBytes || NameBytes(message.subspan(kHeaderBytes)) == 0) return std::nullopt;
  name.Assign(message.subspan(kHeaderBytes));
  const auto zone = zones.FindZone(name, false);
  if (!zone) return std::nullopt;
  return NodeHash(*zone, name.suffix_hash(name.labels()));
}

void ReadTogether(const ZoneSet& zones, std::span<const std::span<const std::uint8_t>> messages) {
  std::array<std::uint64_t, kTogether> hashes;
  std::array<const Node*, kTogether> nodes;
  std::size_t hash_count = 0;
  std::size_t node_count = 0;
  HashedName name;
  for (const auto message : messages) {
    if (const auto hash = QuestionHash(zones, message, name)) {
      zones.PrefetchSlot(*hash);
      hashes[hash_count++] = *hash;
    }
  }
  for (const std::uint64_t hash : std::span(hashes).first(hash_count)) {
    if (const auto index = zones.LikelyNode(hash)) {
      nodes[node_count] = &zones.node(*index);
      Prefetch(std::span(nodes[node_count++], 1));
    }
  }
  const auto found = std::span(nodes).first(node_count);
  for (const Node* const node : found) {
    Prefetch(zones.name_of(*node));
    Prefetch(FirstOf(zones.groups_of(*node)));
  }
  for (const Node* const node : found) {
    for (const Group& group : FirstOf(zones.groups_of(*node))) Prefetch(FirstOf(zones.members_of(group)));
  }
  for (const Node* const node : found) {
    for (const Group& group : FirstOf(zones.groups_of(*node))) {
      for (const Member& member : FirstOf(zones.members_of(group))) {
        if (member.values.count > 0) __builtin_prefetch(zones.rdata().data() + member.values.offset);
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
