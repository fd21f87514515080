#include "proxy/routing/conditions/text_condition.h"

namespace weir::proxy {

// The request's host, without port; case does not count.
BuiltCondition BuildHostHeader(const config::Condition& condition, const std::string& path) {
  using HostHeader = TextCondition<&RequestFacts::host, CompiledCondition::LookedUpBy::kHost>;
  return HostHeader::Build("host-header", condition, path, CaseRule::kInsensitive, EscapeRule::kNone);
}

}  // namespace weir::proxy
