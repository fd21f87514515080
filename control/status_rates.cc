#include "control/status_rates.h"

#include "base/counters.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace weir::control {
namespace {

std::uint64_t Errors(const TargetGroupReport& group) { return group.responses[4] + group.failures + group.no_target; }

bool WentBack(const TargetGroupReport& before, const TargetGroupReport& now) {
  return now.requests < before.requests || Errors(now) < Errors(before) || now.no_target < before.no_target;
}

const TargetGroupReport& Earlier(const StatusReport& before, const TargetGroupReport& now) {
  static const TargetGroupReport kNothing;
  const auto found = std::ranges::find(before.target_groups, now.name, &TargetGroupReport::name);
  return found == before.target_groups.end() || WentBack(*found, now) ? kNothing : *found;
}

ResponseTimeReport Difference(const ResponseTimeReport& before, const ResponseTimeReport& now) {
  ResponseTimeReport out;
  for (std::size_t i = 0; i < out.counts.size(); ++i)
    out.counts[i] = now.counts[i] - std::min(before.counts[i], now.counts[i]);
  return out;
}

}  // namespace

std::optional<std::chrono::microseconds> Quantile(const ResponseTimeReport& recorded, double share) {
  constexpr auto& kBounds = LatencyHistogram::kBoundsMicroseconds;
  std::uint64_t total = 0;
  for (const auto count : recorded.counts) total += count;
  if (total == 0) return std::nullopt;
  const double rank = share * static_cast<double>(total);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    const auto count = recorded.counts[i];
    if (count > 0 && static_cast<double>(below + count) >= rank) {
      const double low = i == 0 ? 0.0 : static_cast<double>(kBounds[i - 1]);
      const double part = (rank - static_cast<double>(below)) / static_cast<double>(count);
      const double value = low + (static_cast<double>(kBounds[i]) - low) * std::max(part, 0.0);
      return std::chrono::microseconds(std::llround(value));
    }
    below += count;
  }
  return std::chrono::microseconds(kBounds.back());
}

std::vector<GroupRate> RatesBetween(const StatusReport& before, const StatusReport& now,
                                    std::chrono::nanoseconds elapsed) {
  constexpr double kShare = 0.99;
  const double seconds = std::chrono::duration<double>(elapsed).count();
  std::vector<GroupRate> rates;
  for (const auto& group : now.target_groups) {
    const auto& earlier = Earlier(before, group);
    rates.push_back({.name = group.name,
                     .healthy = group.healthy,
                     .registered = group.registered,
                     .requests = static_cast<double>(group.requests - earlier.requests) / seconds,
                     .errors = static_cast<double>(Errors(group) - Errors(earlier)) / seconds,
                     .p99 = Quantile(Difference(earlier.response_time, group.response_time), kShare)});
  }
  return rates;
}

}  // namespace weir::control
