#include "app/commands.h"
#include "app/offline_view.h"
#include "config/forwarding.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace weir::app {
namespace {

struct CheckArguments {
  std::string file;
  bool aws = false;
};

std::string Count(std::size_t number, const char* noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

// Why the file cannot be written by this user; empty when it can, or could be made.
std::string WriteFailure(const std::string& path) {
  if (path == "-") return {};
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return std::strerror(EISDIR);
  if (faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0) return {};
  if (errno != ENOENT) return std::strerror(errno);
  auto directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) directory = ".";
  return faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? "" : std::strerror(errno);
}

void CheckLog(const config::LogFile& log, std::string_view noun, config::Diagnostics& diagnostics) {
  const std::string failure = WriteFailure(log.path);
  if (failure.empty()) return;
  diagnostics.items.push_back({.severity = config::Severity::kWarning,
                               .position = log.position,
                               .path = "",
                               .message = std::string(noun) + " " + log.path + " cannot be written here: " + failure,
                               .hint = "`weir run` would refuse to start"});
}

// Warnings only: the appliance may run elsewhere, or as another user.
void CheckLogs(const config::Model& model, config::Diagnostics& diagnostics) {
  for (const auto& balancer : model.load_balancers) {
    config::EachLog(balancer,
                    [&](const config::LogFile& log, std::string_view noun) { CheckLog(log, noun, diagnostics); });
  }
}

int Check(const CheckArguments& arguments) {
  config::LoadOptions options;
  options.aws_limits = arguments.aws;
  auto checked = LoadOffline(arguments.file, options);
  if (checked.view) CheckLogs(*checked.view->model, checked.diagnostics);
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

void AddCheckCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<CheckArguments>();
  auto command = root.AddCommand("check", "Checks a configuration file and says everything that is wrong with it");
  command.AddOption("FILE", arguments->file, "the configuration file").Required();
  command.AddFlag("--aws", arguments->aws, "also warn about what AWS itself would refuse or read differently");
  command.Footer("Example:  weir check --aws weir.yaml");
  command.OnChosen([arguments, &run] { run = [arguments] { return Check(*arguments); }; });
}

}  // namespace weir::app
