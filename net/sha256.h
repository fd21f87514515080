#pragma once

#include <string>
#include <string_view>

namespace weir::net {

// SHA-256 (FIPS 180-4), as 32 bytes. Thread: any.
[[nodiscard]] std::string Sha256(std::string_view text);

}  // namespace weir::net
