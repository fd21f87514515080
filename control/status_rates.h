#pragma once

#include "control/status_report.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace weir::control {

// What one target group did between two reports.
struct GroupRate {
  std::string name;
  std::uint32_t healthy = 0;
  std::uint32_t registered = 0;
  double requests = 0;  // a second
  // A second: answers of targets that were 5xx, requests that weir answered 5xx itself or broke off because of a
  // target, and requests that found no target.
  double errors = 0;
  // Request sent to response head, of the requests answered in between; nothing when none was.
  std::optional<std::chrono::microseconds> p99;
};

// The rates of every group of `now`, in its order. `before` is an earlier report of the same appliance and `elapsed`
// the time between the two, more than 0. A group that `before` does not know, or whose counters went back (the
// appliance was started anew), began at 0.
[[nodiscard]] std::vector<GroupRate> RatesBetween(const StatusReport& before, const StatusReport& now,
                                                  std::chrono::nanoseconds elapsed);

// The smallest duration that `share` (0 to 1) of the recordings do not exceed, by linear interpolation in the bucket
// that holds it, as Prometheus's histogram_quantile does; above the last bound, that bound. Nothing without recordings.
[[nodiscard]] std::optional<std::chrono::microseconds> Quantile(const ResponseTimeReport& recorded, double share);

}  // namespace weir::control
