#include "base/figures.h"
#include "bench/load/answers.h"
#include "bench/load/page/page_assets.h"
#include "bench/load/page_data.h"
#include "bench/load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {
namespace {

constexpr std::size_t kRowsMax = 200;

// The page asks nobody for anything, and a browser that reads this would not let it.
constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
)";

std::string MillisecondsText(std::chrono::nanoseconds value) {
  return DurationText(std::chrono::duration<double, std::milli>(value).count());
}

// `2026-11-02 10:15:30 UTC`
std::string SecondsText(WallTime time) {
  auto text = FormatIso8601(time).substr(0, 19);
  std::ranges::replace(text, 'T', ' ');
  return text + " UTC";
}

// ---- the top

std::string Tile(std::string_view name, std::string_view value, std::string_view note = {}, bool bad = false) {
  return fmt::format("<div{}><dt>{}</dt><dd>{}{}{}{}</dd></div>\n", bad ? " class=\"bad\"" : "", Html(name),
                     Html(value), note.empty() ? "" : " <small>", Html(note), note.empty() ? "" : "</small>");
}

// The share of each class of answers; of many response codes, the most frequent.
std::string ClassTiles(const Counts& total) {
  constexpr std::size_t kTilesMax = 5;
  const auto classes = ByClass(total.outcomes);
  const auto unexpected = UnexpectedClasses(total.errors);
  std::vector<std::string> names;
  for (const auto& [name, count] : Ranked(classes)) {
    if (names.size() < kTilesMax) names.push_back(name);
  }
  std::ranges::sort(names);
  std::string out;
  for (const auto& name : names) {
    out += Tile(name, PercentText(classes.at(name), total.completed), CountText(classes.at(name)),
                unexpected.contains(name));
  }
  return out;
}

std::string Tiles(const RunRecord& record) {
  const Counts& total = record.total;
  const auto latency = [&](double percent) {
    return total.latency.count() == 0 ? std::string("-") : MillisecondsText(total.latency.Percentile(percent));
  };
  std::string out = "<dl class=\"tiles\">\n";
  out += Tile("completed", RateText(record.PerSecond(total.completed)), record.unit + "/s");
  if (record.offered_rate > 0) {
    out += Tile("offered", RateText(record.PerSecond(total.started)),
                fmt::format("of {}/s asked for", RateText(record.offered_rate)));
  }
  for (const auto& [name, percent] : {std::pair{"p50", 50.0}, {"p99", 99.0}, {"p99.9", 99.9}, {"max", 100.0}}) {
    out += Tile(name, latency(percent));
  }
  out += ClassTiles(total);
  out += Tile("errors", CountText(total.error_count()), PercentText(total.error_count(), total.started),
              total.error_count() > 0);
  if (!record.events.empty()) out += Tile("events", CountText(record.events.size()));
  return out + "</dl>\n";
}

std::string Top(const RunRecord& record) {
  const bool failed = std::ranges::any_of(record.conditions, &ConditionResult::holds);
  return fmt::format("<h1>{}</h1>\n<p class=\"soft\">{} &middot; {} {} in {:.1f} s{}{}</p>\n", Html(record.title),
                     Html(SecondsText(record.started)), Html(CountText(record.total.completed)), Html(record.unit),
                     record.seconds, record.interrupted ? " &middot; <span class=\"badge\">interrupted</span>" : "",
                     failed ? " &middot; <span class=\"badge failed\">failed</span>" : "");
}

// ---- charts: what charts.js draws into

std::string Chart(std::string_view id, std::string_view title, std::string_view label, std::string_view note = {}) {
  return fmt::format(
      "<section class=\"card\"><header><h2>{}</h2>{}<span class=\"keys\"{}></span></header>"
      "<div class=\"chart\" id=\"{}\" data-label=\"{}\"></div></section>\n",
      title, note.empty() ? "" : fmt::format("<span class=\"soft\">{}</span>", note),
      id == "curve" ? " id=\"curve-keys\"" : "", id, label);
}

bool Any(const RunRecord& record, std::map<std::string, std::uint64_t> Interval::* member) {
  return std::ranges::any_of(record.intervals, [member](const Interval& each) { return !(each.*member).empty(); });
}

