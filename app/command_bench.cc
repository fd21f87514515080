#include "app/commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace weir::app {

void AddBenchCommand(CLI::App& root, [[maybe_unused]] Command& run) {
  auto* command = root.add_subcommand("bench", "Generates load and shows what happened");
  command->require_subcommand(1);
}

}  // namespace weir::app
