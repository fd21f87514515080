#include "app/commands.h"
#include "app/offline_view.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

namespace weir::app {
namespace {

struct Arguments {
  std::string file;
  bool aws = false;
};

std::string Count(std::size_t number, const char* noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

int Check(const Arguments& arguments) {
  config::LoadOptions options;
  options.aws_limits = arguments.aws;
  const auto checked = LoadOffline(arguments.file, options);
  const auto findings = checked.diagnostics.FormatAll();
  if (!findings.empty()) std::fprintf(stderr, "%s%s", findings.c_str(), findings.ends_with('\n') ? "" : "\n");
  if (!checked.view) return kInputWrong;
  const auto& model = *checked.view->model;
  fmt::print("{}: ok ({}, {}, {}, {})\n", arguments.file, Count(model.load_balancers.size(), "load balancer"),
             Count(model.target_groups.size(), "target group"), Count(model.health_checks.size(), "health check"),
             Count(model.zones.size(), "zone"));
  return kDone;
}

}  // namespace

void AddCheckCommand(CLI::App& root, Command& run) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = root.add_subcommand("check", "Checks a configuration file and says everything that is wrong with it");
  command->add_option("FILE", arguments->file, "the configuration file")->required();
  command->add_flag("--aws", arguments->aws, "also warn about what AWS itself would refuse or read differently");
  command->footer("Example:  weir check --aws weir.yaml");
  command->callback([arguments, &run] { run = [arguments] { return Check(*arguments); }; });
}

}  // namespace weir::app
