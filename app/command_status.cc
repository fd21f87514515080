#include "app/admin_option.h"
#include "app/commands.h"
#include "app/complain.h"
#include "control/admin_client.h"
#include "control/status_json.h"
#include "control/status_text.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

namespace weir::app {
namespace {

constexpr std::chrono::seconds kRepaintInterval{1};

struct Arguments {
  std::string admin;
  bool json = false;
  bool watch = false;
};

// Colours only for a person at a terminal who did not ask for none (no-color.org).
bool UseColours() { return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr; }

// The text to print, or the reason why there is none.
Result<std::string> FetchStatus(const Arguments& arguments) {
  const auto reply = control::CallAdmin(AdminEndpoint(arguments.admin), "GET", "/v1/status");
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != 200) return Failure(fmt::format("the admin API answers {}: {}", reply->status, reply->body));
  if (arguments.json) return reply->body + "\n";
  const auto report = control::ParseStatusJson(reply->body);
  if (!report) return std::unexpected(report.error());
  return control::StatusText(*report, {.colours = UseColours()});
}

int PrintOnce(const Arguments& arguments) {
  const auto text = FetchStatus(arguments);
  if (!text) return Complain(text.error(), kSystemRefused);
  std::fputs(text->c_str(), stdout);
  return kDone;
}

// Until Ctrl-C, whose default action ends the program.
int Watch(const Arguments& arguments) {
  constexpr auto kClear = "\x1b[H\x1b[2J";
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  bool answered = false;
  for (;;) {
    const auto text = FetchStatus(arguments);
    if (!text && !answered) return PrintOnce(arguments);
    answered = true;
    if (terminal) std::fputs(kClear, stdout);
    std::fputs(text ? text->c_str() : (text.error().message + "\n").c_str(), stdout);
    if (std::fflush(stdout) != 0) return kDone;
    std::this_thread::sleep_for(kRepaintInterval);
  }
}

}  // namespace

void AddStatusCommand(CLI::App& root, Command& run) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = root.add_subcommand("status", "Shows the running appliance: rules, targets, health checks, records");
  AddAdminOption(*command, arguments->admin);
  command->add_flag("--json", arguments->json, "print the admin API's answer as it is");
  command->add_flag("--watch", arguments->watch, "repaint every second until Ctrl-C");
  command->footer("Example:  weir status --watch");
  command->callback([arguments, &run] {
    run = [arguments] { return arguments->watch ? Watch(*arguments) : PrintOnce(*arguments); };
  });
}

}  // namespace weir::app
