#include "app/commands.h"
#include "app/offline_view.h"
#include "app/routing_test.h"

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

}  // namespace

void AddTestCommand(CommandSyntax root, Command& run) {
  auto file = std::make_shared<std::string>();
  auto command = root.AddCommand("test", "Runs the `tests` of a configuration file without opening a socket");
  command.AddOption("FILE", *file, "the configuration file").Required();
  command.Footer("Example:  weir test weir.yaml");
  command.OnChosen([file, &run] { run = [file] { return Test(*file); }; });
}

}  // namespace weir::app
