#include "app/command_line.h"

#include "base/text.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

// What other programs call what weir has; only the words that are no misspelling of the right one.
struct Synonym {
  std::string_view word;
  std::string_view command;
};
constexpr auto kSynonyms = std::to_array<Synonym>(
    {{"serve", "run"},          {"start", "run"},        {"daemon", "run"},     {"up", "run"},
     {"example", "demo"},       {"try", "demo"},         {"validate", "check"}, {"verify", "check"},
     {"lint", "check"},         {"configtest", "check"}, {"why", "explain"},    {"trace", "explain"},
     {"tests", "test"},         {"ps", "status"},        {"show", "status"},    {"watch", "status"},
     {"top", "status"},         {"shift", "weights"},    {"weight", "weights"}, {"undrain", "drain"},
     {"patch", "edit"},         {"change", "edit"},      {"load", "bench"},     {"benchmark", "bench"},
     {"json-schema", "schema"}, {"request", "http"},     {"https", "http"},     {"h2", "http"},
     {"log", "logs"},           {"tail", "logs"},        {"query", "dns"},      {"dig", "dns"}});

// `weir bench http`: the words that lead to `app`.
std::string PathOf(const CLI::App& app) {
  const auto* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : PathOf(*parent) + " " + app.get_name();
}

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::string_view NearestCommand(std::string_view word, const std::vector<std::string>& commands) {
  const std::vector<std::string_view> candidates(commands.begin(), commands.end());
  const auto known = [&](std::string_view command) {
    return std::ranges::find(candidates, command) != candidates.end();
  };
  const auto lower = ToLowerAscii(word);
  const auto* synonym = std::ranges::find(kSynonyms, lower, &Synonym::word);
  if (synonym != kSynonyms.end() && known(synonym->command)) return synonym->command;
  if (const auto near = NearestWord(word, candidates); !near.empty()) return near;
  // A command that was not written to its end, or goes on: `stat`, `explains`.
  for (const auto candidate : candidates) {
    if (lower.size() >= 3 && (candidate.starts_with(lower) || lower.starts_with(candidate))) return candidate;
  }
  return {};
}

