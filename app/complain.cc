#include "app/complain.h"

#include <fmt/format.h>

#include <cstdio>

namespace weir::app {

std::string MessageOf(const Error& error) {
  return fmt::format("weir: {}{}{}\n", error.message, error.hint.empty() ? "" : "; ", error.hint);
}

int Complain(const Error& error, ExitCode code) {
  std::fputs(MessageOf(error).c_str(), stderr);
  return code;
}

}  // namespace weir::app
