#include "app/commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
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
  AddBenchCommand(root, run);
  AddSchemaCommand(root, run);
  AddVersionCommand(root, run);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App root("weir: an L7 load balancer and DNS failover appliance", "weir");
  root.require_subcommand(1);
  root.footer("Start with:  weir demo");
  weir::app::Command run;
  AddCommands(root, run);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help on standard output and mistakes on standard error; it returns 0 for help.
    return root.exit(error) == 0 ? weir::app::kDone : weir::app::kCommandLineWrong;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weir: %s\n", error.what());
    return weir::app::kSystemRefused;
  }
  return run();
}
