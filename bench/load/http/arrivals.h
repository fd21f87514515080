#pragma once

#include "base/random.h"
#include "bench/load/http/weighted_cycle.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace weir::bench {

// A request that is due: when, since the start of the run, and which of the plan's requests.
struct Arrival {
  std::chrono::nanoseconds at{0};
  std::uint32_t request = 0;
};

// Says what is due when. Times never go back. Thread: one at a time.
class Arrivals {
 public:
  virtual ~Arrivals() = default;
  // Absent when there are no more.
  [[nodiscard]] virtual std::optional<Arrival> Next() = 0;
};

// Which of several threads asks: they share one schedule, each takes its part.
struct Part {
  std::size_t index = 0;
  std::size_t count = 1;
};

// For the closed loop: always now (at is 0), without end.
[[nodiscard]] std::unique_ptr<Arrivals> FlatOutArrivals(WeightedCycle cycle);
// Evenly spaced: `rate` a second over all parts, of which this one takes every `part.count`-th. `rate` is positive.
[[nodiscard]] std::unique_ptr<Arrivals> ConstantArrivals(double rate, Part part, WeightedCycle cycle);
// A Poisson process: independent, exponentially distributed gaps, `rate` / `part.count` a second (the parts together
// are a Poisson process of `rate`).
[[nodiscard]] std::unique_ptr<Arrivals> PoissonArrivals(double rate, Part part, WeightedCycle cycle, Random random);
// What a log recorded, `speed` times as fast: the k-th arrival is request `requests[k]` at `times[k]`; this part takes
// every `part.count`-th. `times` ascends; both spans outlive the object.
[[nodiscard]] std::unique_ptr<Arrivals> RecordedArrivals(std::span<const std::chrono::nanoseconds> times,
                                                         std::span<const std::uint32_t> requests, double speed,
                                                         Part part);

}  // namespace weir::bench