std::string Charts(const RunRecord& record) {
  std::string out =
      "<noscript><p class=\"card\">The charts are drawn by a script; the tables below need none.</p></noscript>\n";
  out += Chart("latency", "Latency", "Latency over time; the same numbers are in the table of intervals",
               record.offered_rate > 0 ? "counted from the scheduled time" : "");
  out += Chart("throughput", "Throughput", "Throughput over time; the same numbers are in the table of intervals");
  if (Any(record, &Interval::outcomes)) {
    out += Chart("outcomes", record.unit == "queries" ? "Answers by response code" : "Answers by status",
                 "Answers over time; the totals are in the table of outcomes", "per second");
  }
  if (Any(record, &Interval::errors_by_kind)) {
    out += Chart("errors", "Errors by kind", "Errors by kind over time; the totals are in the table of errors",
                 "per second");
  }
  if (Any(record, &Interval::shares)) {
    out += Chart("shares", "Shares", "Shares over time; the totals are in the table of shares");
  }
  if (record.total.latency.count() > 0) {
    out +=
        Chart("curve", "Latency by percentile", "Latency by percentile; the same numbers are in the table of latency");
  }
  return out;
}

// ---- events

// Never the kind itself, which is foreign: a word that the style knows, and the tone.
std::string KindClass(const ApplianceEvent& event) {
  constexpr std::array<std::string_view, 6> kKinds = {"health", "reload", "shift", "override", "life", "admin"};
  const auto* found = std::ranges::find(kKinds, event.kind);
  return fmt::format("{} {}", found == kKinds.end() ? "other" : *found, ToString(event.tone));
}

// What a colour tells is told by a word too.
std::string KindText(const ApplianceEvent& event) {
  if (event.kind == "reload" && event.tone == EventTone::kBad) return "reload refused";
  return event.kind;
}

std::string Events(const RunRecord& record) {
  if (record.events.empty()) return {};
  std::string out =
      "<section class=\"card\" id=\"events\"><header><h2>Events of the appliance</h2></header><div class=\"scroll\">"
      "<table><thead><tr><th scope=\"col\">#</th><th scope=\"col\" class=\"number\">time</th><th "
      "scope=\"col\">kind</th>"
      "<th scope=\"col\">what</th></tr></thead><tbody>\n";
  const auto shown = std::min(record.events.size(), kPageEventsMax);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& event = record.events[i];
    out += fmt::format(
        "<tr data-event=\"{}\"><td><span class=\"mark {}\">{}</span></td><td class=\"number\">{:.2f} s</td>"
        "<td class=\"kind\">{}</td>"
        "<td>{}</td></tr>\n",
        i, KindClass(event), i + 1, event.seconds, Html(KindText(event)), Html(event.text));
  }
  out += "</tbody></table></div>";
  if (shown < record.events.size()) {
    out += fmt::format("<p class=\"soft\">{} more are in the JSON only.</p>", record.events.size() - shown);
  }
  return out + "</section>\n";
}

// ---- tables

std::string TableOf(std::string_view title, const std::string& rows) {
  return fmt::format(
      "<section class=\"card\"><header><h2>{}</h2></header><table><tbody>\n{}</tbody></table></section>\n", title,
      rows);
}

std::string RowOf(std::string_view name, std::string_view value, std::string_view note = {}, bool bad = false) {
  return fmt::format("<tr{}><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
                     bad ? " class=\"bad\"" : "", Html(name), Html(value), Html(note));
}

std::string Settings(const RunRecord& record) {
  std::string rows;
  for (const auto& [name, value] : record.settings) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", Html(name), Html(value));
  }
  return rows.empty() ? rows : TableOf("Settings", rows);
}

std::string Throughput(const RunRecord& record) {
  const Counts& total = record.total;
  std::string rows = RowOf("started", CountText(total.started), RateText(record.PerSecond(total.started)) + "/s");
  rows += RowOf("completed", CountText(total.completed), RateText(record.PerSecond(total.completed)) + "/s");
  rows += RowOf("errors", CountText(total.error_count()), PercentText(total.error_count(), total.started),
                total.error_count() > 0);
  rows += RowOf("received", BytesText(static_cast<double>(total.bytes_received)),
                BytesText(record.PerSecond(total.bytes_received)) + "/s");
  rows += RowOf("sent", BytesText(static_cast<double>(total.bytes_sent)),
                BytesText(record.PerSecond(total.bytes_sent)) + "/s");
  if (total.connections > 0) rows += RowOf("connections opened", CountText(total.connections));
  const auto add_handshakes = [&](std::string_view name, std::uint64_t count) {
    if (count > 0) rows += RowOf(name, CountText(count), RateText(record.PerSecond(count)) + "/s");
  };
  add_handshakes("TLS handshakes, full", total.handshakes_full);
  add_handshakes("TLS handshakes, resumed", total.handshakes_resumed);
  if (record.generator_cpu_seconds > 0) {
    rows += RowOf("CPU time of the generator", fmt::format("{:.2f} s", record.generator_cpu_seconds),
                  RateText(static_cast<double>(total.completed) / record.generator_cpu_seconds) + " per CPU-second");
  }
  return TableOf("Throughput", rows);
}

