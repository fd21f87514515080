#include "base/figures.h"
#include "bench/load/answers.h"
#include "bench/load/report.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace weir::bench {
namespace {

namespace json = boost::json;

// JSON has neither infinity nor NaN.
double Finite(double value) { return std::isfinite(value) ? value : 0.0; }

// Names that become equal as UTF-8 are added up.
json::object CountsObject(const std::map<std::string, std::uint64_t>& counts) {
  std::map<std::string, std::uint64_t> valid;
  for (const auto& [name, count] : counts) valid[Utf8(name)] += count;
  json::object out;
  for (const auto& [name, count] : valid) out[name] = count;
  return out;
}

json::object Totals(const RunRecord& record) {
  const Counts& total = record.total;
  return {{"started", total.started},
          {"completed", total.completed},
          {"errors", total.error_count()},
          {"started-per-second", Finite(record.PerSecond(total.started))},
          {"completed-per-second", Finite(record.PerSecond(total.completed))},
          {"bytes-received", total.bytes_received},
          {"bytes-sent", total.bytes_sent},
          {"connections", total.connections},
          {"tls-handshakes-full", total.handshakes_full},
          {"tls-handshakes-resumed", total.handshakes_resumed}};
}

json::object Latency(const Histogram& latency) {
  constexpr std::array<double, 10> kPercents = {1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99};
  json::object percentiles;
  const auto values = latency.Percentiles(kPercents);
  for (std::size_t i = 0; i < kPercents.size(); ++i) {
    percentiles[fmt::format("{}", kPercents[i])] = Milliseconds(values[i]);
  }
  json::array buckets;
  for (const auto& bucket : latency.Buckets()) buckets.push_back({bucket.highest.count(), bucket.count});
  return {{"count", latency.count()},
          {"min-ms", Milliseconds(latency.min())},
          {"mean-ms", Milliseconds(latency.mean())},
          {"max-ms", Milliseconds(latency.max())},
          {"percentiles-ms", std::move(percentiles)},
          {"buckets-ns", std::move(buckets)}};
}

json::object IntervalObject(const Interval& interval) {
  return {{"start-seconds", Finite(interval.start_seconds)},
          {"length-seconds", Finite(interval.length_seconds)},
          {"started", interval.started},
          {"completed", interval.completed},
          {"errors", interval.errors},
          {"bytes-received", interval.bytes_received},
          {"p50-ms", Finite(interval.p50_ms)},
          {"p90-ms", Finite(interval.p90_ms)},
          {"p99-ms", Finite(interval.p99_ms)},
          {"p99.9-ms", Finite(interval.p999_ms)},
          {"max-ms", Finite(interval.max_ms)},
          {"errors-by-kind", CountsObject(interval.errors_by_kind)},
          {"outcomes", CountsObject(interval.outcomes)},
          {"shares", CountsObject(interval.shares)}};
}

}  // namespace

std::string Json(const RunRecord& record) {
  json::array settings;
  for (const auto& [name, value] : record.settings) {
    settings.push_back(json::object{{"name", Utf8(name)}, {"value", Utf8(value)}});
  }
  json::array intervals;
  for (const auto& interval : record.intervals) intervals.push_back(IntervalObject(interval));
  json::array events;
  for (const auto& event : record.events) {
    events.push_back(json::object{{"seconds", Finite(event.seconds)},
                                  {"kind", Utf8(event.kind)},
                                  {"tone", ToString(event.tone)},
                                  {"text", Utf8(event.text)}});
  }
  json::array conditions;
  for (const auto& [condition, value, holds] : record.conditions) {
    conditions.push_back(json::object{{"condition", Utf8(condition)}, {"value", Utf8(value)}, {"holds", holds}});
  }
  const json::object out{{"format", "weir-bench-1"},
                         {"title", Utf8(record.title)},
                         {"unit", Utf8(record.unit)},
                         {"started-at", FormatIso8601(record.started)},
                         {"seconds", Finite(record.seconds)},
                         {"interrupted", record.interrupted},
                         {"offered-rate", Finite(record.offered_rate)},
                         {"generator-cpu-seconds", Finite(record.generator_cpu_seconds)},
                         {"settings", std::move(settings)},
                         {"totals", Totals(record)},
                         {"latency", Latency(record.total.latency)},
                         {"outcomes", CountsObject(record.total.outcomes)},
                         {"classes", CountsObject(ByClass(record.total.outcomes))},
                         {"errors", CountsObject(record.total.errors)},
                         {"shares", CountsObject(record.total.shares)},
                         {"intervals", std::move(intervals)},
                         {"events", std::move(events)},
                         {"fail-if", std::move(conditions)}};
  return json::serialize(out) + "\n";
}

}  // namespace weir::bench
