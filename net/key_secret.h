#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::net {

// What the keys of session tickets and of stickiness cookies are derived from: 32 random bytes.
using KeySecret = std::array<std::uint8_t, 32>;

// A new one, of the operating system's randomness. Thread: any.
[[nodiscard]] KeySecret MakeKeySecret();
// The text of a key file: 32 bytes in base64, spaces and line ends around them ignored. Absent when it is none.
[[nodiscard]] std::optional<KeySecret> ParseKeySecret(std::string_view text);
// 32 bytes in base64, without a line end.
[[nodiscard]] std::string FormatKeySecret(const KeySecret& secret);
// HKDF with SHA-256 (RFC 5869): another label gives an independent key. Fills `out`. Allocates.
void DeriveKey(std::span<const std::uint8_t, 32> secret, std::string_view label, std::span<std::uint8_t> out);

}  // namespace weir::net
