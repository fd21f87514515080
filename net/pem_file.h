#pragma once

#include "base/result.h"
#include "net/openssl_parts.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {

// What a file holds; `noun` says in the error what it is too large for. Blocks on the file system. Thread: any.
[[nodiscard]] Result<std::string> ReadFileUpTo(const std::string& path, std::size_t bytes_max, std::string_view noun);

// A view of `text`, which outlives it.
[[nodiscard]] OwnedBio MemoryOf(std::string_view text);

// The certificates of a PEM text, in order; other blocks and what stands between them are passed over. Not empty.
// `path` names it in the error.
[[nodiscard]] Result<std::vector<OwnedX509>> ParseCertificates(std::string_view text, const std::string& path);

}  // namespace weir::net
