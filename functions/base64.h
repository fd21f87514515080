#pragma once

// Base64 of events and responses (RFC 4648 section 4). Thread: any.

#include <optional>
#include <string>
#include <string_view>

namespace weir::functions {

// Appends `bytes`, padded, without line ends.
void AppendBase64(std::string& out, std::string_view bytes);
// Absent for anything but whole groups of the alphabet with their padding.
[[nodiscard]] std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace weir::functions