std::string LatencyTable(const Histogram& latency) {
  if (latency.count() == 0) return {};
  constexpr std::array<double, 9> kPercents = {50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 99.9999};
  const auto values = latency.Percentiles(kPercents);
  std::string rows = RowOf("min", MillisecondsText(latency.min())) + RowOf("mean", MillisecondsText(latency.mean()));
  for (std::size_t i = 0; i < kPercents.size(); ++i) {
    // Of 1,000 recordings nothing is known about the ten thousandth part.
    if (static_cast<double>(latency.count()) * (1 - kPercents[i] / 100) < 0.999) break;
    rows += RowOf(fmt::format("p{}", kPercents[i]), MillisecondsText(values[i]));
  }
  return TableOf("Latency", rows + RowOf("max", MillisecondsText(latency.max())));
}

std::string CountsTable(std::string_view title, const std::map<std::string, std::uint64_t>& counts,
                        std::uint64_t whole) {
  if (counts.empty()) return {};
  std::string rows;
  std::uint64_t rest = 0;
  std::size_t shown = 0;
  for (const auto& [name, count] : Ranked(counts)) {
    if (++shown <= kRowsMax) {
      rows += RowOf(name, CountText(count), PercentText(count, whole));
    } else {
      rest += count;
    }
  }
  if (rest > 0) rows += RowOf(fmt::format("{} others", shown - kRowsMax), CountText(rest), PercentText(rest, whole));
  return TableOf(title, rows);
}

std::string Classes(const Counts& total) {
  const auto classes = ByClass(total.outcomes);
  if (classes == total.outcomes) return {};  // the response codes of DNS
  const auto unexpected = UnexpectedClasses(total.errors);
  std::string rows;
  for (const auto& [name, count] : classes) {
    rows += RowOf(name, CountText(count), PercentText(count, total.completed), unexpected.contains(name));
  }
  return TableOf("Answers", rows);
}

std::string Shares(const Counts& total) {
  const std::uint64_t whole = SumOf(total.shares);
  const auto title = whole == total.completed ? "Shares" : fmt::format("Shares, of {}", CountText(whole));
  return CountsTable(title, total.shares, whole);
}

std::string Conditions(const RunRecord& record) {
  std::string rows;
  for (const auto& [condition, value, holds] : record.conditions) {
    rows += RowOf(condition, value, holds ? "failed" : "passed", holds);
  }
  return rows.empty() ? rows : TableOf("Fail if", rows);
}

std::string Tables(const RunRecord& record) {
  const Counts& total = record.total;
  return "<div class=\"pair\"><div>" + Throughput(record) + Classes(total) +
         CountsTable("Outcomes", total.outcomes, total.completed) + CountsTable("Errors", total.errors, total.started) +
         Shares(total) + "</div><div>" + Conditions(record) + LatencyTable(total.latency) + Settings(record) +
         "</div></div>\n";
}

constexpr std::string_view kIntervals =
    "<details class=\"card\" id=\"intervals\"><summary>Every interval in numbers</summary><div class=\"scroll\"></div>"
    "</details>\n";

}  // namespace

std::string Page(const RunRecord& unordered) {
  RunRecord record = unordered;
  // Their numbers ascend on the time axis.
  std::ranges::stable_sort(record.events, {}, &ApplianceEvent::seconds);
  std::string out(kHead);
  out +=
      fmt::format("<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n", Html(record.title), kPageStyle);
  out += Top(record) + Tiles(record) + Charts(record) + Events(record) + Tables(record);
  out += kIntervals;
  out += "</main>\n";
  out += fmt::format("<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{}</script>\n",
                     PageData(record), kPageScript);
  return out + "</body>\n</html>\n";
}

}  // namespace weir::bench
