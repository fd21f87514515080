#pragma once

#include "control/metrics.h"

#include <string_view>

namespace weir::app {

// Version and commit as known when the build was configured; the commit is `unknown` outside a repository.
[[nodiscard]] control::BuildFacts ThisBuild();
// `Debug`, and the compiler with its version.
[[nodiscard]] std::string_view BuildType();
[[nodiscard]] std::string_view Compiler();

}  // namespace weir::app
