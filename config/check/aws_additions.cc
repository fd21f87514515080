// Keys and values that are weir's own: `weir check --aws` warns of each where it stands.

#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/document/node.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
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

void WarnOfKeys(const Node& node, const Object& object, Findings& findings);

// What stands under a key: a map, or a list of them.
void WarnBelow(const Node& value, const Field& field, Findings& findings) {
  if (field.object == nullptr) return;
  if (value.is_map()) WarnOfKeys(value, *field.object, findings);
  if (!value.is_list()) return;
  for (const Node& item : value.children) {
    if (item.is_map()) WarnOfKeys(item, *field.object, findings);
  }
}

// The keys of the tables that are marked as additions. `node` is a map.
void WarnOfKeys(const Node& node, const Object& object, Findings& findings) {
  for (std::size_t i = 0; i < node.entries(); ++i) {
    const Node& value = node.value(i);
    const Field* const field = FindField(object, node.key(i).text);
    if (field == nullptr) continue;
    if (field->addition.empty()) {
      WarnBelow(value, *field, findings);
    } else {
      findings.AddWarning(value.position, fmt::format("AWS: `{}` is weir's own", field->key),
                          std::string(field->addition));
    }
  }
}

}  // namespace

void CheckAwsAdditions(const Node& root, Findings& findings) {
  if (root.is_map()) WarnOfKeys(root, RootObject(), findings);
  const Fields fields(root);
  for (const Node& balancer : fields.List("load-balancers")) {
    const Fields of_balancer(balancer);
    WarnOfAttributes(of_balancer, findings);
    for (const Node& listener : of_balancer.List("listeners")) WarnOfAttributes(Fields(listener), findings);
  }
  for (const Node& group : fields.List("target-groups")) WarnOfAttributes(Fields(group), findings);
}

}  // namespace weir::config
