#include "app/appliance.h"
#include "app/commands.h"
#include "app/complain.h"
#include "app/configuration.h"
#include "app/process.h"
#include "app/signals.h"
#include "base/log.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

namespace weir::app {
namespace {

constexpr unsigned kWorkersMax = 256;

struct RunArguments {
  std::string file;
  std::string state;
  unsigned workers = 0;
  unsigned drain_timeout_seconds = 30;
  std::string log_level = "info";
};

// The CPUs that this process may use, which can be fewer than the machine has.
unsigned UsableCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::clamp(static_cast<unsigned>(CPU_COUNT(&set)), 1U, kWorkersMax);
}

LogLevel ParseLogLevel(const std::string& text) {
  if (text == "debug") return LogLevel::kDebug;
  if (text == "warning") return LogLevel::kWarning;
  if (text == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

int Run(const RunArguments& arguments) {
  BlockSignals();
  RaiseDescriptorLimit();
  SetLogLevel(ParseLogLevel(arguments.log_level));
  auto functions = StartFunctionPool();
  if (!functions) return Complain(functions.error(), kSystemRefused);
  ApplianceOptions options;
  options.functions = std::move(*functions);
  options.name = arguments.file;
  options.load = [file = arguments.file] { return LoadConfiguration(file, {.hide_environment = true}); };
  options.state_directory = arguments.state;
  options.workers = arguments.workers == 0 ? UsableCpus() : arguments.workers;
  options.drain_timeout = std::chrono::seconds(arguments.drain_timeout_seconds);
  RunningAppliance appliance(std::move(options));
  const auto failure = appliance.Run();
  return failure ? ReportStartFailure(*failure) : kDone;
}

}  // namespace

int ReportStartFailure(const StartFailure& failure) {
  if (failure.diagnostics.has_errors()) {
    const auto findings = failure.diagnostics.FormatAll();
    std::fprintf(stderr, "%s%s", findings.c_str(), findings.ends_with('\n') ? "" : "\n");
    return kInputWrong;
  }
  std::fprintf(stderr, "weir: %s%s%s\n", failure.error.message.c_str(), failure.error.hint.empty() ? "" : "; ",
               failure.error.hint.c_str());
  return kSystemRefused;
}

void AddRunCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<RunArguments>();
  auto command = root.AddCommand("run", "Serves a configuration until SIGTERM (drains) or SIGINT twice (at once)");
  command.AddOption("FILE", arguments->file, "the configuration file").Required();
  command.AddOption("--state", arguments->state,
                    "the directory of what outlives the program, in the place of the file's state.directory");
  command.AddOption("--workers", arguments->workers, "worker threads; default: one for each usable CPU")
      .InRange(1U, kWorkersMax);
  command
      .AddOption("--drain-timeout", arguments->drain_timeout_seconds,
                 "seconds that requests in flight get after SIGTERM; default 30")
      .InRange(0U, 86'400U);
  command.AddOption("--log-level", arguments->log_level, "debug, info, warning or error; default info")
      .OneOf({"debug", "info", "warning", "error"});
  command.Footer(
      "Reloads on SIGHUP and when the file changes; SIGUSR1 reopens the logs.\n"
      "Example:  weir run /etc/weir/weir.yaml");
  command.OnChosen([arguments, &run] { run = [arguments] { return Run(*arguments); }; });
}

}  // namespace weir::app
