#pragma once

#include "base/result.h"
#include "config/diagnostic.h"

#include <cstdint>
#include <expected>
#include <string>

namespace weir::proxy {
struct Listener;
struct Rule;
class RoutingTable;
}  // namespace weir::proxy

namespace weir::control {

// How calls name a rule.
struct RuleName {
  std::string load_balancer;
  std::uint16_t port = 0;      // as bound
  std::uint32_t priority = 0;  // 0: the default rule
  std::string name = {};       // where not empty, the rule's name instead of its priority
};

struct FoundRule {
  const proxy::Listener* listener = nullptr;
  const proxy::Rule* rule = nullptr;
};

// The rule of the table; an error that says what there is, or what is meant, where there is none. Thread: any.
[[nodiscard]] Result<FoundRule> FindRule(const proxy::RoutingTable& table, const RuleName& name);

}  // namespace weir::control
