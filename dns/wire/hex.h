#pragma once

#include <cstdint>
#include <optional>

namespace weir::dns {

// The value of a hexadecimal digit of either case; absent for every other character.
[[nodiscard]] constexpr std::optional<std::uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  if (lower >= 'a' && lower <= 'f') return static_cast<std::uint8_t>(lower - 'a' + 10);
  return std::nullopt;
}

}  // namespace weir::dns
