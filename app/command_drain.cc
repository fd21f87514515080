#include "app/admin_change.h"
#include "app/admin_option.h"
#include "app/commands.h"
#include "app/complain.h"
#include "base/ip_address.h"

#include <fmt/format.h>

#include <memory>
#include <string>

namespace weir::app {
namespace {

struct DrainArguments {
  std::string group;
  std::string target;
  bool undo = false;
  bool json = false;
  std::string admin;
};

int Drain(const DrainArguments& arguments) {
  const auto target = Endpoint::Parse(arguments.target);
  if (!target) {
    return Complain({fmt::format("`{}` is no target", arguments.target),
                     "write ADDRESS:PORT, an IPv6 address in brackets, as `weir status` shows them"},
                    kCommandLineWrong);
  }
  const AdminChange change{
      .method = arguments.undo ? "DELETE" : "PUT",
      .path = {"target-groups", arguments.group, "targets", target->ToString(), "admin-state"},
      .body = arguments.undo ? "" : R"({"state": "draining"})",
      .said = fmt::format("{} of {}: {}", target->ToString(), arguments.group,
                          arguments.undo ? "as measured" : "draining, what is in flight is finished")};
  return MakeAdminChange(AdminEndpoint(arguments.admin), change, arguments.json);
}

}  // namespace

void AddDrainCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<DrainArguments>();
  auto command = root.AddCommand("drain", "Takes a target out of its group: no new requests, none lost");
  command.AddOption("GROUP", arguments->group, "the target group").Required();
  command.AddOption("TARGET", arguments->target, "ADDRESS:PORT, an IPv6 address in brackets").Required();
  command.AddFlag("--undo", arguments->undo, "take the order away: the target is what its health checks measure");
  command.AddFlag("--json", arguments->json, "print the admin API's answer as it is");
  AddAdminOption(command, arguments->admin);
  command.Footer(
      "The order holds until --undo, through reloads.\n"
      "Example:  weir drain blue 127.0.0.1:9001\n"
      "          weir drain blue 127.0.0.1:9001 --undo");
  command.OnChosen([arguments, &run] { run = [arguments] { return Drain(*arguments); }; });
}

}  // namespace weir::app