std::string Listed(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

// The words at `app` that no command took. A positional may have swallowed the one that was meant to be a command
// (`explain htpp GET …` has no FILE), so that those count too, in front.
std::vector<std::string> FreeWords(const CLI::App& app) {
  std::vector<std::string> words;
  for (const auto* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const auto& values = option->results();
    words.insert(words.end(), values.begin(), values.end());
  }
  for (auto& word : app.remaining()) {
    if (!word.starts_with('-')) words.push_back(std::move(word));
  }
  return words;
}

// The deepest command that was named.
const CLI::App& Chosen(const CLI::App& root) {
  const auto* at = &root;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

// The option of `app`, or of a command above it, that is nearest to `--word`.
std::string NearestOption(const CLI::App& app, std::string_view word) {
  std::vector<std::string> names;
  for (const auto* at = &app; at != nullptr; at = at->get_parent()) {
    for (const auto* option : at->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  return std::string(NearestWord(word.substr(0, std::min(word.find('='), word.size())), candidates));
}

std::string SeeHelp(const CLI::App& app) { return "see " + PathOf(app) + " --help"; }

std::string DidYouMean(const CLI::App& app, std::string_view near) {
  return near.empty() ? SeeHelp(app) : fmt::format("did you mean {}?", near);
}

// That `word` is no command of `app`.
Error UnknownCommand(const CLI::App& app, std::string_view word) {
  const auto commands = CommandsOf(app);
  if (commands.empty()) return {fmt::format("{} has no commands: `{}`", PathOf(app), word), SeeHelp(app)};
  const auto near = NearestCommand(word, commands);
  auto hint = near.empty() ? "say " + Listed(commands) : fmt::format("did you mean {}?", near);
  return {fmt::format("`{}` is no command of {}", word, PathOf(app)), std::move(hint)};
}

// A command is missing at `app`, which has some.
Error MissingCommand(const CLI::App& app) {
  const auto commands = CommandsOf(app);
  const auto words = FreeWords(app);
  for (const auto& word : words) {
    if (!NearestCommand(word, commands).empty()) return UnknownCommand(app, word);
  }
  const auto rest = app.remaining();
  const auto wrong = std::ranges::find_if(rest, [](const std::string& word) { return !word.starts_with('-'); });
  if (wrong != rest.end()) return UnknownCommand(app, *wrong);
  return {"`" + PathOf(app) + "` lacks a command", "say " + Listed(commands)};
}

// What is wrong with a command line that CLI11 refused. `root` is as the refused parse left it.
Error DescribeMistake(const CLI::App& root, const CLI::ParseError& refusal) {
  const auto& chosen = Chosen(root);
  for (const auto& word : root.remaining()) {
    if (!word.starts_with('-')) return UnknownCommand(root, word);
  }
  for (const auto* at = &chosen; at != nullptr; at = at->get_parent()) {
    const auto rest = at->remaining();
    const auto option =
        std::ranges::find_if(rest, [](const std::string& word) { return word.starts_with('-') && word.size() > 1; });
    if (option != rest.end()) {
      return {fmt::format("{} has no option {}", PathOf(chosen), *option),
              DidYouMean(chosen, NearestOption(chosen, *option))};
    }
  }
  if (!CommandsOf(chosen).empty()) return MissingCommand(chosen);
  const auto rest = root.remaining(true);
  if (!rest.empty()) {
    return {fmt::format("{} takes no further argument `{}`", PathOf(chosen), rest.front()), SeeHelp(chosen)};
  }
  return {refusal.what(), SeeHelp(chosen)};
}

// Where the value of an option comes from: only what was typed has an order.
const std::string& SourceOf(const CLI::App& command, const std::string& name, const std::string& variable) {
  const auto* option = command.get_option(name);
  const auto typed = std::ranges::find(command.parse_order(), option) != command.parse_order().end();
  return typed || variable.empty() ? name : variable;
}

// The command of `app` that is called so; null when there is none.
const CLI::App* FindCommand(const CLI::App& app, const std::string& name) {
  const auto called_so = [&name](const CLI::App* command) { return command->get_name() == name; };
  const auto found = app.get_subcommands(called_so);
  return found.empty() ? nullptr : found.front();
}

}  // namespace

CommandOption CommandOption::Required() { return CommandOption(option_->required()); }

CommandOption CommandOption::Group(const std::string& heading) { return CommandOption(option_->group(heading)); }

CommandOption CommandOption::ValueName(const std::string& name) { return CommandOption(option_->type_name(name)); }

CommandOption CommandOption::Excludes(CommandOption other) { return CommandOption(option_->excludes(other.option_)); }

CommandOption CommandOption::Needs(CommandOption other) { return CommandOption(option_->needs(other.option_)); }

CommandOption CommandOption::OneValueEach() { return CommandOption(option_->allow_extra_args(false)); }

CommandOption CommandOption::SeparatedBy(char separator) { return CommandOption(option_->delimiter(separator)); }

CommandOption CommandOption::OneOf(const std::vector<std::string>& words) {
  return CommandOption(option_->check(CLI::IsMember(words)));
}

template <typename T>
CommandOption CommandOption::InRange(T least, T most) {
  return CommandOption(option_->check(CLI::Range(least, most)));
}
template CommandOption CommandOption::InRange(int, int);
template CommandOption CommandOption::InRange(unsigned, unsigned);
template CommandOption CommandOption::InRange(std::uint64_t, std::uint64_t);
template CommandOption CommandOption::InRange(double, double);

bool CommandOption::given() const { return option_->count() > 0; }

CommandSyntax CommandSyntax::AddCommand(const std::string& name, const std::string& description) {
  return CommandSyntax(command_->add_subcommand(name, description));
}

template <typename T>
CommandOption CommandSyntax::AddOption(const std::string& names, T& value, const std::string& description) {
  return CommandOption(command_->add_option(names, value, description));
}
template CommandOption CommandSyntax::AddOption(const std::string&, std::string&, const std::string&);
template CommandOption CommandSyntax::AddOption(const std::string&, int&, const std::string&);
template CommandOption CommandSyntax::AddOption(const std::string&, unsigned&, const std::string&);
template CommandOption CommandSyntax::AddOption(const std::string&, std::uint16_t&, const std::string&);
template CommandOption CommandSyntax::AddOption(const std::string&, std::uint64_t&, const std::string&);
template CommandOption CommandSyntax::AddOption(const std::string&, double&, const std::string&);
template CommandOption CommandSyntax::AddOption(const std::string&, std::optional<std::string>&, const std::string&);
template CommandOption CommandSyntax::AddOption(const std::string&, std::optional<double>&, const std::string&);
template CommandOption CommandSyntax::AddOption(const std::string&, std::vector<std::string>&, const std::string&);
template CommandOption CommandSyntax::AddOption(const std::string&, std::vector<unsigned>&, const std::string&);

CommandOption CommandSyntax::AddFlag(const std::string& names, bool& value, const std::string& description) {
  return CommandOption(command_->add_flag(names, value, description));
}

CommandOption CommandSyntax::AddParsedOption(const std::string& name,
                                             std::function<Result<void>(const std::string&)> take,
                                             const std::string& description, const std::string& variable) {
  const auto read = [command = command_, name, variable, take = std::move(take)](const std::string& text) {
    // A variable reaches the options of all commands, also of those that nobody named.
    if (!command->parsed()) return;
    const auto taken = take(text);
    if (taken) return;
    const auto& [message, hint] = taken.error();
    throw CLI::ValidationError(SourceOf(*command, name, variable),
                               hint.empty() ? message : fmt::format("{} ({})", message, hint));
  };
  auto* option = command_->add_option_function<std::string>(name, read, description);
  if (!variable.empty()) option->envname(variable);
  return CommandOption(option);
}

void CommandSyntax::Footer(const std::string& text) { command_->footer(text); }

void CommandSyntax::RequireCommand() { command_->require_subcommand(1); }

void CommandSyntax::TakeOptionsOfParent() { command_->fallthrough(); }

void CommandSyntax::OnChosen(std::function<void()> act) { command_->callback(std::move(act)); }

Result<std::string> CommandSyntax::Help(const std::vector<std::string>& words) {
  command_->clear();  // else the help would be that of the command that was parsed
  const auto* at = command_;
  std::string path;
  for (const auto& word : words) {
    const auto* next = FindCommand(*at, word);
    if (next == nullptr) return std::unexpected(UnknownCommand(*at, word));
    path += (path.empty() ? "" : " ") + at->get_name();
    at = next;
  }
  return at->help(path);
}

CommandLine::CommandLine(const std::string& name, const std::string& description, std::function<std::string()> version)
    : app_(std::make_unique<CLI::App>(description, name)) {
  app_->set_version_flag("-v,--version", std::move(version), "Prints the version");
}

CommandLine::~CommandLine() = default;

Result<bool> CommandLine::Parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    app_->exit(wanted);  // prints the help or the version on standard output
    return false;
  } catch (const CLI::ParseError& refusal) {
    return std::unexpected(DescribeMistake(*app_, refusal));
  }
  return true;
}

}  // namespace weir::app
