#include "bench/load/page_data.h"

#include "base/figures.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <string_view>

namespace weir::bench {
namespace {

// More series than this are one grey one: nobody tells twenty colours apart.
constexpr std::size_t kSeriesMax = 8;

using CountsMap = std::map<std::string, std::uint64_t>;

// ---- JSON, written compactly: an hour has 3,600 points of a dozen numbers

std::string Quoted(std::string_view text) {
  const std::string valid = Utf8(text);
  std::string out;
  for (const char c : boost::json::serialize(boost::json::value(boost::json::string(valid)))) {
    if (c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out;
}

// Four digits are more than a screen shows; whole numbers stay whole.
std::string NumberText(double value) {
  if (!std::isfinite(value)) return "0";
  if (value == std::floor(value) && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

template <class Range, class Write>
std::string ArrayText(const Range& range, Write write) {
  std::string out = "[";
  for (const auto& each : range) {
    if (out.size() > 1) out += ',';
    out += write(each);
  }
  return out + "]";
}

std::string Column(const std::vector<Interval>& intervals, double Interval::* member) {
  return ArrayText(intervals, [member](const Interval& each) { return NumberText(each.*member); });
}
// Times keep their milliseconds however long the run is.
std::string TimeColumn(const std::vector<Interval>& intervals, double Interval::* member) {
  return ArrayText(intervals,
                   [member](const Interval& each) { return NumberText(std::round(each.*member * 1e3) / 1e3); });
}
std::string Column(const std::vector<Interval>& intervals, std::uint64_t Interval::* member) {
  return ArrayText(intervals, [member](const Interval& each) { return std::to_string(each.*member); });
}

// ---- parts

std::string IntervalsText(const std::vector<Interval>& intervals) {
  return fmt::format(
      R"({{"start":{},"length":{},"started":{},"completed":{},"failed":{},"p50":{},"p90":{},"p99":{},"p999":{},"max":{}}})",
      TimeColumn(intervals, &Interval::start_seconds), TimeColumn(intervals, &Interval::length_seconds),
      Column(intervals, &Interval::started), Column(intervals, &Interval::completed),
      Column(intervals, &Interval::errors), Column(intervals, &Interval::p50_ms), Column(intervals, &Interval::p90_ms),
      Column(intervals, &Interval::p99_ms), Column(intervals, &Interval::p999_ms),
      Column(intervals, &Interval::max_ms));
}

std::string SeriesText(std::string_view name, const std::vector<std::uint64_t>& values, bool others) {
  return fmt::format(R"({{"name":{},"others":{},"values":{}}})", Quoted(name), others,
                     ArrayText(values, [](std::uint64_t value) { return std::to_string(value); }));
}

// One series for each of the most frequent names, in the order of their names, and one for all others.
std::string SeriesArray(const std::vector<Interval>& intervals, CountsMap Interval::* member) {
  CountsMap totals;
  for (const auto& interval : intervals) {
    for (const auto& [name, count] : interval.*member) totals[name] += count;
  }
  const auto ranked = Ranked(totals);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(ranked.size(), kSeriesMax); ++i) names.push_back(ranked[i].first);
  std::ranges::sort(names);
  std::vector<std::vector<std::uint64_t>> columns(names.size() + 1, std::vector<std::uint64_t>(intervals.size()));
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    for (const auto& [name, count] : intervals[i].*member) {
      const auto place = std::ranges::lower_bound(names, name);
      const bool shown = place != names.end() && *place == name;
      columns[shown ? static_cast<std::size_t>(place - names.begin()) : names.size()][i] += count;
    }
  }
  std::string out = "[";
  for (std::size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : ",") + SeriesText(names[i], columns[i], false);
  if (ranked.size() > kSeriesMax) {
    out += "," + SeriesText(fmt::format("{} others", ranked.size() - kSeriesMax), columns.back(), true);
  }
  return out + "]";
}

std::string EventsText(const std::vector<ApplianceEvent>& events) {
  std::string out = "[";
  for (std::size_t i = 0; i < std::min(events.size(), kPageEventsMax); ++i) {
    const auto& event = events[i];
    out += fmt::format(R"({}{{"seconds":{:.3f},"kind":{},"tone":{},"text":{}}})", i == 0 ? "" : ",",
                       std::isfinite(event.seconds) ? event.seconds : 0.0, Quoted(event.kind),
                       Quoted(ToString(event.tone)), Quoted(event.text));
  }
  return out + "]";
}

void Join(Interval& into, const Interval& other) {
  into.length_seconds = other.start_seconds + other.length_seconds - into.start_seconds;
  into.started += other.started;
  into.completed += other.completed;
  into.bytes_received += other.bytes_received;
  into.errors += other.errors;
  for (double Interval::* each :
       {&Interval::p50_ms, &Interval::p90_ms, &Interval::p99_ms, &Interval::p999_ms, &Interval::max_ms}) {
    into.*each = std::max(into.*each, other.*each);
  }
  for (const auto& [name, count] : other.errors_by_kind) into.errors_by_kind[name] += count;
  for (const auto& [name, count] : other.outcomes) into.outcomes[name] += count;
  for (const auto& [name, count] : other.shares) into.shares[name] += count;
}

}  // namespace

std::vector<Interval> Thinned(const std::vector<Interval>& intervals, std::size_t points) {
  const std::size_t joined = (intervals.size() + points - 1) / std::max<std::size_t>(points, 1);
  if (joined <= 1) return intervals;
  std::vector<Interval> out;
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    if (i % joined == 0) {
      out.push_back(intervals[i]);
    } else {
      Join(out.back(), intervals[i]);
    }
  }
  return out;
}

std::vector<std::pair<double, double>> PercentileCurve(const Histogram& latency) {
  // Forty steps from each 9 to the next, and the ends exactly.
  constexpr double kStepsPerNine = 40;
  std::vector<std::pair<double, double>> out;
  if (latency.count() == 0) return out;
  const auto count = static_cast<double>(latency.count());
  std::vector<double> percents = {0};
  for (int i = 1; i / kStepsPerNine <= std::log10(count); ++i) {
    percents.push_back(100 * (1 - std::pow(10, -i / kStepsPerNine)));
  }
  percents.push_back(100);
  const auto values = latency.Percentiles(percents);
  for (std::size_t i = 0; i < percents.size(); ++i) {
    out.emplace_back(percents[i], std::chrono::duration<double, std::milli>(values[i]).count());
  }
  // 100 % is drawn where one recording of all is left; on an infinite axis it would be nowhere.
  out.back().first = 100 * (1 - 1 / std::max(count, 10.0));
  if (out.size() > 2 && out[out.size() - 2].first >= out.back().first) out.erase(out.end() - 2);
  return out;
}

std::string PageData(const RunRecord& record) {
  const auto intervals = Thinned(record.intervals, kPagePointsMax);
  const auto curve = ArrayText(PercentileCurve(record.total.latency), [](const auto& point) {
    return fmt::format("[{:.8g},{}]", point.first, NumberText(point.second));
  });
  return fmt::format(
      R"({{"unit":{},"seconds":{},"open":{},"intervals":{},"outcomes":{},"errors":{},"shares":{},"events":{},"curve":{}}})",
      Quoted(record.unit), NumberText(record.seconds), record.offered_rate > 0, IntervalsText(intervals),
      SeriesArray(intervals, &Interval::outcomes), SeriesArray(intervals, &Interval::errors_by_kind),
      SeriesArray(intervals, &Interval::shares), EventsText(record.events), curve);
}

}  // namespace weir::bench
