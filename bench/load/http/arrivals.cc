#include "bench/load/http/arrivals.h"

#include <cmath>
#include <utility>

namespace weir::bench {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

std::chrono::nanoseconds Nanoseconds(double value) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(value));
}

class FlatOut final : public Arrivals {
 public:
  explicit FlatOut(WeightedCycle cycle) : cycle_(std::move(cycle)) {}
  std::optional<Arrival> Next() override { return Arrival{.at = {}, .request = cycle_.Next()}; }

 private:
  WeightedCycle cycle_;
};

class Constant final : public Arrivals {
 public:
  Constant(double rate, Part part, WeightedCycle cycle)
      : gap_(kNanosecondsPerSecond / rate), number_(part.index), step_(part.count), cycle_(std::move(cycle)) {}
  std::optional<Arrival> Next() override {
    // From the number and not by adding up: no error grows over a long run.
    const Arrival next{.at = Nanoseconds(gap_ * static_cast<double>(number_)), .request = cycle_.Next()};
    number_ += step_;
    return next;
  }

 private:
  double gap_;
  std::uint64_t number_;
  std::uint64_t step_;
  WeightedCycle cycle_;
};

class Poisson final : public Arrivals {
 public:
  Poisson(double rate, Part part, WeightedCycle cycle, Random random)
      : mean_gap_(kNanosecondsPerSecond * static_cast<double>(part.count) / rate),
        cycle_(std::move(cycle)),
        random_(random) {}
  std::optional<Arrival> Next() override {
    at_ -= mean_gap_ * std::log1p(-random_.Fraction());
    return Arrival{.at = Nanoseconds(at_), .request = cycle_.Next()};
  }

 private:
  double mean_gap_;
  double at_ = 0;
  WeightedCycle cycle_;
  Random random_;
};

class Recorded final : public Arrivals {
 public:
  Recorded(std::span<const std::chrono::nanoseconds> times, std::span<const std::uint32_t> requests, double speed,
           Part part)
      : times_(times), requests_(requests), speed_(speed), at_(part.index), step_(part.count) {}
  std::optional<Arrival> Next() override {
    if (at_ >= times_.size()) return std::nullopt;
    const Arrival next{.at = Nanoseconds(static_cast<double>(times_[at_].count()) / speed_), .request = requests_[at_]};
    at_ += step_;
    return next;
  }

 private:
  std::span<const std::chrono::nanoseconds> times_;
  std::span<const std::uint32_t> requests_;
  double speed_;
  std::size_t at_;
  std::size_t step_;
};

}  // namespace

std::unique_ptr<Arrivals> FlatOutArrivals(WeightedCycle cycle) { return std::make_unique<FlatOut>(std::move(cycle)); }

std::unique_ptr<Arrivals> ConstantArrivals(double rate, Part part, WeightedCycle cycle) {
  return std::make_unique<Constant>(rate, part, std::move(cycle));
}

std::unique_ptr<Arrivals> PoissonArrivals(double rate, Part part, WeightedCycle cycle, Random random) {
  return std::make_unique<Poisson>(rate, part, std::move(cycle), random);
}

std::unique_ptr<Arrivals> RecordedArrivals(std::span<const std::chrono::nanoseconds> times,
                                           std::span<const std::uint32_t> requests, double speed, Part part) {
  return std::make_unique<Recorded>(times, requests, speed, part);
}

}  // namespace weir::bench
