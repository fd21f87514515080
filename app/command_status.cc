#include "app/admin_option.h"
#include "app/commands.h"
#include "app/complain.h"
#include "app/json_text.h"
#include "app/terminal.h"
#include "control/admin_client.h"
#include "control/status_json.h"
#include "control/status_rates.h"
#include "control/status_text.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

constexpr std::chrono::seconds kRepaintInterval{1};
constexpr std::chrono::seconds kPatience{5};

struct StatusArguments {
  std::string admin;
  bool json = false;
  bool watch = false;
  bool history = false;
};

// Of each target and health check.
constexpr std::size_t kTransitionsShown = 5;

// Colours only for a person at a terminal who did not ask for none (no-color.org).
bool UseColours() { return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr; }

// The admin API's answer, or the reason why there is none.
Result<std::string> FetchStatus(const StatusArguments& arguments, std::chrono::milliseconds timeout) {
  const auto reply = control::CallAdmin(AdminEndpoint(arguments.admin), "GET", "/v1/status", {}, timeout);
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != 200) return Failure(fmt::format("the admin API answers {}: {}", reply->status, reply->body));
  return reply->body;
}

int PrintOnce(const StatusArguments& arguments) {
  const auto body = FetchStatus(arguments, kPatience);
  if (!body) return Complain(body.error(), kSystemRefused);
  if (arguments.json) {
    fmt::print("{}\n", *body);
    return kDone;
  }
  const auto report = control::ParseStatusJson(*body);
  if (!report) return Complain(report.error(), kSystemRefused);
  fmt::print("{}", control::StatusText(*report, {.colours = UseColours()}));
  return kDone;
}

// `blue 127.0.0.1:9001`, `health check eu`.
std::string SubjectOf(const boost::json::object& fields) {
  const std::string group = TextOf(fields, "target-group");
  return group.empty() ? "health check " + TextOf(fields, "health-check") : group + " " + TextOf(fields, "target");
}

// `healthy -> unhealthy: Target.Timeout, timed out`.
std::string TransitionText(const boost::json::object& fields) {
  std::string why = TextOf(fields, "reason");
  const std::string seen = TextOf(fields, "seen");
  if (!seen.empty()) why += (why.empty() ? "" : ", ") + seen;
  return fmt::format("{} -> {}{}{}", TextOf(fields, "from"), TextOf(fields, "to"), why.empty() ? "" : ": ", why);
}

// The last transitions of every target and health check, of those that the appliance still knows.
int PrintHistory(const StatusArguments& arguments) {
  const auto reply = control::CallAdmin(AdminEndpoint(arguments.admin), "GET", "/v1/events", {}, kPatience);
  if (!reply) return Complain(reply.error(), kSystemRefused);
  boost::system::error_code error;
  const auto parsed = boost::json::parse(reply->body, error);
  const auto* const events = error || !parsed.is_object() ? nullptr : parsed.get_object().if_contains("events");
  if (reply->status != 200 || events == nullptr || !events->is_array()) {
    return Complain({fmt::format("the admin API answers {}: {}", reply->status, reply->body), {}}, kSystemRefused);
  }
  std::map<std::string, std::vector<const boost::json::object*>> subjects;
  for (const boost::json::value& event : events->get_array()) {
    const auto& members = event.get_object();
    if (TextOf(members, "kind") != "health") continue;
    subjects[SubjectOf(members.at("fields").as_object())].push_back(&members);
  }
  if (arguments.json) {
    boost::json::object out;
    for (const auto& [subject, transitions] : subjects) {
      boost::json::array list;
      for (const auto* transition : transitions) list.push_back(*transition);
      out[subject] = std::move(list);
    }
    fmt::print("{}\n", boost::json::serialize(out));
    return kDone;
  }
  if (subjects.empty()) fmt::print("nothing has changed its health since the start\n");
  for (const auto& [subject, transitions] : subjects) {
    fmt::print("{}\n", subject);
    const std::size_t left_out = transitions.size() - std::min(transitions.size(), kTransitionsShown);
    if (left_out > 0) fmt::print("  ... {} before\n", left_out);
    for (std::size_t i = left_out; i < transitions.size(); ++i) {
      fmt::print("  {}  {}\n", TextOf(*transitions[i], "time"),
                 TransitionText(transitions[i]->at("fields").as_object()));
    }
  }
  return kDone;
}

