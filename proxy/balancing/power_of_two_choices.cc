// The less busy one of two that are drawn by chance: nearly as even as asking all, at the price of asking two; and
// workers whose numbers are a moment old do not all run to the same target.

#include "proxy/balancing/algorithm.h"
#include "proxy/balancing/least_outstanding.h"
#include "proxy/balancing/weights.h"

namespace weir::proxy {

std::uint32_t PowerOfTwoChoices(const TargetChoice& choice) {
  const health::GroupStatus& status = choice.status;
  const std::uint32_t one = DrawByWeight(status, choice.random);
  if (status.routable.size() == 1) return one;
  // Another one: the whole without the part of the first.
  const std::uint64_t part = WeightAt(status, one);
  std::uint64_t place = choice.random.Below(TotalWeight(status) - part);
  if (place >= WeightBefore(status, one)) place += part;
  const std::uint32_t other = PositionAt(status, place);
  return IsLessBusy(status, other, one) ? other : one;
}

}  // namespace weir::proxy
