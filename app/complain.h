#pragma once

#include "app/commands.h"
#include "base/result.h"

namespace weir::app {

// Prints `weir: what is wrong; what would be right` on standard error, the form of every command, and gives `code`
// back.
int Complain(const Error& error, ExitCode code);

}  // namespace weir::app
