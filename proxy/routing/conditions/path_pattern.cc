#include "proxy/routing/conditions/text_condition.h"

namespace weir::proxy {

// The normalised path, without the query. Patterns are normalised like it.
BuiltCondition BuildPathPattern(const config::Condition& condition, const std::string& path) {
  using PathPattern = TextCondition<&RequestFacts::path, CompiledCondition::LookedUpBy::kPath>;
  return PathPattern::Build(condition, path);
}

}  // namespace weir::proxy
