#include "bench/load/dns/schedule.h"

#include <chrono>
#include <cmath>

namespace weir::bench {

Schedule::Schedule(const Options& options) : options_(options), random_(options.seed), next_(options.begin) {
  if (flat_out()) return;
  if (options_.arrival == Spacing::kConstant) elapsed_seconds_ = (options_.phase - 1) / options_.rate;
  Advance();
}

void Schedule::Advance() {
  const double gap = options_.arrival == Spacing::kConstant ? 1 : -std::log1p(-random_.Fraction());
  elapsed_seconds_ += gap / options_.rate;
  next_ = options_.begin +
          std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(elapsed_seconds_));
}

SteadyTime Schedule::Take(SteadyTime now) {
  ++taken_;
  if (flat_out()) return now;
  const SteadyTime due = next_;
  Advance();
  return due;
}

}  // namespace weir::bench
