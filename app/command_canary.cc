#include "app/admin_change.h"
#include "app/admin_option.h"
#include "app/commands.h"
#include "app/complain.h"
#include "base/printable.h"
#include "config/document/scalar.h"
#include "control/admin_client.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

namespace json = boost::json;

struct CanaryArguments {
  std::string listener;
  std::string rule;
  std::string percent;
  std::string group;
  bool json = false;
  std::string admin;
};

// Segments after /v1.
Result<std::vector<std::string>> CanaryPath(const CanaryArguments& arguments) {
  const auto colon = arguments.listener.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == arguments.listener.size()) {
    return Failure(fmt::format("`{}` is no listener", arguments.listener),
                   "write LOAD-BALANCER:PORT, as `weir status` shows them");
  }
  return std::vector<std::string>{"load-balancers", arguments.listener.substr(0, colon),
                                  "listeners",      arguments.listener.substr(colon + 1),
                                  "rules",          arguments.rule,
                                  "canary"};
}

int Make(const CanaryArguments& arguments, std::string_view method, std::string body, std::string_view what,
         std::string_view last = {}) {
  auto path = CanaryPath(arguments);
  if (!path) return Complain(path.error(), kCommandLineWrong);
  if (!last.empty()) path->emplace_back(last);
  const AdminChange change{.method = method,
                           .path = std::move(*path),
                           .body = std::move(body),
                           .said = fmt::format("{} rule {}: {}", arguments.listener, arguments.rule, what)};
  return MakeAdminChange(AdminEndpoint(arguments.admin), change, arguments.json);
}

int Set(const CanaryArguments& arguments) {
  const auto percent = config::ParseNumber(arguments.percent);
  if (!percent || *percent < 0 || *percent > 100) {
    return Complain({fmt::format("`{}` is no percent", arguments.percent), "from 0.0 to 100.0"}, kCommandLineWrong);
  }
  json::object body{{"percent", *percent}};
  if (!arguments.group.empty()) body["target-group"] = arguments.group;
  return Make(arguments, "PUT", json::serialize(body), fmt::format("the canary gets {} %", arguments.percent));
}

int Promote(const CanaryArguments& arguments) {
  return Make(arguments, "POST", {}, "the canary is the stage now, and gets all", "promote");
}

int Disable(const CanaryArguments& arguments) { return Make(arguments, "DELETE", {}, "the stage gets all"); }

int Status(const CanaryArguments& arguments) {
  const auto segments = CanaryPath(arguments);
  if (!segments) return Complain(segments.error(), kCommandLineWrong);
  std::string path = "/v1";
  for (const auto& segment : *segments) path += "/" + PercentEncode(segment);
  const auto reply = control::CallAdmin(AdminEndpoint(arguments.admin), "GET", path);
  if (!reply) return Complain(reply.error(), kSystemRefused);
  boost::system::error_code error;
  const json::value parsed = json::parse(reply->body, error);
  if (error || !parsed.is_object()) {
    return Complain({fmt::format("the admin API answers {}: {}", reply->status, reply->body), {}}, kSystemRefused);
  }
  const json::object& members = parsed.get_object();
  const auto text = [&](std::string_view key) {
    const json::value* const value = members.if_contains(key);
    return value != nullptr && value->is_string() ? Printable(value->get_string()) : std::string();
  };
  if (reply->status != 200) {
    return Complain({text("error"), text("hint")}, reply->status == 404 ? kCommandLineWrong : kSystemRefused);
  }
  if (arguments.json) {
    fmt::print("{}\n", reply->body);
    return kDone;
  }
  fmt::print("stage {}\n", text("stage"));
  if (text("canary").empty()) {
    fmt::print("no canary\n");
    return kDone;
  }
  fmt::print("canary {}: {:.4g} %\n", text("canary"), members.at("percent").to_number<double>());
  if (members.at("overridden").is_bool() && members.at("overridden").get_bool()) {
    fmt::print("by weights that `weir weights` set\n");
  }
  if (!text("access-log").empty()) fmt::print("access log {}\n", text("access-log"));
  return kDone;
}

}  // namespace

void AddCanaryCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<CanaryArguments>();
  auto command = root.AddCommand("canary", "Gives a share of a rule's requests to a second target group on trial");
  command.RequireCommand();
  const auto add = [&](const char* name, const char* description, int (*what)(const CanaryArguments&)) {
    auto added = command.AddCommand(name, description);
    added.AddOption("LISTENER", arguments->listener, "LOAD-BALANCER:PORT, as `weir status` shows them").Required();
    added.AddOption("RULE", arguments->rule, "the rule's name, its priority, or `default`").Required();
    added.AddFlag("--json", arguments->json, "print the admin API's answer as it is");
    AddAdminOption(added, arguments->admin);
    added.OnChosen([arguments, &run, what] { run = [arguments, what] { return what(*arguments); }; });
    return added;
  };
  auto set = add("set", "Shifts a share of the requests to the canary, and begins one where there is none", Set);
  set.AddOption("--percent", arguments->percent, "of the requests: 0.0 to 100.0, in tenths").Required();
  set.AddOption("--group", arguments->group, "the target group on trial; default: the one that there is");
  set.Footer("Example:  weir canary set shop:8080 default --percent 2.5 --group green");
  add("promote", "Gives all requests to the canary's target group, which becomes the stage's", Promote)
      .Footer(
          "The group that was the stage's is what the next canary begins with, at 0 %.\n"
          "Example:  weir canary promote shop:8080 default");
  add("disable", "Gives all requests back to the stage, and ends the canary", Disable)
      .Footer("Example:  weir canary disable shop:8080 default");
  add("status", "Shows stage, canary and share", Status)
      .Footer("Example:  weir canary status shop:8080 default --json");
  command.Footer(
      "Each step edits the live document, as `weir edit` does: it serves until the file is reloaded. The canary's\n"
      "requests are logged apart.\n"
      "Example:  weir canary set shop:8080 default --percent 10 --group green");
}

}  // namespace weir::app
