#include "app/commands.h"

namespace weir::app {

void AddBenchCommand(CommandSyntax root, Command& run) {
  auto command = root.AddCommand("bench", "Generates load and shows what happened");
  command.RequireCommand();
  command.Footer("Example:  weir bench http --connections 64 --duration 10s http://127.0.0.1:8080/");
  AddBenchHttpCommand(command, run);
  AddBenchDnsCommand(command, run);
}

}  // namespace weir::app
