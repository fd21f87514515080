#include "app/build_facts.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/complain.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <exception>

namespace {

void AddCommands(CLI::App& root, weir::app::Command& run) {
  using namespace weir::app;  // only the names of the commands
  AddRunCommand(root, run);
  AddDemoCommand(root, run);
  AddCheckCommand(root, run);
  AddExplainCommand(root, run);
  AddTestCommand(root, run);
  AddStatusCommand(root, run);
  AddWeightsCommand(root, run);
  AddDrainCommand(root, run);
  AddZonalShiftCommand(root, run);
  AddEditCommand(root, run);
  AddBenchCommand(root, run);
  AddCertificateCommand(root, run);
  AddSchemaCommand(root, run);
  AddVersionCommand(root, run);
  AddHelpCommand(root, run);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App root("weir: an L7 load balancer and DNS failover appliance", "weir");
  root.require_subcommand(1);
  root.set_version_flag("-v,--version", weir::app::VersionLine, "Prints the version");
  root.footer("Start with:  weir demo");
  weir::app::Command run;
  AddCommands(root, run);
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    root.exit(wanted);  // prints the help or the version on standard output
    return weir::app::kDone;
  } catch (const CLI::ParseError& refusal) {
    return weir::app::Complain(weir::app::DescribeMistake(root, refusal), weir::app::kCommandLineWrong);
  } catch (const std::exception& error) {
    return weir::app::Complain({error.what(), {}}, weir::app::kSystemRefused);
  }
  return run();
}
