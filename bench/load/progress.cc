#include "bench/load/progress.h"

#include "base/figures.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace weir::bench {
namespace {

constexpr std::size_t kSharesMax = 6;
constexpr std::size_t kErrorsMax = 3;
// Of a block: it has to fit on a terminal. A line has all of them.
constexpr std::size_t kBlockEventsMax = 6;

double PerSecond(const Interval& interval, std::uint64_t count) {
  return interval.length_seconds > 0 ? static_cast<double>(count) / interval.length_seconds : 0;
}

// `blue 80.1 %  green 19.9 %`, the largest first.
std::string SharesText(const std::map<std::string, std::uint64_t>& shares) {
  std::uint64_t whole = 0;
  for (const auto& [name, count] : shares) whole += count;
  std::string out;
  const auto ranked = Ranked(shares);
  for (std::size_t i = 0; i < std::min(ranked.size(), kSharesMax); ++i) {
    const auto percent = whole == 0 ? 0.0 : 100 * static_cast<double>(ranked[i].second) / static_cast<double>(whole);
    out += fmt::format("{}{} {:.1f} %", i == 0 ? "" : "  ", TerminalText(ranked[i].first), percent);
  }
  if (ranked.size() > kSharesMax) out += fmt::format("  {} more", ranked.size() - kSharesMax);
  return out;
}

// `timeout 3  reset 1`; empty without errors.
std::string ErrorsText(const std::map<std::string, std::uint64_t>& errors) {
  std::string out;
  const auto ranked = Ranked(errors);
  for (std::size_t i = 0; i < std::min(ranked.size(), kErrorsMax); ++i) {
    out += fmt::format("{}{} {}", i == 0 ? "" : "  ", TerminalText(ranked[i].first), CountText(ranked[i].second));
  }
  if (ranked.size() > kErrorsMax) out += fmt::format("  {} more kinds", ranked.size() - kErrorsMax);
  return out;
}

// `  event: …` for each of them.
std::string EventsText(std::span<const ApplianceEvent> events) {
  std::string out;
  for (const auto& event : events) out += "  event: " + TerminalText(event.text);
  return out;
}

std::string_view ColourOf(EventTone tone) {
  switch (tone) {
    case EventTone::kGood:
      return "32";
    case EventTone::kBad:
      return "31";
    case EventTone::kPlain:
      break;
  }
  return {};
}

// How far the run is: `12 s of 60 s`, with a bar when the length is known.
std::string TimeText(double now, double duration) {
  if (duration <= 0) return fmt::format("{:.0f} s", now);
  constexpr int kCells = 20;
  const int filled = static_cast<int>(std::clamp(now / duration, 0.0, 1.0) * kCells);
  return fmt::format("[{:=<{}}{:<{}}] {:.0f} s of {:.0f} s", "", filled, "", kCells - filled, now, duration);
}

}  // namespace

ProgressOptions ProgressOptionsFor(std::FILE* out) {
  ProgressOptions options;
  const int fd = fileno(out);
  const char* kind = std::getenv("TERM");
  const bool dumb = kind != nullptr && std::string_view(kind) == "dumb";
  options.terminal = isatty(fd) == 1 && !dumb;
  options.colours = options.terminal && std::getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (options.terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) options.columns = size.ws_col;
  return options;
}

Progress::Progress(std::FILE* out, ProgressOptions options) : out_(out), options_(std::move(options)) {}

std::string Progress::Block(const Interval& interval, std::span<const ApplianceEvent> events) const {
  std::string out;
  const auto add = [&](const std::string& text, std::string_view colour = {}) {
    // The last column stays free: some terminals wrap as soon as it is written.
    const auto line = Cut(text, options_.columns > 1 ? options_.columns - 1 : 1);
    out += options_.colours && !colour.empty() ? fmt::format("\x1b[{}m{}\x1b[0m\n", colour, line) : line + "\n";
  };
  add(TimeText(interval.start_seconds + interval.length_seconds, options_.duration_seconds));
  add(fmt::format("  rate     {} {}/s   {}/s received", RateText(PerSecond(interval, interval.completed)),
                  options_.unit, BytesText(PerSecond(interval, interval.bytes_received))));
  add(fmt::format("  latency  p50 {}   p99 {}   p99.9 {}   max {}", DurationText(interval.p50_ms),
                  DurationText(interval.p99_ms), DurationText(interval.p999_ms), DurationText(interval.max_ms)));
  if (interval.errors == 0) {
    add("  errors   none");
  } else {
    add(fmt::format("  errors   {} ({})", CountText(interval.errors), ErrorsText(interval.errors_by_kind)),
        ColourOf(EventTone::kBad));
  }
  if (!interval.shares.empty()) add("  shares   " + SharesText(interval.shares));
  const std::size_t earlier = events.size() - std::min(events.size(), kBlockEventsMax);
  if (earlier > 0) add(fmt::format("  event    {} earlier ones", earlier));
  for (const auto& event : events.subspan(earlier)) add("  event    " + TerminalText(event.text), ColourOf(event.tone));
  return out;
}

std::string Progress::Line(const Interval& interval, std::span<const ApplianceEvent> events) const {
  auto out = fmt::format("{:.0f} s  {} {}/s  errors {}  p50 {}  p99 {}  p99.9 {}",
                         interval.start_seconds + interval.length_seconds,
                         RateText(PerSecond(interval, interval.completed)), options_.unit, CountText(interval.errors),
                         DurationText(interval.p50_ms), DurationText(interval.p99_ms), DurationText(interval.p999_ms));
  if (interval.errors > 0) out += "  (" + ErrorsText(interval.errors_by_kind) + ")";
  if (!interval.shares.empty()) out += "  [" + SharesText(interval.shares) + "]";
  return out + EventsText(events) + "\n";
}

void Progress::Show(const Interval& interval, std::span<const ApplianceEvent> new_events) {
  if (!options_.terminal) {
    std::fputs(Line(interval, new_events).c_str(), out_);
    std::fflush(out_);
    return;
  }
  if (!new_events.empty()) shown_events_.assign(new_events.begin(), new_events.end());
  const auto block = Block(interval, shown_events_);
  // Up to the first line of the last block and clear what is below, in one write: no flicker.
  const auto home = lines_on_screen_ == 0 ? std::string() : fmt::format("\x1b[{}F\x1b[J", lines_on_screen_);
  std::fputs((home + block).c_str(), out_);
  std::fflush(out_);
  lines_on_screen_ = static_cast<std::size_t>(std::ranges::count(block, '\n'));
}

void Progress::Finish(std::span<const ApplianceEvent> new_events) {
  if (!options_.terminal && !new_events.empty()) {
    std::fputs(fmt::format("at the end{}\n", EventsText(new_events)).c_str(), out_);
    std::fflush(out_);
  }
  if (lines_on_screen_ == 0) return;
  std::fputs(fmt::format("\x1b[{}F\x1b[J", lines_on_screen_).c_str(), out_);
  std::fflush(out_);
  lines_on_screen_ = 0;
}

}  // namespace weir::bench
