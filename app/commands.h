#pragma once

// One function for each command: it adds the command to the command line, and sets `run` when the command was chosen.
// `run` gives the exit code of the program.

#include "app/command_line.h"

#include <functional>

namespace weir::app {

enum ExitCode : int {
  kDone = 0,
  kInputWrong = 1,        // the file is wrong, or a check or test failed
  kCommandLineWrong = 2,  // an option, or what an argument says
  kSystemRefused = 3,     // address in use, no permission, nothing answers at the admin address
};

using Command = std::function<int()>;

void AddRunCommand(CommandSyntax root, Command& run);
void AddDemoCommand(CommandSyntax root, Command& run);
void AddCheckCommand(CommandSyntax root, Command& run);
void AddExplainCommand(CommandSyntax root, Command& run);
void AddTestCommand(CommandSyntax root, Command& run);
void AddStatusCommand(CommandSyntax root, Command& run);
void AddWeightsCommand(CommandSyntax root, Command& run);
void AddCanaryCommand(CommandSyntax root, Command& run);
void AddDrainCommand(CommandSyntax root, Command& run);
void AddZonalShiftCommand(CommandSyntax root, Command& run);
void AddEditCommand(CommandSyntax root, Command& run);
void AddLogsCommand(CommandSyntax root, Command& run);
void AddSchemaCommand(CommandSyntax root, Command& run);
void AddVersionCommand(CommandSyntax root, Command& run);
void AddHelpCommand(CommandSyntax root, Command& run);
void AddBenchCommand(CommandSyntax root, Command& run);
void AddCertificateCommand(CommandSyntax root, Command& run);

// Those of `bench`; `bench` is the command that they are added to.
void AddBenchHttpCommand(CommandSyntax bench, Command& run);
void AddBenchDnsCommand(CommandSyntax bench, Command& run);

}  // namespace weir::app
