#include "bench/load/run_record.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace weir::bench {
namespace {

void AddCounts(const std::map<std::string, std::uint64_t>& from, std::map<std::string, std::uint64_t>& to) {
  for (const auto& [name, count] : from) to[name] += count;
}

}  // namespace

std::string_view ToString(EventTone tone) {
  constexpr std::array<std::string_view, 3> kNames = {"plain", "good", "bad"};
  return kNames[static_cast<std::size_t>(tone)];
}

double RunRecord::PerSecond(std::uint64_t count) const {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::uint64_t SumOf(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

std::uint64_t Counts::error_count() const { return SumOf(errors); }

void Counts::Add(const Counts& other) {
  started += other.started;
  completed += other.completed;
  bytes_received += other.bytes_received;
  bytes_sent += other.bytes_sent;
  connections += other.connections;
  handshakes_full += other.handshakes_full;
  handshakes_resumed += other.handshakes_resumed;
  latency.Add(other.latency);
  AddCounts(other.outcomes, outcomes);
  AddCounts(other.errors, errors);
  AddCounts(other.shares, shares);
}

Interval IntervalOf(const Counts& counts, double start_seconds, double length_seconds) {
  constexpr std::array<double, 4> kPercents = {50, 90, 99, 99.9};
  std::array<double, kPercents.size()> values{};
  const auto percentiles = counts.latency.Percentiles(kPercents);
  std::ranges::transform(percentiles, values.begin(), Milliseconds);
  return {.start_seconds = start_seconds,
          .length_seconds = length_seconds,
          .started = counts.started,
          .completed = counts.completed,
          .bytes_received = counts.bytes_received,
          .errors = counts.error_count(),
          .p50_ms = values[0],
          .p90_ms = values[1],
          .p99_ms = values[2],
          .p999_ms = values[3],
          .max_ms = Milliseconds(counts.latency.max()),
          .errors_by_kind = counts.errors,
          .outcomes = counts.outcomes,
          .shares = counts.shares};
}

}  // namespace weir::bench
