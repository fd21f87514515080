#include "app/build_facts.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/complain.h"
#include "process/spawner_program.h"

#include <exception>

namespace {

void AddCommands(weir::app::CommandSyntax root, weir::app::Command& run) {
  using namespace weir::app;  // only the names of the commands
  AddRunCommand(root, run);
  AddDemoCommand(root, run);
  AddCheckCommand(root, run);
  AddExplainCommand(root, run);
  AddTestCommand(root, run);
  AddStatusCommand(root, run);
  AddWeightsCommand(root, run);
  AddCanaryCommand(root, run);
  AddDrainCommand(root, run);
  AddZonalShiftCommand(root, run);
  AddEditCommand(root, run);
  AddBenchCommand(root, run);
  AddCertificateCommand(root, run);
  AddLogsCommand(root, run);
  AddSchemaCommand(root, run);
  AddVersionCommand(root, run);
  AddHelpCommand(root, run);
}

}  // namespace

int main(int argc, char** argv) {
  // No command: how weir starts the program that starts others.
  if (weir::process::IsSpawner(argc, argv)) return weir::process::RunSpawner();
  weir::app::CommandLine line("weir", "weir: an L7 load balancer and DNS failover appliance", weir::app::VersionLine);
  auto root = line.root();
  root.RequireCommand();
  root.Footer("Start with:  weir demo");
  weir::app::Command run;
  AddCommands(root, run);
  try {
    const auto go_on = line.Parse(argc, argv);
    if (!go_on) return weir::app::Complain(go_on.error(), weir::app::kCommandLineWrong);
    if (!*go_on) return weir::app::kDone;
  } catch (const std::exception& error) {
    return weir::app::Complain({error.what(), {}}, weir::app::kSystemRefused);
  }
  return run();
}
