#pragma once

#include "base/counters.h"
#include "control/metrics_writer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace weir::control {

// What several workers recorded.
struct HistogramSums {
  std::array<std::uint64_t, LatencyHistogram::kBoundsMicroseconds.size() + 1> buckets{};  // each alone
  std::uint64_t microseconds = 0;
};

// Adds up a histogram that workers keep one each of: `read` finds it in what `table` adds up. Thread: any.
template <class Table, class Read = std::identity>
[[nodiscard]] HistogramSums SumHistogram(const Table& table, Read read = {}) {
  HistogramSums out;
  for (std::size_t i = 0; i < out.buckets.size(); ++i) {
    out.buckets[i] = table.Sum([&](const auto& c) { return read(c).bucket(i); });
  }
  out.microseconds = table.Sum([&](const auto& c) { return read(c).sum_microseconds(); });
  return out;
}

// By bucket, where there is one.
using HistogramExemplars =
    std::array<std::optional<MetricsWriter::SampleExemplar>, LatencyHistogram::kBoundsMicroseconds.size() + 1>;

// Writes its buckets, sum and count. Thread: the writer's.
void WriteHistogram(MetricsWriter& out, MetricsWriter::Labels labels, const HistogramSums& sums,
                    const HistogramExemplars& exemplars = {});

}  // namespace weir::control
