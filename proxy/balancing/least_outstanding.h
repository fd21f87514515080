#pragma once

#include "health/status.h"

#include <cstdint>

namespace weir::proxy {

// Its requests under way, those of all workers together; 0 where nothing counts them. Thread: any.
[[nodiscard]] std::uint64_t OutstandingRequests(const health::TargetStatus& target);

// True when the target at `position` of `status.routable` has fewer requests under way than the one at `other`, each
// for its weight. Thread: any.
[[nodiscard]] bool IsLessBusy(const health::GroupStatus& status, std::uint32_t position, std::uint32_t other);

// The position in `status.routable`, which is not empty, of the target with the fewest requests under way for its
// weight, those of all workers together; of several the first one from `start` on, which is below its size. Other
// workers' numbers may be a moment old. spec: alb.md 8. Thread: any.
[[nodiscard]] std::uint32_t LeastOutstanding(const health::GroupStatus& status, std::uint32_t start);

}  // namespace weir::proxy
