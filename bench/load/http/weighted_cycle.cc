#include "bench/load/http/weighted_cycle.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace weir::bench {

Result<WeightedCycle> WeightedCycle::Build(std::span<const std::uint32_t> weights) {
  if (weights.empty()) return Failure("there is nothing to choose from");
  if (std::ranges::find(weights, 0U) != weights.end()) return Failure("a weight is 0", "leave that URL out");
  std::uint32_t divisor = 0;
  for (const std::uint32_t weight : weights) divisor = std::gcd(divisor, weight);
  std::vector<std::int64_t> shares;
  for (const std::uint32_t weight : weights) shares.push_back(weight / divisor);
  const std::int64_t total = std::accumulate(shares.begin(), shares.end(), std::int64_t{0});
  if (static_cast<std::uint64_t>(total) > kLengthMax) {
    return Failure("the weights sum up to more than " + std::to_string(kLengthMax), "use smaller numbers");
  }
  // The smooth weighted round robin of nginx: everybody gains its weight, the richest is chosen and pays the total.
  WeightedCycle made;
  std::vector<std::int64_t> credit(shares.size());
  for (std::int64_t i = 0; i < total; ++i) {
    for (std::size_t k = 0; k < credit.size(); ++k) credit[k] += shares[k];
    const auto richest = std::ranges::max_element(credit);
    *richest -= total;
    made.cycle_.push_back(static_cast<std::uint32_t>(richest - credit.begin()));
  }
  return made;
}

}  // namespace weir::bench
