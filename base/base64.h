#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir {

// RFC 4648 section 4, with padding.
[[nodiscard]] std::string EncodeBase64(std::string_view bytes);
void AppendBase64(std::string& out, std::string_view bytes);
// Absent for anything but whole groups of the alphabet with their padding. Bits of no byte may be anything.
[[nodiscard]] std::optional<std::string> DecodeBase64(std::string_view text);

enum class Base64Padding : unsigned char { kNone, kWritten };
// RFC 4648 section 5: `-` and `_` instead of `+` and `/`.
[[nodiscard]] std::string EncodeBase64Url(std::string_view bytes, Base64Padding padding = Base64Padding::kNone);
// The same back, without padding. Absent for anything that EncodeBase64Url does not write.
[[nodiscard]] std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace weir
