#include "control/metrics_histogram.h"

#include <fmt/format.h>

#include <string>

namespace weir::control {

void WriteHistogram(MetricsWriter& out, MetricsWriter::Labels labels, const HistogramSums& sums,
                    const HistogramExemplars& exemplars) {
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < sums.buckets.size(); ++i) {
    cumulative += sums.buckets[i];
    const bool last = i == LatencyHistogram::kBoundsMicroseconds.size();
    const std::string bound =
        last ? "+Inf" : fmt::format("{}", static_cast<double>(LatencyHistogram::kBoundsMicroseconds[i]) / 1e6);
    out.SuffixSample("_bucket", labels, {"le", bound}, cumulative, exemplars[i] ? &*exemplars[i] : nullptr);
  }
  out.SuffixSample("_sum", labels, static_cast<double>(sums.microseconds) / 1e6);
  out.SuffixSample("_count", labels, cumulative);
}

}  // namespace weir::control
