#include "app/commands.h"
#include "app/complain.h"
#include "app/log_entries.h"
#include "app/log_tests.h"
#include "app/offline_view.h"
#include "app/routing_test.h"
#include "logs/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace weir::app {
namespace {

void PrintIndented(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    fmt::print("      {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Prints PASS or FAIL and, for a failure, what differs and why; true when it passed.
bool Report(const control::View& view, const config::RoutingTest& test, const std::string& place) {
  const auto result = DecideRoutingTest(view, test);
  if (result && result->differences.empty()) {
    fmt::print("PASS  {}  {}\n", place, TitleOf(test));
    return true;
  }
  fmt::print("FAIL  {}  {}\n", place, TitleOf(test));
  if (!result) {
    fmt::print("    {}{}{}\n", result.error().message, result.error().hint.empty() ? "" : "; ", result.error().hint);
    return false;
  }
  for (const auto& difference : result->differences) {
    fmt::print("    {}\n    - expected {}\n    + got      {}\n", difference.what, difference.expected, difference.got);
  }
  fmt::print("    because\n");
  PrintIndented(result->explanation);
  return false;
}

int Test(const std::string& file) {
  const auto loaded = LoadOffline(file);
  if (!loaded.view) {
    const auto findings = loaded.diagnostics.FormatAll();
    std::fprintf(stderr, "%s%s", findings.c_str(), findings.ends_with('\n') ? "" : "\n");
    return kInputWrong;
  }
  const auto& model = *loaded.view->model;
  std::size_t failed = 0;
  for (const auto& test : model.tests) {
    const auto& names = loaded.diagnostics.files;
    const auto name = test.position.file < names.size() ? names[test.position.file] : file;
    if (!Report(*loaded.view, test, fmt::format("{}:{}", name, test.position.line))) ++failed;
  }
  fmt::print("{} passed, {} failed\n", model.tests.size() - failed, failed);
  return failed == 0 ? kDone : kInputWrong;
}

struct TestArguments {
  std::string file;
  std::vector<std::string> logs;
  int per_rule = 3;
};

// Writes `tests:` of what the logs say that happened.
int WriteTests(const TestArguments& arguments) {
  std::shared_ptr<const control::View> view;
  if (!arguments.file.empty()) {
    const auto loaded = LoadOffline(arguments.file);
    if (!loaded.view) {
      std::fputs(loaded.diagnostics.FormatAll().c_str(), stderr);
      return kInputWrong;
    }
    view = loaded.view;
  }
  LogTests tests(view, static_cast<std::size_t>(arguments.per_rule));
  const ExitCode end = EachLogEntry(arguments.logs, [&](const logs::Entry& entry) { tests.Add(entry); });
  if (end != kDone && tests.requests() == 0) return end;
  fmt::print("# {} tests of {} requests{}\n{}", tests.size(), tests.requests(),
             view == nullptr ? std::string() : fmt::format("; {} do not hold now", tests.failing()), tests.Yaml());
  return end;
}

}  // namespace

void AddTestCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<TestArguments>();
  auto command = root.AddCommand("test", "Runs the `tests` of a configuration file without opening a socket");
  command.AddOption("FILE", arguments->file, "the configuration file; with --from it may be left out");
  auto from = command
                  .AddOption("--from", arguments->logs,
                             "write tests of what this access log says instead of running any; may be repeated")
                  .OneValueEach()
                  .ValueName("LOG");
  command.AddOption("--per-rule", arguments->per_rule, "at most so many tests of what one rule did")
      .InRange(1, 1'000)
      .Needs(from);
  command.Footer(
      "Example:  weir test weir.yaml\n"
      "          weir test weir.yaml --from access.log > tests.yaml");
  command.OnChosen([arguments, &run] {
    run = [arguments] {
      if (!arguments->logs.empty()) return WriteTests(*arguments);
      if (arguments->file.empty()) return Complain({"FILE is required", "weir test FILE"}, kCommandLineWrong);
      return Test(arguments->file);
    };
  });
}

}  // namespace weir::app
