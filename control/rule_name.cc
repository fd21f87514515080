#include "control/rule_name.h"

#include "base/text.h"
#include "proxy/routing/routing_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace weir::control {
namespace {

Result<FoundRule> FindRuleOf(const proxy::Listener& listener, const RuleName& asked) {
  const auto where = fmt::format("{}/{}", asked.load_balancer, asked.port);
  if (asked.name.empty()) {
    const auto rule = std::ranges::find(listener.rules, asked.priority, &proxy::Rule::priority);
    if (rule != listener.rules.end()) return FoundRule{&listener, &*rule};
    return Failure(fmt::format("{} has no rule {}", where, asked.priority),
                   "GET /v1/status lists the rules; the default rule is `default`");
  }
  std::vector<std::string_view> names = {"default"};
  for (const auto& rule : listener.rules) {
    if (rule.name == asked.name) return FoundRule{&listener, &rule};
    if (!rule.name.empty()) names.push_back(rule.name);
  }
  const auto near = NearestWord(asked.name, names);
  return Failure(
      fmt::format("{} has no rule {}", where, asked.name),
      near.empty() ? "a rule is its name, its priority or `default`" : fmt::format("did you mean {}?", near));
}

}  // namespace

Result<FoundRule> FindRule(const proxy::RoutingTable& table, const RuleName& asked) {
  bool known_balancer = false;
  std::string ports;
  for (const auto& listener : table.listeners()) {
    if (listener->load_balancer != asked.load_balancer) continue;
    known_balancer = true;
    ports += fmt::format("{}{}", ports.empty() ? "" : ", ", listener->port);
    if (listener->port == asked.port) return FindRuleOf(*listener, asked);
  }
  if (known_balancer) {
    return Failure(fmt::format("load balancer {} has no listener on port {}", asked.load_balancer, asked.port),
                   "its ports: " + ports);
  }
  std::vector<std::string_view> names;
  for (const auto& listener : table.listeners()) names.push_back(listener->load_balancer);
  const auto near = NearestWord(asked.load_balancer, names);
  return Failure(fmt::format("there is no load balancer {}", asked.load_balancer),
                 near.empty() ? std::string() : fmt::format("did you mean {}?", near));
}

}  // namespace weir::control
