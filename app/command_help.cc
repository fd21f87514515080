#include "app/command_line.h"
#include "app/commands.h"
#include "app/complain.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace weir::app {
namespace {

// The command of `app` that is called so; null when there is none.
const CLI::App* Find(const CLI::App& app, const std::string& name) {
  const auto called_so = [&name](const CLI::App* command) { return command->get_name() == name; };
  const auto found = app.get_subcommands(called_so);
  return found.empty() ? nullptr : found.front();
}

int PrintHelp(CLI::App& root, const std::vector<std::string>& words) {
  root.clear();  // else the help would be that of the command that was parsed, which is this one
  const auto* at = &root;
  std::string path;
  for (const auto& word : words) {
    const auto* next = Find(*at, word);
    if (next == nullptr) return Complain(UnknownCommand(*at, word), kCommandLineWrong);
    path += (path.empty() ? "" : " ") + at->get_name();
    at = next;
  }
  std::fputs(at->help(path).c_str(), stdout);
  return kDone;
}

}  // namespace

void AddHelpCommand(CLI::App& root, Command& run) {
  auto words = std::make_shared<std::vector<std::string>>();
  auto* command = root.add_subcommand("help", "Prints what --help prints, of weir or of one command");
  command->add_option("COMMAND", *words, "the command, such as `bench http`; default: all of them");
  command->footer("Example:  weir help explain");
  // A copy: parsed values are cleared together with the rest.
  command->callback([&root, words, &run] { run = [&root, words = *words] { return PrintHelp(root, words); }; });
}

}  // namespace weir::app
