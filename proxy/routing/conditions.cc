#include "proxy/routing/conditions.h"

#include "proxy/routing/conditions/kinds.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {

std::expected<std::shared_ptr<const CompiledCondition>, std::vector<config::Diagnostic>> CompiledCondition::Build(
    const config::Condition& condition, const std::string& path) {
  // A kind that is missing here does not compile.
  switch (condition.kind) {
    case config::ConditionKind::kHostHeader:
      return BuildHostHeader(condition, path);
    case config::ConditionKind::kPathPattern:
      return BuildPathPattern(condition, path);
    case config::ConditionKind::kHttpHeader:
      return BuildHttpHeader(condition, path);
    case config::ConditionKind::kRequestMethod:
      return BuildRequestMethod(condition, path);
    case config::ConditionKind::kQueryString:
      return BuildQueryString(condition, path);
    case config::ConditionKind::kSourceIp:
      return BuildSourceIp(condition, path);
  }
  std::unreachable();
}

bool AllMatch(const Rule& rule, const RequestFacts& facts) {
  return std::ranges::all_of(rule.conditions, [&](const auto& condition) { return condition->Matches(facts); });
}

}  // namespace weir::proxy
