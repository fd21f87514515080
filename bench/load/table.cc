#include "base/figures.h"
#include "bench/load/answers.h"
#include "bench/load/report.h"

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

namespace weir::bench {
namespace {

// A terminal shows this many rows of a kind; the JSON and the page have them all.
constexpr std::size_t kCountRowsMax = 20;
constexpr std::size_t kEventsMax = 40;

constexpr std::string_view kBold = "1";
constexpr std::string_view kRed = "31";

struct TableRow {
  std::string name;
  std::string value;
  std::string note = {};
  bool bad = false;
};

// Writes sections of aligned rows under a heading each.
class TableWriter {
 public:
  explicit TableWriter(bool colours) : colours_(colours) {}

  void Heading(std::string_view text, std::string_view style = kBold) {
    if (!out_.empty()) out_ += '\n';
    out_ += Styled(text, style) + '\n';
  }

  // Names to the left, values to the left: words.
  void Words(const std::vector<TableRow>& rows) {
    const auto width = Widest(rows, &TableRow::name);
    for (const auto& row : rows) out_ += fmt::format("  {:<{}}  {}\n", row.name, width, row.value);
  }

  // Names to the left, values to the right: numbers that are compared down the column.
  void Numbers(const std::vector<TableRow>& rows) {
    const auto names = Widest(rows, &TableRow::name);
    const auto values = Widest(rows, &TableRow::value);
    for (const auto& row : rows) {
      const auto line = fmt::format("  {:<{}}  {:>{}}{}{}", row.name, names, row.value, values,
                                    row.note.empty() ? "" : "  ", row.note);
      out_ += (row.bad ? Styled(line, kRed) : line) + '\n';
    }
  }

  void Line(std::string_view text) { out_ += fmt::format("  {}\n", text); }
  std::string Take() { return std::move(out_); }

 private:
  [[nodiscard]] std::string Styled(std::string_view text, std::string_view style) const {
    return colours_ ? fmt::format("\x1b[{}m{}\x1b[0m", style, text) : std::string(text);
  }
  static std::size_t Widest(const std::vector<TableRow>& rows, std::string TableRow::* member) {
    std::size_t width = 0;
    for (const auto& row : rows) width = std::max(width, (row.*member).size());
    return width;
  }

