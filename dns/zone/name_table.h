#pragma once

// The open-addressing hash table behind zones and nodes: a slot is the upper half of the hash and an index plus one; 0
// is empty. The names it holds are chosen by the configuration, never by a client, so nobody can make it degenerate.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace weir::dns {

// The index of the entry with this hash for which `matches(index)` holds. The number of slots is a power of two.
template <class Matches>
[[nodiscard]] std::optional<std::uint32_t> FindSlot(const std::vector<std::uint64_t>& slots, std::uint64_t hash,
                                                    Matches matches) {
  const std::size_t mask = slots.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const std::uint64_t slot = slots[at];
    if (slot == 0) return std::nullopt;
    const auto index = static_cast<std::uint32_t>(slot) - 1;
    if (slot >> 32 == hash >> 32 && matches(index)) return index;
  }
}

// Enters `index`; the caller keeps at least a third of the slots empty.
inline void PutSlot(std::vector<std::uint64_t>& slots, std::uint64_t hash, std::uint32_t index) {
  const std::size_t mask = slots.size() - 1;
  std::size_t at = hash & mask;
  while (slots[at] != 0) at = (at + 1) & mask;
  slots[at] = (hash >> 32) << 32 | (index + 1U);
}

}  // namespace weir::dns
