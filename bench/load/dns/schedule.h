#pragma once

#include "base/clock.h"
#include "base/random.h"

#include <cstdint>

namespace weir::bench {

enum class Spacing : std::uint8_t { kPoisson, kConstant };

// When one thread's queries are due. Thread: one.
class Schedule {
 public:
  struct Options {
    double rate = 0;  // per second; 0: flat out, a query is always due
    Spacing arrival = Spacing::kPoisson;
    double phase = 0;               // constant: part of the distance between queries that the first one waits
    std::uint64_t queries_max = 0;  // 0: no limit
    SteadyTime begin;
    SteadyTime end;  // nothing is due from here on
    std::uint64_t seed = 0;
  };
  explicit Schedule(const Options& options);

  [[nodiscard]] bool flat_out() const { return options_.rate == 0; }
  // Whether a query is due at `now`.
  [[nodiscard]] bool IsDue(SteadyTime now) const {
    return !finished() && (flat_out() ? now < options_.end : next_ <= now);
  }
  // Takes the query that is due and gives its scheduled time, which may be long ago; flat out: `now`.
  SteadyTime Take(SteadyTime now);
  // When the next one is due; in the past while one is. Flat out: the beginning.
  [[nodiscard]] SteadyTime next() const { return next_; }
  // Nothing will be due any more.
  [[nodiscard]] bool finished() const {
    return (options_.queries_max != 0 && taken_ == options_.queries_max) || next_ >= options_.end;
  }
  // Ends it early or, flat out, because `end` has passed.
  void Finish() { options_.end = SteadyTime::min(); }

 private:
  void Advance();

  Options options_;
  Random random_;
  SteadyTime next_;
  double elapsed_seconds_ = 0;  // of `next_` since `begin`: sums without rounding to ticks
  std::uint64_t taken_ = 0;
};

}  // namespace weir::bench
