#pragma once

// What the charts of the page are drawn from.

#include "bench/load/run_record.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace weir::bench {

// A page has at most this many points on its time axis and this many events: a run of any length gives a page that a
// browser draws at once.
inline constexpr std::size_t kPagePointsMax = 3'600;
inline constexpr std::size_t kPageEventsMax = 1'000;

// At most `points` intervals: neighbours are joined, their counts added, of their percentiles the highest kept.
[[nodiscard]] std::vector<Interval> Thinned(const std::vector<Interval>& intervals, std::size_t points);

// The percentile curve: {percent, milliseconds} ascending, dense towards 100 %. Empty without recordings.
[[nodiscard]] std::vector<std::pair<double, double>> PercentileCurve(const Histogram& latency);

// JSON for a script element: no `<`, `>` or `&` is in it. docs/bench.md does not describe it, only the page reads it.
[[nodiscard]] std::string PageData(const RunRecord& record);

}  // namespace weir::bench
