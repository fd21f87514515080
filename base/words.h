#pragma once

#include <cstdint>
#include <cstring>

namespace weir {

// Text eight bytes at a time, for loops that every request runs through.

// The low byte of `byte` in each byte of a word.
[[nodiscard]] constexpr std::uint64_t EachByte(std::uint64_t byte) { return byte * 0x0101010101010101ULL; }

// The eight bytes at `at`, in the order of memory.
[[nodiscard]] inline std::uint64_t LoadWord(const void* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// The letters A to Z of a word in lower case; every other byte stays. What the sums carry into the high bit of each
// byte tells whether it is above a bound.
[[nodiscard]] constexpr std::uint64_t ToLowerWord(std::uint64_t word) {
  const std::uint64_t low_bits = word & EachByte(0x7F);
  const std::uint64_t from_a = low_bits + EachByte(0x80 - 'A');
  const std::uint64_t behind_z = low_bits + EachByte(0x7F - 'Z');
  const std::uint64_t is_upper = ~word & (from_a ^ behind_z) & EachByte(0x80);
  return word | is_upper >> 2;
}

}  // namespace weir
