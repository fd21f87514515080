#include "app/command_bench_options.h"

#include "app/admin_option.h"
#include "app/complain.h"

#include <cstdio>

namespace weir::app {
namespace {

ExitCode CodeOf(bench::RefusalCause cause) {
  switch (cause) {
    case bench::RefusalCause::kArguments:
      return kCommandLineWrong;
    case bench::RefusalCause::kInput:
      return kInputWrong;
    case bench::RefusalCause::kSystem:
      break;
  }
  return kSystemRefused;
}

}  // namespace

void AddVerdictOptions(CommandSyntax command, bench::VerdictArguments& arguments, const std::string& expect_help) {
  constexpr auto kGroup = "Success";
  command.AddOption("--expect", arguments.expect, expect_help).ValueName("ANSWERS").Group(kGroup);
  command
      .AddOption("--fail-if", arguments.fail_if,
                 "exit code 1 when this holds: 'errors>0.1%', 'p99>50ms,completed<99%' ...; may be repeated")
      .OneValueEach()
      .ValueName("CONDITIONS")
      .Group(kGroup);
}

void AddOutputOptions(CommandSyntax command, bench::OutputArguments& arguments) {
  auto json = command.AddFlag("--json", arguments.json, "print the result as JSON instead of a table");
  json.Group("Output");
  command.AddOption("--report", arguments.report, "write the result as one self-contained HTML page to this file")
      .ValueName("FILE")
      .Group("Output");
  auto quiet = command.AddFlag("--quiet", arguments.quiet, "show no progress");
  quiet.Group("Output");
  command.AddFlag("--progress", arguments.progress, "show progress where standard error is no terminal too")
      .Excludes(quiet)
      .Group("Output");
  const auto take = [&arguments](const std::string& text) -> Result<void> {
    auto endpoint = ParseAdminEndpoint(text);
    if (!endpoint) return std::unexpected(endpoint.error());
    arguments.admin = *endpoint;
    return {};
  };
  command
      .AddParsedOption(
          "--admin", take,
          "ADDRESS:PORT of the admin API of the appliance under load: its events are shown with the result")
      .ValueName("ADDRESS:PORT")
      .Group("Output");
}

int Complain(const bench::Refusal& refusal) {
  const ExitCode code = CodeOf(refusal.cause);
  if (refusal.findings.empty()) return Complain(refusal.error, code);
  std::fputs(refusal.findings.c_str(), stderr);
  return code;
}

}  // namespace weir::app
