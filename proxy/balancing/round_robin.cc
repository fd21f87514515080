// In turn. spec: alb.md 8 and 8.1.

#include "proxy/balancing/algorithm.h"
#include "proxy/balancing/slow_start.h"
#include "proxy/balancing/weights.h"

#include <cstddef>

namespace weir::proxy {
namespace {

std::uint32_t NextInTurn(const health::GroupStatus& status, std::uint32_t& cursor) {
  if (status.weight_sums.empty()) {
    // Reduced here and not when the list changed: the list is another one with every publication.
    const auto position = cursor % static_cast<std::uint32_t>(status.routable.size());
    cursor = position + 1;
    return position;
  }
  // Steps of the golden ratio through the whole of the weights, around and around: after any number of turns each
  // target is within a few of its share, and its turns are spread evenly, without anything remembered of each.
  constexpr std::uint32_t kGoldenStep = 0x9E3779B1;
  const std::uint64_t place = std::uint64_t{cursor++ * kGoldenStep} * TotalWeight(status) >> 32U;
  return PositionAt(status, place);
}

}  // namespace

// Each turn of a target in slow start is taken with the probability that its share has grown to, or left to the next.
std::uint32_t RoundRobin(const TargetChoice& choice) {
  const health::GroupStatus& status = choice.status;
  std::uint32_t position = NextInTurn(status, choice.cursor);
  if (!status.slow_start) return position;
  for (std::size_t i = 1; i < status.routable.size(); ++i) {
    const health::TargetStatus& target = status.targets[status.routable[position]];
    const double share = SlowStartShare(target, choice.settings.slow_start, choice.now);
    if (share >= 1 || choice.random.Fraction() < share) break;
    position = NextInTurn(status, choice.cursor);
  }
  return position;
}

}  // namespace weir::proxy
