#include "proxy/balancing/least_outstanding.h"

#include <limits>

namespace weir::proxy {

std::uint64_t OutstandingRequests(const health::TargetStatus& target) {
  if (target.observations == nullptr) return 0;
  return target.observations->Sum([](const health::TargetObservation& seen) { return seen.active_requests.value(); });
}

std::uint32_t LeastOutstanding(const health::GroupStatus& status, std::uint32_t start) {
  const auto count = static_cast<std::uint32_t>(status.routable.size());
  std::uint32_t least = start;
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t position = start + i < count ? start + i : start + i - count;
    const std::uint64_t requests = OutstandingRequests(status.targets[status.routable[position]]);
    if (requests >= fewest) continue;
    fewest = requests;
    least = position;
    if (requests == 0) break;
  }
  return least;
}

}  // namespace weir::proxy
