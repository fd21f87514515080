#pragma once

#include "config/model.h"

#include <string>
#include <string_view>
#include <vector>

namespace weir::functions {

// A runtime that weir brings: what is started, and the program that it reads from its standard input. The programs are
// functions/bootstraps/, in the binary: nothing has to be found at run time but the interpreter, by PATH.
struct Bootstrap {
  std::vector<std::string> command;
  std::string_view program;
};
[[nodiscard]] Bootstrap BootstrapOf(config::FunctionRuntime runtime);

}  // namespace weir::functions
