#include "proxy/balancing/least_outstanding.h"

#include "proxy/balancing/algorithm.h"
#include "proxy/balancing/weights.h"

namespace weir::proxy {

std::uint64_t OutstandingRequests(const health::TargetStatus& target) {
  if (target.observations == nullptr) return 0;
  return target.observations->Sum([](const health::TargetObservation& seen) { return seen.active_requests.value(); });
}

bool IsLessBusy(const health::GroupStatus& status, std::uint32_t position, std::uint32_t other) {
  const auto requests = [&](std::uint32_t at) { return OutstandingRequests(status.targets[status.routable[at]]); };
  return requests(position) * WeightAt(status, other) < requests(other) * WeightAt(status, position);
}

std::uint32_t LeastOutstanding(const health::GroupStatus& status, std::uint32_t start) {
  const auto count = static_cast<std::uint32_t>(status.routable.size());
  std::uint32_t least = start;
  std::uint64_t fewest = OutstandingRequests(status.targets[status.routable[start]]);
  std::uint64_t weight = WeightAt(status, start);
  for (std::uint32_t i = 1; i < count && fewest > 0; ++i) {
    const std::uint32_t position = start + i < count ? start + i : start + i - count;
    const std::uint64_t requests = OutstandingRequests(status.targets[status.routable[position]]);
    const std::uint64_t weight_here = WeightAt(status, position);
    if (requests * weight >= fewest * weight_here) continue;
    fewest = requests;
    weight = weight_here;
    least = position;
  }
  return least;
}

// Where it starts decides between equals: by weight.
std::uint32_t LeastOutstandingRequests(const TargetChoice& choice) {
  return LeastOutstanding(choice.status, DrawByWeight(choice.status, choice.random));
}

}  // namespace weir::proxy
