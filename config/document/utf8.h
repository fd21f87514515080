#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace weir::config {

// What makes a text none that a configuration may be: broken UTF-8 (RFC 3629) or a character that YAML 1.2 (5.1) does
// not allow, such as a control character.
struct TextFault {
  std::size_t offset = 0;  // in bytes
  std::string_view problem;
};
[[nodiscard]] std::optional<TextFault> FindTextFault(std::string_view text);

// Characters of valid UTF-8.
[[nodiscard]] std::size_t CountCharacters(std::string_view text);

}  // namespace weir::config
