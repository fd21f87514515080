#include "dns/policy/prefix_table.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace weir::dns {
namespace {

using V4Key = std::uint32_t;
using V6Key = std::array<std::uint64_t, 2>;

std::uint64_t NumberOf(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

template <class Key>
Key KeyOf(const IpAddress& address);
template <>
V4Key KeyOf(const IpAddress& address) {
  return static_cast<V4Key>(NumberOf(address.bytes().first(4)));
}
template <>
V6Key KeyOf(const IpAddress& address) {
  return {NumberOf(address.bytes().first(8)), NumberOf(address.bytes().subspan(8))};
}

// The first address behind the block; absent when it ends with the address space.
std::optional<V4Key> Behind(V4Key start, unsigned prefix_bits) {
  const std::uint64_t end = start + (std::uint64_t{1} << (32 - prefix_bits));
  return end >> 32 == 0 ? std::optional(static_cast<V4Key>(end)) : std::nullopt;
}
std::optional<V6Key> Behind(V6Key start, unsigned prefix_bits) {
  if (prefix_bits > 64) {
    const std::uint64_t low = start[1] + (std::uint64_t{1} << (128 - prefix_bits));
    if (low != 0) return V6Key{start[0], low};
    prefix_bits = 64;
  }
  const std::uint64_t high = prefix_bits == 0 ? 0 : start[0] + (std::uint64_t{1} << (64 - prefix_bits));
  return high == 0 ? std::nullopt : std::optional(V6Key{high, 0});
}

// `key` is not the first address.
V4Key Before(V4Key key) { return key - 1; }
V6Key Before(V6Key key) { return {key[1] == 0 ? key[0] - 1 : key[0], key[1] - 1}; }

unsigned CommonBits(V4Key a, V4Key b) { return static_cast<unsigned>(std::countl_zero(a ^ b)); }
unsigned CommonBits(const V6Key& a, const V6Key& b) {
  const auto high = static_cast<unsigned>(std::countl_zero(a[0] ^ b[0]));
  return high < 64 ? high : 64 + static_cast<unsigned>(std::countl_zero(a[1] ^ b[1]));
}

bool IsAfter(V4Key a, V4Key b) { return a > b; }
// Without the loop that comparing arrays is.
bool IsAfter(const V6Key& a, const V6Key& b) { return a[0] != b[0] ? a[0] > b[0] : a[1] > b[1]; }

// The last start that is not after `key`; without a branch that cannot be foretold.
template <class Key>
std::size_t FindInterval(std::span<const Key> starts, const Key& key) {
  std::size_t at = 0;
  for (std::size_t rest = starts.size(); rest > 1;) {
    const std::size_t half = rest / 2;
    at += IsAfter(starts[at + half], key) ? 0 : half;
    rest -= half;
  }
  return at;
}

template <class Key>
unsigned WidestBits(std::span<const Key> starts, std::size_t interval, const Key& key) {
  unsigned bits = 0;
  if (interval > 0) bits = CommonBits(key, Before(starts[interval])) + 1;
  if (interval + 1 < starts.size()) bits = std::max(bits, CommonBits(key, starts[interval + 1]) + 1);
  return bits;
}

}  // namespace

PrefixTable::PrefixTable(std::span<const CidrBlock> blocks) {
  for (const CidrBlock& block : blocks) {
    blocks_.push_back({.parent = kNoBlock, .bits = static_cast<std::uint8_t>(block.prefix_bits())});
  }
  const auto first_v6 = static_cast<std::size_t>(
      std::ranges::find_if(blocks, [](const CidrBlock& block) { return !block.address().is_v4(); }) - blocks.begin());
  LayOut(blocks.first(first_v6), 0, v4_);
  LayOut(blocks.subspan(first_v6), static_cast<std::uint32_t>(first_v6), v6_);
}

template <class Key>
void PrefixTable::LayOut(std::span<const CidrBlock> blocks, std::uint32_t first_block, Intervals<Key>& intervals) {
  if (blocks.empty()) return;
  auto& [starts, longest] = intervals;
  const auto put = [&](const Key& start, std::uint32_t block) {
    // A later start at the same place is a longer prefix, or what follows the one that ended there.
    if (!starts.empty() && starts.back() == start) {
      starts.pop_back();
      longest.pop_back();
    }
    if (!longest.empty() && longest.back() == block) return;
    starts.push_back(start);
    longest.push_back(block);
  };
  std::vector<std::uint32_t> open;  // the blocks that hold the current place, outermost first
  const auto close_last = [&] {
    const CidrBlock& last = blocks[open.back()];
    open.pop_back();
    const auto end = Behind(KeyOf<Key>(last.address()), last.prefix_bits());
    if (end) put(*end, open.empty() ? kNoBlock : first_block + open.back());
  };
  put({}, kNoBlock);
  for (std::uint32_t i = 0; i < blocks.size(); ++i) {
    while (!open.empty() && !blocks[open.back()].Contains(blocks[i].address())) close_last();
    if (!open.empty()) blocks_[first_block + i].parent = first_block + open.back();
    put(KeyOf<Key>(blocks[i].address()), first_block + i);
    open.push_back(i);
  }
  while (!open.empty()) close_last();
  starts.shrink_to_fit();
  longest.shrink_to_fit();
}

PrefixTable::Place PrefixTable::Locate(const IpAddress& address) const {
  return {address.is_v4() ? FindInterval<V4Key>(v4_.starts, KeyOf<V4Key>(address))
                          : FindInterval<V6Key>(v6_.starts, KeyOf<V6Key>(address))};
}

std::uint32_t PrefixTable::Longest(const IpAddress& address, const Place& place, unsigned prefix_bits) const {
  const auto& longest = address.is_v4() ? v4_.longest : v6_.longest;
  std::uint32_t block = longest.empty() ? kNoBlock : longest[place.interval];
  while (block != kNoBlock && blocks_[block].bits > prefix_bits) block = blocks_[block].parent;
  return block;
}

unsigned PrefixTable::ScopeBits(const IpAddress& address, const Place& place) const {
  const bool v4 = address.is_v4();
  if (v4 ? v4_.starts.empty() : v6_.starts.empty()) return blocks_.empty() ? 0 : 1;
  return v4 ? WidestBits<V4Key>(v4_.starts, place.interval, KeyOf<V4Key>(address))
            : WidestBits<V6Key>(v6_.starts, place.interval, KeyOf<V6Key>(address));
}

}  // namespace weir::dns
