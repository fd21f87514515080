#include "base/figures.h"
#include "base/printable.h"
#include "logs/summary.h"
#include "logs/summary_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::logs {
namespace {

constexpr std::size_t kTextIntervals = 24;

// The first column stands to the left, as do those behind `right`; numbers stand to the right.
class Columns {
 public:
  explicit Columns(std::vector<std::string> titles, std::size_t right) : right_(right) {
    rows_.push_back(std::move(titles));
  }
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }
  void AppendTo(std::string& out) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const auto& row : rows_) {
      std::string line = " ";
      for (std::size_t i = 0; i < row.size(); ++i) {
        const bool left = i == 0 || i > right_;
        line += left ? fmt::format(" {:<{}}", row[i], widths[i]) : fmt::format("  {:>{}}", row[i], widths[i]);
        if (left && i > 0) line.insert(line.size() - widths[i] - 1, " ");
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + '\n';
    }
  }

 private:
  std::size_t right_;
  std::vector<std::vector<std::string>> rows_;
};

std::string TimeText(std::chrono::microseconds time) { return DurationText(static_cast<double>(time.count()) / 1e3); }
std::string TimeOrDash(const LatencySketch& times, double percent) {
  return times.count() == 0 ? "-" : TimeText(times.Percentile(percent));
}

template <class Table, class Count>
auto Ranked(const Table& table, Count count) {
  std::vector<const typename Table::value_type*> out;
  out.reserve(table.size());
  for (const auto& row : table) out.push_back(&row);
  std::ranges::sort(out, [&](const auto* a, const auto* b) {
    const auto x = count(a->second);
    const auto y = count(b->second);
    return x != y ? x > y : a->first < b->first;
  });
  return out;
}

void AppendMore(std::string& out, std::size_t all, std::size_t shown) {
  if (all > shown) out += fmt::format("  and {} more\n", CountText(all - shown));
}

void AppendTallies(std::string& out, std::string_view title, const Summary::Tallies& tallies, std::size_t rows,
                   std::uint64_t all) {
  if (tallies.empty()) return;
  Columns columns({std::string(title), "REQUESTS", "SHARE", "4XX", "5XX", "P50", "P99", "SENT"}, 7);
  const auto ranked = Ranked(tallies, [](const Tally& tally) { return tally.requests; });
  for (std::size_t i = 0; i < std::min(rows, ranked.size()); ++i) {
    const auto& [name, tally] = *ranked[i];
    columns.Add({Printable(name), CountText(tally.requests), PercentText(tally.requests, all),
                 CountText(tally.by_hundred[4]), CountText(tally.by_hundred[5]), TimeOrDash(tally.times, 50),
                 TimeOrDash(tally.times, 99), BytesText(static_cast<double>(tally.sent_bytes))});
  }
  out += '\n';
  columns.AppendTo(out);
  AppendMore(out, ranked.size(), rows);
}

void AppendCounts(std::string& out, std::string_view title, const Summary::Counts& counts, std::size_t rows) {
  if (counts.empty()) return;
  Columns columns({std::string(title), "COUNT"}, 1);
  const auto ranked = Ranked(counts, [](std::uint64_t count) { return count; });
  for (std::size_t i = 0; i < std::min(rows, ranked.size()); ++i) {
    columns.Add({Printable(ranked[i]->first), CountText(ranked[i]->second)});
  }
  out += '\n';
  columns.AppendTo(out);
  AppendMore(out, ranked.size(), rows);
}

void AppendHead(std::string& out, const Summary& summary) {
  const Tally& all = summary.all();
  out += fmt::format("{} to {}\n", FormatIso8601(summary.first()), FormatIso8601(summary.last()));
  if (summary.connections() > 0) out += fmt::format("{} connections\n", CountText(summary.connections()));
  if (all.requests == 0) return;
  const double seconds = std::chrono::duration<double>(summary.last() - summary.first()).count();
  out += fmt::format("{} requests", CountText(all.requests));
  if (seconds >= 1) out += fmt::format(", {} a second", RateText(static_cast<double>(all.requests) / seconds));
  out += fmt::format(", {} received, {} sent\n", BytesText(static_cast<double>(all.received_bytes)),
                     BytesText(static_cast<double>(all.sent_bytes)));
  Columns columns({"", "P50", "P90", "P99", "P99.9"}, 4);
  const auto add = [&](std::string_view name, const LatencySketch& times) {
    std::vector<std::string> row{std::string(name)};
    for (const double percent : {50.0, 90.0, 99.0, 99.9}) row.push_back(TimeOrDash(times, percent));
    columns.Add(std::move(row));
  };
  add("request", all.times);
  add("target", summary.target_times());
  columns.AppendTo(out);
}

void AppendStatuses(std::string& out, const Summary& summary) {
  if (summary.all().requests == 0) return;
  Columns columns({"STATUS", "REQUESTS", "SHARE"}, 2);
  const auto& statuses = summary.statuses();
  for (std::size_t status = 0; status < statuses.size(); ++status) {
    if (statuses[status] == 0) continue;
    columns.Add({fmt::format("{:03}", status), CountText(statuses[status]),
                 PercentText(statuses[status], summary.all().requests)});
  }
  out += '\n';
  columns.AppendTo(out);
}

void AppendIntervals(std::string& out, const Summary& summary) {
  std::chrono::seconds width{0};
  const auto intervals = summary.Intervals(kTextIntervals, width);
  if (intervals.size() < 2) return;
  Columns columns({"FROM", "REQUESTS", "5XX", "P50", "P99"}, 4);
  for (const auto& interval : intervals) {
    // Seconds are enough.
    columns.Add({FormatIso8601(interval.start).substr(0, 19) + "Z", CountText(interval.tally.requests),
                 CountText(interval.tally.errors()), TimeOrDash(interval.tally.times, 50),
                 TimeOrDash(interval.tally.times, 99)});
  }
  out += '\n';
  columns.AppendTo(out);
}

void AppendSlowest(std::string& out, const Summary& summary, std::size_t rows) {
  if (summary.slowest().empty()) return;
  Columns columns({"SLOWEST", "STATUS", "TARGET", "REQUEST"}, 1);
  for (std::size_t i = 0; i < std::min(rows, summary.slowest().size()); ++i) {
    const SlowRequest& slow = summary.slowest()[i];
    columns.Add(
        {TimeText(slow.took), fmt::format("{:03}", slow.status), slow.target, Cut(Printable(slow.request), 100)});
  }
  out += '\n';
  columns.AppendTo(out);
}

}  // namespace

std::string SummaryText(const Summary& summary, std::size_t rows) {
  if (summary.all().requests == 0 && summary.connections() == 0) return "no line\n";
  std::string out;
  AppendHead(out, summary);
  AppendStatuses(out, summary);
  AppendCounts(out, "ERROR REASON", summary.reasons(), rows);
  AppendCounts(out, "FAILED HANDSHAKE", summary.failed_connections(), rows);
  const std::uint64_t all = summary.all().requests;
  AppendTallies(out, "RULE", summary.rules(), rows, all);
  AppendTallies(out, "TARGET GROUP", summary.groups(), rows, all);
  AppendTallies(out, "TARGET", summary.targets(), rows, all);
  AppendIntervals(out, summary);
  AppendSlowest(out, summary, rows);
  return out;
}

}  // namespace weir::logs
