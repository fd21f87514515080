#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::bench {

// Chooses among several requests by weight, smoothly: a whole cycle has each exactly as often as its weight says (both
// divided by what the weights have in common), and spreads it over the cycle (5, 1 and 1 give A A B A C A A). Thread:
// one at a time.
class WeightedCycle {
 public:
  static constexpr std::uint64_t kLengthMax = 100'000;

  // Fails without weights, with a weight of 0, or when a cycle would be longer than kLengthMax.
  [[nodiscard]] static Result<WeightedCycle> Build(std::span<const std::uint32_t> weights);

  // The index of the next one.
  [[nodiscard]] std::uint32_t Next() {
    const std::uint32_t chosen = cycle_[at_];
    if (++at_ == cycle_.size()) at_ = 0;
    return chosen;
  }
  [[nodiscard]] std::size_t length() const { return cycle_.size(); }

 private:
  std::vector<std::uint32_t> cycle_;
  std::size_t at_ = 0;
};

}  // namespace weir::bench
