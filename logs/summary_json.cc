#include "base/figures.h"
#include "logs/summary.h"
#include "logs/summary_report.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace weir::logs {
namespace {

constexpr std::size_t kJsonIntervals = 60;

double Seconds(std::chrono::microseconds time) { return std::chrono::duration<double>(time).count(); }

boost::json::object TimesJson(const LatencySketch& times) {
  boost::json::object out;
  if (times.count() == 0) return out;
  out["p50"] = Seconds(times.Percentile(50));
  out["p90"] = Seconds(times.Percentile(90));
  out["p99"] = Seconds(times.Percentile(99));
  out["p99.9"] = Seconds(times.Percentile(99.9));
  return out;
}

boost::json::object TallyJson(const Tally& tally) {
  boost::json::object out;
  out["requests"] = tally.requests;
  boost::json::object statuses;
  for (std::size_t i = 0; i < tally.by_hundred.size(); ++i) {
    if (tally.by_hundred[i] > 0) statuses[i == 0 ? "000" : fmt::format("{}xx", i)] = tally.by_hundred[i];
  }
  out["statuses"] = std::move(statuses);
  out["received_bytes"] = tally.received_bytes;
  out["sent_bytes"] = tally.sent_bytes;
  out["times"] = TimesJson(tally.times);
  return out;
}

boost::json::object TalliesJson(const Summary::Tallies& tallies) {
  boost::json::object out;
  for (const auto& [name, tally] : tallies) out[Utf8(name)] = TallyJson(tally);
  return out;
}

boost::json::object CountsJson(const Summary::Counts& counts) {
  boost::json::object out;
  for (const auto& [name, count] : counts) out[Utf8(name)] = count;
  return out;
}

}  // namespace

std::string SummaryJson(const Summary& summary) {
  boost::json::object out;
  const bool any = summary.all().requests > 0 || summary.connections() > 0;
  if (any) {
    out["first"] = FormatIso8601(summary.first());
    out["last"] = FormatIso8601(summary.last());
  }
  out["all"] = TallyJson(summary.all());
  out["target_times"] = TimesJson(summary.target_times());
  boost::json::object statuses;
  for (std::size_t status = 0; status < summary.statuses().size(); ++status) {
    if (summary.statuses()[status] > 0) statuses[fmt::format("{:03}", status)] = summary.statuses()[status];
  }
  out["statuses"] = std::move(statuses);
  out["reasons"] = CountsJson(summary.reasons());
  out["rules"] = TalliesJson(summary.rules());
  out["target_groups"] = TalliesJson(summary.groups());
  out["targets"] = TalliesJson(summary.targets());
  std::chrono::seconds width{0};
  boost::json::array intervals;
  for (const auto& interval : summary.Intervals(kJsonIntervals, width)) {
    boost::json::object entry = TallyJson(interval.tally);
    entry["start"] = FormatIso8601(interval.start);
    intervals.push_back(std::move(entry));
  }
  out["interval_seconds"] = width.count();
  out["intervals"] = std::move(intervals);
  boost::json::array slowest;
  for (const SlowRequest& slow : summary.slowest()) {
    slowest.push_back({{"seconds", Seconds(slow.took)},
                       {"time", FormatIso8601(slow.time)},
                       {"request", Utf8(slow.request)},
                       {"target", slow.target},
                       {"elb_status_code", slow.status}});
  }
  out["slowest"] = std::move(slowest);
  out["connections"] = summary.connections();
  out["failed_handshakes"] = CountsJson(summary.failed_connections());
  return boost::json::serialize(out);
}

}  // namespace weir::logs
