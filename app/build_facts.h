#pragma once

#include "control/metrics.h"

#include <string>
#include <string_view>

namespace weir::app {

// Version and commit as known when the build was configured; the commit is `unknown` outside a repository.
[[nodiscard]] control::BuildFacts ThisBuild();
// `weir 0.1.0 (commit 0123456789ab)`.
[[nodiscard]] std::string VersionLine();
// `Debug`, and the compiler with its version.
[[nodiscard]] std::string_view BuildType();
[[nodiscard]] std::string_view Compiler();

}  // namespace weir::app
