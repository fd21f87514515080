#include "app/admin_change.h"
#include "app/admin_option.h"
#include "app/commands.h"
#include "app/complain.h"
#include "base/printable.h"
#include "control/admin_client.h"
#include "control/status_json.h"
#include "control/zonal_shift.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>

namespace weir::app {
namespace {

struct ZonalShiftArguments {
  std::string zone;
  std::string expires;
  std::string comment;
  bool force = false;
  bool json = false;
  std::string admin;
};

int Start(const ZonalShiftArguments& arguments) {
  if (const auto expiry = control::ParseExpiry(arguments.expires); !expiry) {
    return Complain(expiry.error(), kCommandLineWrong);
  }
  boost::json::object body{{"away-from", arguments.zone}, {"expires-in", arguments.expires}};
  if (!arguments.comment.empty()) body["comment"] = arguments.comment;
  if (arguments.force) body["force"] = true;
  const AdminChange change{
      .method = "PUT",
      .path = {"zonal-shift"},
      .body = boost::json::serialize(body),
      .said = fmt::format("new requests leave zone {} for {}", Printable(arguments.zone), arguments.expires)};
  return MakeAdminChange(AdminEndpoint(arguments.admin), change, arguments.json);
}

int Cancel(const ZonalShiftArguments& arguments) {
  const AdminChange change{
      .method = "DELETE", .path = {"zonal-shift"}, .body = {}, .said = "the zonal shift is cancelled"};
  return MakeAdminChange(AdminEndpoint(arguments.admin), change, arguments.json);
}

int ShowShifts(const ZonalShiftArguments& arguments) {
  const auto reply = control::CallAdmin(AdminEndpoint(arguments.admin), "GET", "/v1/zonal-shift");
  if (!reply) return Complain(reply.error(), kSystemRefused);
  if (reply->status != 200) {
    return Complain({fmt::format("the admin API answers {}: {}", reply->status, reply->body), {}}, kSystemRefused);
  }
  const auto shift = control::ParseZonalShiftJson(reply->body);
  if (!shift) return Complain(shift.error(), kSystemRefused);
  if (arguments.json) {
    fmt::print("{}\n", reply->body);
    return kDone;
  }
  if (!*shift) {
    fmt::print("no zonal shift\n");
    return kDone;
  }
  const control::ZonalShiftReport& found = **shift;
  fmt::print("zone {}: {}, started {}, {} {}\n", Printable(found.zone), found.status, found.started,
             found.status == "ACTIVE" ? "expires" : "was to expire", found.expires);
  if (!found.comment.empty()) fmt::print("comment: {}\n", Printable(found.comment));
  if (found.status == "ACTIVE") {
    for (const auto& name : found.load_balancers) fmt::print("load balancer {}\n", Printable(name));
    if (!found.survives) fmt::print("a restart ends it: there is no state directory\n");
  }
  return kDone;
}

}  // namespace

void AddZonalShiftCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<ZonalShiftArguments>();
  auto command = root.AddCommand("zonal-shift", "Leads new requests away from an availability zone, for a time");
  command.RequireCommand();
  const auto add = [&](const char* name, const char* description, int (*what)(const ZonalShiftArguments&)) {
    auto added = command.AddCommand(name, description);
    added.AddFlag("--json", arguments->json, "print the admin API's answer as it is");
    AddAdminOption(added, arguments->admin);
    added.OnChosen([arguments, &run, what] { run = [arguments, what] { return what(*arguments); }; });
    return added;
  };
  auto start = add("start", "Begins a shift: no new requests for the zone's targets, its addresses leave DNS", Start);
  start.AddOption("ZONE", arguments->zone, "the zone to leave, as `zones` of load balancers name it").Required();
  start.AddOption("--expires", arguments->expires, "when it ends by itself: 90s, 30m, 1h, up to 72h").Required();
  start.AddOption("--comment", arguments->comment, "why, at most 128 bytes");
  start.AddFlag("--force", arguments->force, "though a target group has no healthy target elsewhere");
  start.Footer("Example:  weir zonal-shift start a --expires 1h --comment \"power is failing\"");
  add("cancel", "Ends the shift that is under way", Cancel).Footer("Example:  weir zonal-shift cancel");
  add("status", "Shows the shift that is under way, or the last one", ShowShifts)
      .Footer("Example:  weir zonal-shift status --json");
  command.Footer(
      "It concerns load balancers with `zones` and `zonal_shift.config.enabled: true`. What is in flight is finished.\n"
      "Example:  weir zonal-shift start a --expires 1h");
}

}  // namespace weir::app
