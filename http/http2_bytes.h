#pragma once

// Bytes as nghttp2 takes and gives them. Thread: any.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::http {

[[nodiscard]] inline const std::uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
[[nodiscard]] inline std::string_view Text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace weir::http
