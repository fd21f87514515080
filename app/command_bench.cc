#include "app/commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace weir::app {

void AddBenchCommand(CLI::App& root, Command& run) {
  auto* command = root.add_subcommand("bench", "Generates load and shows what happened");
  command->require_subcommand(1);
  command->footer("Example:  weir bench http --connections 64 --duration 10s http://127.0.0.1:8080/");
  AddBenchHttpCommand(*command, run);
  AddBenchDnsCommand(*command, run);
}

}  // namespace weir::app
