#pragma once

#include "config/load.h"

#include <string>
#include <string_view>

namespace weir::app {

// config::LoadFile and config::LoadText with the checks that only proxy and dns can make (regular expressions, record
// data, the files of `latency`), so that one pass finds every error. Blocks on the file system. Thread: any.
[[nodiscard]] config::LoadResult LoadConfiguration(const std::string& path, config::LoadOptions options = {});
[[nodiscard]] config::LoadResult LoadConfigurationText(std::string_view text, const std::string& name);

// config::LoadPatched with the same checks. What environment variables hold is not repeated in what is found.
[[nodiscard]] config::LoadResult LoadPatchedConfiguration(const config::Document& document,
                                                          const config::Model& serving, std::string_view patch,
                                                          const std::string& origin);

}  // namespace weir::app
