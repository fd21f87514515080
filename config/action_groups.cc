#include "config/action_groups.h"

#include "base/overloaded.h"

#include <variant>

namespace weir::config {

std::span<const WeightedTargetGroup> TargetGroupsOf(const Action& action) {
  using Groups = std::span<const WeightedTargetGroup>;
  return std::visit(
      Overloaded{[](const ForwardAction& forward) { return Groups(forward.target_groups); },
                 [](const RedirectAction&) { return Groups(); }, [](const FixedResponseAction&) { return Groups(); }},
      action);
}

}  // namespace weir::config
