#pragma once

#include "base/hex.h"

#include <cstdint>
#include <optional>

namespace weir::dns {

// The value of a hexadecimal digit of either case; absent for every other character.
[[nodiscard]] constexpr std::optional<std::uint8_t> HexDigit(char c) {
  const int value = HexValue(c);
  return value < 0 ? std::nullopt : std::optional(static_cast<std::uint8_t>(value));
}

}  // namespace weir::dns
