#pragma once

#include "config/model.h"

#include <span>

namespace weir::config {

// Whether rules with these conditions match the same requests, in the same words, wherever they stand in the document.
[[nodiscard]] bool SameConditions(std::span<const Condition> a, std::span<const Condition> b);

}  // namespace weir::config
