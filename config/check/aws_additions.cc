// Keys and values that are weir's own: `weir check --aws` warns of each where it stands.

#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/document/node.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <cstddef>
#include <string_view>

namespace weir::config {
namespace {

constexpr std::string_view kPrefix = "weir.";

void WarnOfAttributes(const Fields& owner, Findings& findings) {
  const Node* const attributes = owner.Map("attributes");
  if (attributes == nullptr) return;
  for (std::size_t i = 0; i < attributes->entries(); ++i) {
    const Node& key = attributes->key(i);
    const Node& value = attributes->value(i);
    if (key.text.starts_with(kPrefix)) {
      findings.AddWarning(key.position, fmt::format("AWS: `{}` is weir's own attribute", key.text), "leave it out");
    } else if (value.is_scalar() && value.text.starts_with(kPrefix)) {
      findings.AddWarning(value.position, fmt::format("AWS: `{}` is weir's own value of `{}`", value.text, key.text),
                          "one of AWS's");
    }
  }
}

}  // namespace

void CheckAwsAdditions(const Node& root, Findings& findings) {
  const Fields fields(root);
  for (const Node& balancer : fields.List("load-balancers")) {
    const Fields of_balancer(balancer);
    WarnOfAttributes(of_balancer, findings);
    for (const Node& listener : of_balancer.List("listeners")) WarnOfAttributes(Fields(listener), findings);
  }
  for (const Node& group : fields.List("target-groups")) {
    const Fields of_group(group);
    WarnOfAttributes(of_group, findings);
    for (const Node& target : of_group.List("targets")) {
      const Fields of_target(target);
      if (!of_target.Has("weight")) continue;
      findings.AddWarning(of_target.PositionOf("weight"), "AWS: `weight` of a target",
                          "every target of a group takes the same");
    }
  }
}

}  // namespace weir::config
