#include "app/command_bench_options.h"

#include "app/admin_option.h"
#include "app/complain.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

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

void AddVerdictOptions(CLI::App& command, bench::VerdictArguments& arguments, const std::string& expect_help) {
  constexpr auto kGroup = "Success";
  command.add_option("--expect", arguments.expect, expect_help)->type_name("ANSWERS")->group(kGroup);
  command
      .add_option("--fail-if", arguments.fail_if,
                  "exit code 1 when this holds: 'errors>0.1%', 'p99>50ms,completed<99%' ...; may be repeated")
      ->allow_extra_args(false)
      ->type_name("CONDITIONS")
      ->group(kGroup);
}

void AddOutputOptions(CLI::App& command, bench::OutputArguments& arguments) {
  auto* json = command.add_flag("--json", arguments.json, "print the result as JSON instead of a table");
  json->group("Output");
  command.add_option("--report", arguments.report, "write the result as one self-contained HTML page to this file")
      ->type_name("FILE")
      ->group("Output");
  auto* quiet = command.add_flag("--quiet", arguments.quiet, "show no progress");
  quiet->group("Output");
  command.add_flag("--progress", arguments.progress, "show progress where standard error is no terminal too")
      ->excludes(quiet)
      ->group("Output");
  command
      .add_option_function<std::string>(
          "--admin", [&arguments](const std::string& text) { arguments.admin = AdminEndpoint(text); },
          "ADDRESS:PORT of the admin API of the appliance under load: its events are shown with the result")
      ->check([](const std::string& text) {
        const auto endpoint = Endpoint::Parse(text);
        return endpoint ? std::string() : endpoint.error().message + " (write ADDRESS:PORT, [::1]:9900 for IPv6)";
      })
      ->type_name("ADDRESS:PORT")
      ->group("Output");
}

int Complain(const bench::Refusal& refusal) {
  const ExitCode code = CodeOf(refusal.cause);
  if (refusal.findings.empty()) return Complain(refusal.error, code);
  std::fputs(refusal.findings.c_str(), stderr);
  return code;
}

}  // namespace weir::app
