#pragma once

#include "app/commands.h"
#include "base/result.h"

#include <string>

namespace weir::app {

// `weir: what is wrong; what would be right` and a line break.
[[nodiscard]] std::string MessageOf(const Error& error);

// Prints that on standard error, the form of every command, and gives `code` back.
int Complain(const Error& error, ExitCode code);

}  // namespace weir::app
