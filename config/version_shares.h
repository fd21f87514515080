#pragma once

#include "config/model.h"

#include <string>

namespace weir::config {

// `1: 75 %, 2: 25 %`, as status and explain show the versions of a function; empty where it has none. Thread: any.
[[nodiscard]] std::string VersionShares(const Function& function);

}  // namespace weir::config