// What is seen of an appliance that is asked again and again.
class Watched {
 public:
  explicit Watched(const StatusArguments& arguments) : arguments_(arguments) {}

  // Asks once more.
  void Ask() {
    const auto asked = std::chrono::steady_clock::now();
    auto body = FetchStatus(arguments_, kRepaintInterval);
    auto report = body ? control::ParseStatusJson(*body) : std::unexpected(body.error());
    if (!report) {
      failure_ = report.error();
      report_.reset();
      rates_.clear();
      return;
    }
    failure_.reset();
    rates_ = report_ ? control::RatesBetween(*report_, *report, asked - asked_) : FirstRates(*report);
    report_ = std::move(*report);
    asked_ = asked;
    body_ = std::move(*body);
  }

  // Why nothing is seen now; null when something is.
  [[nodiscard]] const Error* failure() const { return failure_ ? &*failure_ : nullptr; }
  [[nodiscard]] std::string Text() const {
    if (arguments_.json) return body_ + "\n";
    return control::StatusText(*report_, {.colours = UseColours(), .rates = rates_});
  }

 private:
  // There is nothing to compare with yet.
  static std::vector<control::GroupRate> FirstRates(const control::StatusReport& report) {
    return control::RatesBetween(report, report, kRepaintInterval);
  }

  const StatusArguments& arguments_;
  std::optional<Error> failure_;
  std::string body_;
  std::optional<control::StatusReport> report_;
  std::chrono::steady_clock::time_point asked_;
  std::vector<control::GroupRate> rates_;
};

// Fits the terminal until it is interrupted.
int WatchOnTerminal(Watched& watched) {
  const FullScreen screen(STDOUT_FILENO);
  auto next = std::chrono::steady_clock::now() + kRepaintInterval;
  for (;;) {
    const auto size = screen.Size();
    const auto* failure = watched.failure();
    const auto text = failure == nullptr ? watched.Text() : MessageOf(*failure);
    if (!screen.Paint(control::FitToTerminal(text, size.columns, size.rows))) return kDone;
    const auto event = screen.Wait(next);
    if (event == FullScreen::Event::kEnd) return kDone;
    if (event == FullScreen::Event::kResized) continue;
    watched.Ask();
    next = std::chrono::steady_clock::now() + kRepaintInterval;
  }
}

// The whole of it each time, for a file or a program that reads along; until Ctrl-C, whose default action ends the
// program, or until nobody reads.
int WatchIntoFile(Watched& watched) {
  for (;;) {
    if (const auto* failure = watched.failure(); failure == nullptr) {
      std::fputs(watched.Text().c_str(), stdout);
    } else {
      Complain(*failure, kSystemRefused);
    }
    if (std::fflush(stdout) != 0) return kDone;
    std::this_thread::sleep_for(kRepaintInterval);
    watched.Ask();
  }
}

int Watch(const StatusArguments& arguments) {
  Watched watched(arguments);
  watched.Ask();
  if (const auto* failure = watched.failure()) return Complain(*failure, kSystemRefused);
  const bool terminal = isatty(STDOUT_FILENO) == 1 && !arguments.json;
  return terminal ? WatchOnTerminal(watched) : WatchIntoFile(watched);
}

}  // namespace

void AddStatusCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<StatusArguments>();
  auto command = root.AddCommand("status", "Shows the running appliance: rules, targets, health checks, records");
  AddAdminOption(command, arguments->admin);
  command.AddFlag("--json", arguments->json, "print the admin API's answer as it is");
  auto watch =
      command.AddFlag("--watch", arguments->watch,
                      "repaint every second until Ctrl-C, with each target group's requests and errors a second\n"
                      "and its p99 of that second");
  command
      .AddFlag("--history", arguments->history,
               "how the health of each target and health check changed, what was seen and why")
      .Excludes(watch);
  command.Footer(
      "Example:  weir status --watch\n"
      "          weir status --history");
  command.OnChosen([arguments, &run] {
    run = [arguments] {
      if (arguments->history) return PrintHistory(*arguments);
      return arguments->watch ? Watch(*arguments) : PrintOnce(*arguments);
    };
  });
}

}  // namespace weir::app
