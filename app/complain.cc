#include "app/complain.h"

#include <fmt/format.h>

#include <cstdio>

namespace weir::app {

int Complain(const Error& error, ExitCode code) {
  fmt::print(stderr, "weir: {}{}{}\n", error.message, error.hint.empty() ? "" : "; ", error.hint);
  return code;
}

}  // namespace weir::app
