#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "config/model.h"
#include "health/status.h"

#include <cstdint>
#include <optional>

namespace weir::proxy {

// What one worker chooses a target of a group from.
struct TargetChoice {
  const config::TargetGroup& settings;
  const health::GroupStatus& status;  // `routable` is not empty
  WallTime now;
  std::optional<std::uint64_t> key;  // what the request is told from others by (hash_key.h); of kConsistentHash
  Random& random;                    // the worker's
  std::uint32_t& cursor;             // the worker's, of the group: for choices in turn
};

// Chooses a target: its position in `status.routable`. Allocates nothing. Thread: worker.
using Algorithm = std::uint32_t (*)(const TargetChoice& choice);

// One file each. spec: alb.md 8; the last two are additions. All of them obey the weights of targets.
[[nodiscard]] std::uint32_t RoundRobin(const TargetChoice& choice);
[[nodiscard]] std::uint32_t LeastOutstandingRequests(const TargetChoice& choice);
[[nodiscard]] std::uint32_t WeightedRandom(const TargetChoice& choice);
[[nodiscard]] std::uint32_t PowerOfTwoChoices(const TargetChoice& choice);
[[nodiscard]] std::uint32_t ConsistentHash(const TargetChoice& choice);

[[nodiscard]] Algorithm AlgorithmOf(config::BalancingAlgorithm algorithm);

}  // namespace weir::proxy
