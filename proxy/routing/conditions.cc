#include "proxy/routing/conditions.h"

#include "proxy/routing/conditions/kinds.h"

#include <algorithm>
#include <variant>

namespace weir::proxy {

std::expected<std::shared_ptr<const CompiledCondition>, std::vector<config::Diagnostic>> CompiledCondition::Build(
    const config::Condition& condition, const std::string& path) {
  // A kind without a BuildCondition of its own does not compile.
  return std::visit([&](const auto& kind) { return BuildCondition(kind, path); }, condition.kind);
}

bool AllMatch(const Rule& rule, const RequestFacts& facts) {
  return std::ranges::all_of(rule.conditions, [&](const auto& condition) { return condition->Matches(facts); });
}

}  // namespace weir::proxy
