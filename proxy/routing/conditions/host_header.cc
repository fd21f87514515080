#include "proxy/routing/conditions/text_condition.h"

namespace weir::proxy {

// The request's host, without port.
BuiltCondition BuildHostHeader(const config::Condition& condition, const std::string& path) {
  using HostHeader = TextCondition<&RequestFacts::host, CompiledCondition::LookedUpBy::kHost>;
  return HostHeader::Build(condition, path);
}

}  // namespace weir::proxy