  bool colours_;
  std::string out_;
};

void WriteSettings(TableWriter& out, const RunRecord& record) {
  out.Heading(TerminalText(record.title));
  std::vector<TableRow> rows = {{"started", FormatIso8601(record.started)}};
  for (const auto& [name, value] : record.settings) rows.push_back({TerminalText(name), TerminalText(value)});
  rows.push_back({"measured", fmt::format("{:.2f} s{}", record.seconds, record.interrupted ? ", interrupted" : "")});
  out.Words(rows);
}

void WriteThroughput(TableWriter& out, const RunRecord& record) {
  const Counts& total = record.total;
  out.Heading("Throughput");
  std::vector<TableRow> rows;
  if (record.offered_rate > 0) {
    rows.push_back({"offered", RateText(record.PerSecond(record.total.started)),
                    fmt::format("{}/s, {}/s asked for", record.unit, RateText(record.offered_rate))});
  }
  rows.push_back({"completed", RateText(record.PerSecond(total.completed)), record.unit + "/s"});
  rows.push_back({"started", CountText(total.started), record.unit});
  rows.push_back({"completed", CountText(total.completed), PercentText(total.completed, total.started)});
  rows.push_back({"errors", CountText(total.error_count()), PercentText(total.error_count(), total.started),
                  total.error_count() > 0});
  rows.push_back({"received", BytesText(static_cast<double>(total.bytes_received)),
                  BytesText(record.PerSecond(total.bytes_received)) + "/s"});
  rows.push_back(
      {"sent", BytesText(static_cast<double>(total.bytes_sent)), BytesText(record.PerSecond(total.bytes_sent)) + "/s"});
  if (total.connections > 0) rows.push_back({"connections", CountText(total.connections), "opened"});
  const auto add_handshakes = [&](const char* name, std::uint64_t count) {
    if (count > 0) rows.push_back({name, CountText(count), RateText(record.PerSecond(count)) + "/s"});
  };
  add_handshakes("TLS, full", total.handshakes_full);
  add_handshakes("TLS, resumed", total.handshakes_resumed);
  if (record.generator_cpu_seconds > 0) {
    const double rate = static_cast<double>(total.completed) / record.generator_cpu_seconds;
    rows.push_back({"generator", fmt::format("{:.2f} s", record.generator_cpu_seconds),
                    fmt::format("of CPU time, {} {} per CPU-second", RateText(rate), record.unit)});
  }
  out.Numbers(rows);
}

void WriteLatency(TableWriter& out, const RunRecord& record) {
  const Histogram& latency = record.total.latency;
  out.Heading(record.offered_rate > 0 ? "Latency, from the scheduled time" : "Latency");
  if (latency.count() == 0) return out.Line("nothing was completed");
  constexpr std::array<double, 6> kPercents = {50, 75, 90, 99, 99.9, 99.99};
  const auto text = [](std::chrono::nanoseconds value) {
    return DurationText(std::chrono::duration<double, std::milli>(value).count());
  };
  std::vector<TableRow> rows = {{"min", text(latency.min())}, {"mean", text(latency.mean())}};
  const auto values = latency.Percentiles(kPercents);
  for (std::size_t i = 0; i < kPercents.size(); ++i) {
    rows.push_back({fmt::format("p{}", kPercents[i]), text(values[i])});
  }
  rows.push_back({"max", text(latency.max())});
  out.Numbers(rows);
}

// Rows by count, the rarest summed up when there are many; percent of `whole`.
void WriteCounts(TableWriter& out, std::string_view heading, const std::map<std::string, std::uint64_t>& counts,
                 std::uint64_t whole, std::string_view style = kBold) {
  if (counts.empty()) return;
  out.Heading(heading, style);
  const auto ranked = Ranked(counts);
  std::vector<TableRow> rows;
  std::uint64_t rest = 0;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    const auto& [name, count] = ranked[i];
    if (i < kCountRowsMax) {
      rows.push_back({TerminalText(name), CountText(count), PercentText(count, whole)});
    } else {
      rest += count;
    }
  }
  if (rest > 0) {
    rows.push_back(
        {fmt::format("{} others", ranked.size() - kCountRowsMax), CountText(rest), PercentText(rest, whole)});
  }
  out.Numbers(rows);
}

// Classes in which an answer was not expected are red.
void WriteClasses(TableWriter& out, const RunRecord& record) {
  const Counts& total = record.total;
  const auto classes = ByClass(total.outcomes);
  // The response codes of DNS are their own classes.
  if (classes == total.outcomes) return;
  const auto unexpected = UnexpectedClasses(total.errors);
  out.Heading("Answers");
  std::vector<TableRow> rows;
  for (const auto& [name, count] : classes) {
    rows.push_back(
        {TerminalText(name), CountText(count), PercentText(count, total.completed), unexpected.contains(name)});
  }
  out.Numbers(rows);
}

void WriteShares(TableWriter& out, const RunRecord& record) {
  const std::uint64_t whole = SumOf(record.total.shares);
  // Where they are not those of all requests, the number says so.
  const bool of_all = whole == record.total.completed;
  WriteCounts(out, of_all ? "Shares" : fmt::format("Shares, of {}", CountText(whole)), record.total.shares, whole);
}

void WriteConditions(TableWriter& out, const std::vector<ConditionResult>& conditions) {
  if (conditions.empty()) return;
  out.Heading("Fail if");
  std::vector<TableRow> rows;
  for (const auto& [condition, value, holds] : conditions) {
    rows.push_back({TerminalText(condition), value, holds ? "failed" : "passed", holds});
  }
  out.Numbers(rows);
}

void WriteEvents(TableWriter& out, const std::vector<ApplianceEvent>& events) {
  if (events.empty()) return;
  out.Heading("Events");
  for (std::size_t i = 0; i < std::min(events.size(), kEventsMax); ++i) {
    const auto& event = events[i];
    out.Line(fmt::format("{:>+9.2f} s  {:<8}  {}", event.seconds, TerminalText(event.kind), TerminalText(event.text)));
  }
  if (events.size() > kEventsMax) out.Line(fmt::format("{} more; --json has them all", events.size() - kEventsMax));
}

}  // namespace

std::string Table(const RunRecord& record, const TableOptions& options) {
  TableWriter out(options.colours);
  WriteSettings(out, record);
  WriteThroughput(out, record);
  WriteLatency(out, record);
  WriteClasses(out, record);
  WriteCounts(out, "Outcomes", record.total.outcomes, record.total.completed);
  WriteCounts(out, "Errors", record.total.errors, record.total.started, kRed);
  WriteShares(out, record);
  WriteEvents(out, record.events);
  WriteConditions(out, record.conditions);
  return out.Take();
}

}  // namespace weir::bench
