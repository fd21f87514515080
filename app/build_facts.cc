#include "app/build_facts.h"

namespace weir::app {

// The definitions come from app/CMakeLists.txt and reach this file only.
control::BuildFacts ThisBuild() { return {.version = WEIR_VERSION, .commit = WEIR_COMMIT}; }
std::string VersionLine() { return "weir " WEIR_VERSION " (commit " WEIR_COMMIT ")"; }
std::string_view BuildType() { return WEIR_BUILD_TYPE; }
std::string_view Compiler() { return WEIR_COMPILER; }

}  // namespace weir::app
