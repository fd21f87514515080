#include "proxy/balancing/algorithm.h"

#include <utility>

namespace weir::proxy {

Algorithm AlgorithmOf(config::BalancingAlgorithm algorithm) {
  switch (algorithm) {
    case config::BalancingAlgorithm::kRoundRobin:
      return RoundRobin;
    case config::BalancingAlgorithm::kLeastOutstandingRequests:
      return LeastOutstandingRequests;
    case config::BalancingAlgorithm::kWeightedRandom:
      return WeightedRandom;
    case config::BalancingAlgorithm::kPowerOfTwoChoices:
      return PowerOfTwoChoices;
    case config::BalancingAlgorithm::kConsistentHash:
      return ConsistentHash;
  }
  std::unreachable();
}

}  // namespace weir::proxy
