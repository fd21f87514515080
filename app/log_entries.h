#pragma once

#include "app/commands.h"
#include "base/result.h"
#include "logs/entry.h"

#include <functional>
#include <string>
#include <vector>

namespace weir::app {

// Calls `take` with each line of the logs, file after file; `-` is standard input. Says on standard error where the
// first line is that is none, and how many follow. kDone, or after a complaint how the command ends: also where no line
// was one. Blocks on the file system.
[[nodiscard]] ExitCode EachLogEntry(const std::vector<std::string>& paths,
                                    const std::function<void(const logs::Entry&)>& take);

// All of a file, or of standard input.
[[nodiscard]] Result<std::string> ReadWhole(const std::string& path);

}  // namespace weir::app
