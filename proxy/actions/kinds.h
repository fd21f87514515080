#pragma once

// The actions that a rule can end with. Each has a kind, a function that builds it from what is configured, Run and
// Explain: an alternative that lacks one of them does not compile.

#include "proxy/actions/fixed_response.h"
#include "proxy/actions/forward.h"
#include "proxy/actions/redirect.h"

#include <cstdint>
#include <variant>

namespace weir::proxy {

using RuleAction = std::variant<Forward, Redirect, FixedResponse>;

[[nodiscard]] inline ActionKind KindOf(const RuleAction& action) {
  return std::visit([](const auto& kind) { return kind.kKind; }, action);
}

// `draws` counts the numbers that workers keep for the draws of a table. Thread: control.
[[nodiscard]] inline RuleAction BuildRuleAction(const config::Action& action, std::uint32_t& draws) {
  return std::visit([&](const auto& kind) { return RuleAction(BuildAction(kind, draws)); }, action);
}

}  // namespace weir::proxy
