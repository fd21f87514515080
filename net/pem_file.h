#pragma once

#include "base/result.h"
#include "net/openssl_parts.h"

#include <string>
#include <string_view>
#include <vector>

namespace weir::net {

// A view of `text`, which outlives it.
[[nodiscard]] OwnedBio MemoryOf(std::string_view text);

// The certificates of a PEM text, in order; other blocks and what stands between them are passed over. Not empty.
// `path` names it in the error.
[[nodiscard]] Result<std::vector<OwnedX509>> ParseCertificates(std::string_view text, const std::string& path);

}  // namespace weir::net
