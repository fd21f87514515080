#include "app/admin_change.h"
#include "app/admin_option.h"
#include "app/commands.h"
#include "app/complain.h"
#include "base/text.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::app {
namespace {

constexpr std::uint64_t kWeightMax = 999;

struct WeightsArguments {
  std::string listener;
  std::string rule;
  std::vector<std::string> weights;
  bool reset = false;
  bool json = false;
  std::string admin;
};

// `blue=0 green=100` as the body of the call.
Result<boost::json::object> ParseWeights(const std::vector<std::string>& words) {
  boost::json::object out;
  for (const auto& word : words) {
    const auto equals = word.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return Failure(fmt::format("`{}` is no weight", word), "write GROUP=WEIGHT, for example blue=0");
    }
    const auto weight = ParseDecimal(std::string_view(word).substr(equals + 1));
    if (!weight || *weight > kWeightMax) {
      return Failure(fmt::format("`{}` is no weight", word), "a weight is a whole number from 0 to 999");
    }
    const auto group = word.substr(0, equals);
    if (out.contains(group)) return Failure(fmt::format("the weight of {} is given twice", group));
    out[group] = *weight;
  }
  return out;
}

Result<AdminChange> PlanChange(const WeightsArguments& arguments) {
  const auto colon = arguments.listener.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == arguments.listener.size()) {
    return Failure(fmt::format("`{}` is no listener", arguments.listener),
                   "write LOAD-BALANCER:PORT, as `weir status` shows them");
  }
  if (arguments.reset != arguments.weights.empty()) {
    return arguments.reset
               ? Failure("--reset takes no weights", "it gives the file's weights back")
               : Failure("no weights are given", "write GROUP=WEIGHT for each group of the rule, or --reset");
  }
  const auto weights = ParseWeights(arguments.weights);
  if (!weights) return std::unexpected(weights.error());
  std::string words;
  for (const auto& word : arguments.weights) words += " " + word;
  return AdminChange{.method = arguments.reset ? "DELETE" : "PUT",
                     .path = {"load-balancers", arguments.listener.substr(0, colon), "listeners",
                              arguments.listener.substr(colon + 1), "rules", arguments.rule, "weights"},
                     .body = arguments.reset ? std::string() : boost::json::serialize(*weights),
                     .said = fmt::format("{} rule {}:{}", arguments.listener, arguments.rule,
                                         arguments.reset ? " the weights of the file" : words)};
}

int Weights(const WeightsArguments& arguments) {
  const auto change = PlanChange(arguments);
  if (!change) return Complain(change.error(), kCommandLineWrong);
  return MakeAdminChange(AdminEndpoint(arguments.admin), *change, arguments.json);
}

}  // namespace

void AddWeightsCommand(CommandSyntax root, Command& run) {
  auto arguments = std::make_shared<WeightsArguments>();
  auto command = root.AddCommand("weights", "Shifts the requests of a rule between its target groups, at once");
  command.AddOption("LISTENER", arguments->listener, "LOAD-BALANCER:PORT, as `weir status` shows them").Required();
  command.AddOption("RULE", arguments->rule, "the rule's name, its priority, or `default`").Required();
  command.AddOption("WEIGHTS", arguments->weights,
                    "GROUP=WEIGHT for every target group of the rule, each from 0 to 999");
  command.AddFlag("--reset", arguments->reset, "give the weights of the file back");
  command.AddFlag("--json", arguments->json, "print the admin API's answer as it is");
  AddAdminOption(command, arguments->admin);
  command.Footer(
      "The weights hold until --reset, through reloads; no request in flight notices.\n"
      "Example:  weir weights shop:8080 default blue=0 green=100\n"
      "          weir weights shop:8080 default --reset");
  command.OnChosen([arguments, &run] { run = [arguments] { return Weights(*arguments); }; });
}

}  // namespace weir::app
