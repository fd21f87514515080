#pragma once

// What commands take from the command line. Its library, CLI11, is seen by command_line.cc alone: a file that includes
// it takes seconds to compile.

#include "base/result.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace weir::app {

// An option, a flag or a positional argument of a command. A handle: what it says lasts as long as the CommandLine.
// Each function gives the option again, so that they chain.
class CommandOption {
 public:
  explicit CommandOption(CLI::Option* option) : option_(option) {}

  CommandOption Required();
  // The heading under which --help lists it.
  CommandOption Group(const std::string& heading);
  // What --help calls its value.
  CommandOption ValueName(const std::string& name);
  // Not together with `other`; only together with `other`.
  CommandOption Excludes(CommandOption other);
  CommandOption Needs(CommandOption other);
  // For a list: each time that it is named it takes one value; or the values stand in one word, `separator` between
  // them.
  CommandOption OneValueEach();
  CommandOption SeparatedBy(char separator);
  CommandOption OneOf(const std::vector<std::string>& words);
  // `least` and `most` included. T is int, unsigned, std::uint64_t or double.
  template <typename T>
  CommandOption InRange(T least, T most);

  // Whether the command line, or an environment variable that stands for it, has it. Known once the line is parsed.
  [[nodiscard]] bool given() const;

 private:
  CLI::Option* option_;
};

// A command, or the program itself, to which options and further commands are added. A handle like CommandOption.
class CommandSyntax {
 public:
  explicit CommandSyntax(CLI::App* command) : command_(command) {}

  CommandSyntax AddCommand(const std::string& name, const std::string& description);
  // `names` is "-c,--connections", or "FILE" for a positional argument. The value is written to `value`, which outlives
  // the parse. T is std::string, int, double, a std::vector of strings or doubles, or a std::optional of what the
  // commands have: command_line.cc lists them all, and the linker names one that is missing.
  template <typename T>
  CommandOption AddOption(const std::string& names, T& value, const std::string& description);
  CommandOption AddFlag(const std::string& names, bool& value, const std::string& description);
  // An option whose text `take` reads; what it says is wrong is a mistake of the command line. With `variable` an
  // environment variable of that name stands for the option, and is named by the mistake instead of it.
  CommandOption AddParsedOption(const std::string& name, std::function<Result<void>(const std::string&)> take,
                                const std::string& description, const std::string& variable = {});
  // What --help says below the options.
  void Footer(const std::string& text);
  // One of its commands must be named.
  void RequireCommand();
  // Options of the command above may stand behind this one's name.
  void TakeOptionsOfParent();
  // Called when the command was named, after its values were written.
  void OnChosen(std::function<void()> act);

  // What --help prints of the command that `words` lead to from here. Fails for a word that is no command.
  [[nodiscard]] Result<std::string> Help(const std::vector<std::string>& words);

 private:
  CLI::App* command_;
};

// The program's command line.
class CommandLine {
 public:
  // `version` gives what --version prints.
  CommandLine(const std::string& name, const std::string& description, std::function<std::string()> version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  [[nodiscard]] CommandSyntax root() { return CommandSyntax(app_.get()); }

  // Reads the words, and calls OnChosen of the commands that they name. True: go on; false: --help or --version was
  // asked for and printed on standard output. Fails where the words are wrong, with what would be right: for a word
  // that is no command the nearest command, by spelling or by what other programs call it (serve, run); for an option
  // that there is not the nearest option.
  [[nodiscard]] Result<bool> Parse(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace weir::app
