#pragma once

#include "base/ip_address.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace weir::dns {

// Which of many blocks hold an address, the longest prefix first. Looking up is a binary search over the places where
// the longest prefix changes; it allocates nothing. Immutable once built. Thread: any (const).
class PrefixTable {
 public:
  static constexpr std::uint32_t kNoBlock = std::numeric_limits<std::uint32_t>::max();

  // Holds nothing.
  PrefixTable() = default;
  // `blocks` are distinct and in the order of CidrBlock's comparison; what the table tells are indexes into them.
  explicit PrefixTable(std::span<const CidrBlock> blocks);

  // Where an address lies: found once, valid for that address in this table.
  struct Place {
    std::size_t interval = 0;
  };
  [[nodiscard]] Place Locate(const IpAddress& address) const;

  // The longest block that holds the first `prefix_bits` bits of the address at `place`, whole; kNoBlock without one.
  [[nodiscard]] std::uint32_t Longest(const IpAddress& address, const Place& place, unsigned prefix_bits) const;
  // The next shorter block around `block`; kNoBlock without one.
  [[nodiscard]] std::uint32_t Shorter(std::uint32_t block) const { return blocks_[block].parent; }
  [[nodiscard]] unsigned prefix_bits(std::uint32_t block) const { return blocks_[block].bits; }

  // Bits of the widest block around the address at `place` in which every address has the same longest block: for no
  // two addresses do such blocks overlap without being equal (RFC 7871 7.2.1). In a family without blocks it is 0, and
  // 1 when the other family has some: there are caches that take 0 as good for both families.
  [[nodiscard]] unsigned ScopeBits(const IpAddress& address, const Place& place) const;

 private:
  struct Block {
    std::uint32_t parent = kNoBlock;
    std::uint8_t bits = 0;
  };
  // Addresses as numbers: IPv6 by halves, the more significant first.
  using V4Key = std::uint32_t;
  using V6Key = std::array<std::uint64_t, 2>;
  // From starts[i] to the next start the longest block is longest[i]. The first start is the first address.
  template <class Key>
  struct Intervals {
    std::vector<Key> starts;
    std::vector<std::uint32_t> longest;
  };

  // Lays out `blocks`, all of one family; the first of them has the index `first_block`.
  template <class Key>
  void LayOut(std::span<const CidrBlock> blocks, std::uint32_t first_block, Intervals<Key>& intervals);

  std::vector<Block> blocks_;
  Intervals<V4Key> v4_;
  Intervals<V6Key> v6_;
};

}  // namespace weir::dns
