#pragma once

#include "config/model.h"

#include <span>

namespace weir::config {

// The target groups that an action sends requests to; views into it. An action that is not said here whether it has any
// does not compile. Thread: any.
[[nodiscard]] std::span<const WeightedTargetGroup> TargetGroupsOf(const Action& action);

}  // namespace weir::config
