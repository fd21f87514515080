#pragma once

#include "base/random.h"
#include "health/status.h"

#include <algorithm>
#include <cstdint>

namespace weir::proxy {

// The weights of the targets that take requests (GroupStatus::weight_sums), by position in `routable`. Of a group whose
// targets all weigh the same each weighs 1. Thread: any.

[[nodiscard]] inline std::uint64_t TotalWeight(const health::GroupStatus& status) {
  return status.weight_sums.empty() ? status.routable.size() : status.weight_sums.back();
}
[[nodiscard]] inline std::uint64_t WeightBefore(const health::GroupStatus& status, std::uint32_t position) {
  if (status.weight_sums.empty()) return position;
  return position == 0 ? 0 : status.weight_sums[position - 1];
}
[[nodiscard]] inline std::uint64_t WeightAt(const health::GroupStatus& status, std::uint32_t position) {
  return status.weight_sums.empty() ? 1 : status.weight_sums[position] - WeightBefore(status, position);
}
// Whose part of the whole `place` falls into; it is below TotalWeight.
[[nodiscard]] inline std::uint32_t PositionAt(const health::GroupStatus& status, std::uint64_t place) {
  if (status.weight_sums.empty()) return static_cast<std::uint32_t>(place);
  return static_cast<std::uint32_t>(std::ranges::upper_bound(status.weight_sums, place) - status.weight_sums.begin());
}
// By chance, each as often as its weight says. `routable` is not empty.
[[nodiscard]] inline std::uint32_t DrawByWeight(const health::GroupStatus& status, Random& random) {
  return PositionAt(status, random.Below(TotalWeight(status)));
}

}  // namespace weir::proxy
