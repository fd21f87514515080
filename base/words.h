#pragma once

#include <cstdint>
#include <cstring>

namespace weir {

// Text eight bytes at a time, for loops that every request runs through.

// The low byte of `byte` in each byte of a word.
[[nodiscard]] constexpr std::uint64_t EachByte(std::uint64_t byte) { return byte * 0x0101010101010101ULL; }

// The eight bytes at `at`, in the order of memory.
[[nodiscard]] inline std::uint64_t LoadWord(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

}  // namespace weir
