#include "app/command_line.h"
#include "app/commands.h"
#include "app/complain.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace weir::app {
namespace {

int PrintHelp(CommandSyntax root, const std::vector<std::string>& words) {
  const auto help = root.Help(words);
  if (!help) return Complain(help.error(), kCommandLineWrong);
  std::fputs(help->c_str(), stdout);
  return kDone;
}

}  // namespace

void AddHelpCommand(CommandSyntax root, Command& run) {
  auto words = std::make_shared<std::vector<std::string>>();
  auto command = root.AddCommand("help", "Prints what --help prints, of weir or of one command");
  command.AddOption("COMMAND", *words, "the command, such as `bench http`; default: all of them");
  command.Footer("Example:  weir help explain");
  // A copy: parsed values are cleared together with the rest.
  command.OnChosen([root, words, &run] { run = [root, words = *words] { return PrintHelp(root, words); }; });
}

}  // namespace weir::app
