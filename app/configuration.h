#pragma once

#include "config/load.h"

#include <string>
#include <string_view>

namespace weir::app {

// config::LoadFile and config::LoadText with the checks that only proxy and dns can make (regular expressions, record
// data, the files of `latency`), so that one pass finds every error. Blocks on the file system. Thread: any.
[[nodiscard]] config::LoadResult LoadConfiguration(const std::string& path, config::LoadOptions options = {});
[[nodiscard]] config::LoadResult LoadConfigurationText(std::string_view text, const std::string& name);

}  // namespace weir::app
