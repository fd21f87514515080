#pragma once

// One function for each command: it adds the command to the command line, and sets `run` when the command was chosen.
// `run` gives the exit code of the program.

#include <functional>

namespace CLI {
class App;
}

namespace weir::app {

enum ExitCode : int {
  kDone = 0,
  kInputWrong = 1,        // the file is wrong, or a check or test failed
  kCommandLineWrong = 2,  // an option, or what an argument says
  kSystemRefused = 3,     // address in use, no permission, nothing answers at the admin address
};

using Command = std::function<int()>;

void AddRunCommand(CLI::App& root, Command& run);
void AddDemoCommand(CLI::App& root, Command& run);
void AddCheckCommand(CLI::App& root, Command& run);
void AddExplainCommand(CLI::App& root, Command& run);
void AddTestCommand(CLI::App& root, Command& run);
void AddStatusCommand(CLI::App& root, Command& run);
void AddWeightsCommand(CLI::App& root, Command& run);
void AddDrainCommand(CLI::App& root, Command& run);
void AddZonalShiftCommand(CLI::App& root, Command& run);
void AddEditCommand(CLI::App& root, Command& run);
void AddSchemaCommand(CLI::App& root, Command& run);
void AddVersionCommand(CLI::App& root, Command& run);
void AddHelpCommand(CLI::App& root, Command& run);
void AddBenchCommand(CLI::App& root, Command& run);
void AddCertificateCommand(CLI::App& root, Command& run);

// Those of `bench`; `bench` is the command that they are added to.
void AddBenchHttpCommand(CLI::App& bench, Command& run);
void AddBenchDnsCommand(CLI::App& bench, Command& run);

}  // namespace weir::app
