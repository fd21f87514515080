#pragma once

#include "base/result.h"
#include "config/model.h"

#include <string>
#include <string_view>

namespace weir::config {

// The text of a secret; a file, of at most 4 KiB, ends in a line end that is not meant. Fails where the file cannot be
// read; `noun` says what it holds. Blocks on the file system.
[[nodiscard]] Result<std::string> ReadSecret(const Secret& secret, std::string_view noun);

}  // namespace weir::config
