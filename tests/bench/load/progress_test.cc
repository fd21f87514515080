#include "bench/load/progress.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace weir::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Interval Second() {
  Interval interval{.start_seconds = 11,
                    .length_seconds = 1,
                    .started = 1'250,
                    .completed = 1'234,
                    .bytes_received = 2'000'000,
                    .errors = 16,
                    .p50_ms = 0.5,
                    .p90_ms = 1,
                    .p99_ms = 12.34,
                    .p999_ms = 45.6,
                    .max_ms = 50};
  interval.errors_by_kind = {{"reset", 4}, {"timeout", 12}};
  interval.shares = {{"blue", 1'000}, {"green", 234}};
  return interval;
}

std::vector<ApplianceEvent> Events(const std::vector<std::string>& texts) {
  std::vector<ApplianceEvent> events;
  for (const auto& text : texts) events.push_back({.kind = "health", .text = text});
  return events;
}

// A file in memory and what was written to it.
class Sink {
 public:
  Sink() : file_(std::tmpfile()) {}
  ~Sink() { std::fclose(file_); }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  [[nodiscard]] std::FILE* file() const { return file_; }
  [[nodiscard]] std::string Text() const {
    std::string out;
    std::rewind(file_);
    std::array<char, 4'096> buffer;
    while (const auto got = std::fread(buffer.data(), 1, buffer.size(), file_)) out.append(buffer.data(), got);
    return out;
  }

 private:
  std::FILE* file_;
};

TEST(ProgressTest, ALineHasEverything) {
  const Progress progress(stderr, {});
  EXPECT_EQ(progress.Line(Second(), Events({"target gone"})),
            "12 s  1,234 requests/s  errors 16  p50 500 us  p99 12.3 ms  p99.9 45.6 ms  (timeout 12  reset 4)  "
            "[blue 81.0 %  green 19.0 %]  event: target gone\n");
}

TEST(ProgressTest, ALineWithoutErrorsSharesAndEventsIsShort) {
  auto interval = Second();
  interval.errors = 0;
  interval.errors_by_kind.clear();
  interval.shares.clear();
  const Progress progress(stderr, {.unit = "queries"});
  EXPECT_EQ(progress.Line(interval, {}), "12 s  1,234 queries/s  errors 0  p50 500 us  p99 12.3 ms  p99.9 45.6 ms\n");
}

TEST(ProgressTest, RatesFollowTheLengthOfTheInterval) {
  auto interval = Second();
  interval.length_seconds = 0.5;
  EXPECT_THAT(Progress(stderr, {}).Line(interval, {}), HasSubstr("2,468 requests/s"));
}

TEST(ProgressTest, ABlockShowsHowFarTheRunIs) {
  const Progress progress(stderr, {.terminal = true, .duration_seconds = 24});
  const auto block = progress.Block(Second(), Events({"target gone"}));
  EXPECT_THAT(block, HasSubstr("[==========          ] 12 s of 24 s\n"));
  EXPECT_THAT(block, HasSubstr("  shares   blue 81.0 %  green 19.0 %\n"));
  EXPECT_THAT(block, HasSubstr("  event    target gone\n"));
  EXPECT_THAT(block, Not(HasSubstr("\x1b")));
}

TEST(ProgressTest, LinesStayInsideTheTerminal) {
  const Progress progress(stderr, {.terminal = true, .columns = 30});
  std::istringstream lines(progress.Block(Second(), Events({std::string(200, 'x')})));
  for (std::string line; std::getline(lines, line);) {
    const auto characters = std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; });
    EXPECT_LT(characters, 30) << line;
  }
}

TEST(ProgressTest, ForeignTextCannotSteerTheTerminal) {
  auto interval = Second();
  interval.shares = {{"\x1b[2J", 1}};
  interval.errors_by_kind = {{"a\nb", 16}};
  const Progress progress(stderr, {.terminal = true, .columns = 200});
  const auto block = progress.Block(interval, Events({"x\r\x1b[A"}));
  EXPECT_THAT(block, Not(HasSubstr("\x1b")));
  EXPECT_THAT(block, HasSubstr("a?b 16"));
}

TEST(ProgressTest, ABlockIsRepaintedInPlaceAndTakenAway) {
  const Sink sink;
  Progress progress(sink.file(), {.terminal = true});
  const auto lines = std::ranges::count(progress.Block(Second(), {}), '\n');
  progress.Show(Second());
  EXPECT_THAT(sink.Text(), Not(HasSubstr("\x1b")));
  progress.Show(Second());
  const auto home = fmt::format("\x1b[{}F\x1b[J", lines);
  EXPECT_THAT(sink.Text(), HasSubstr(home));
  progress.Finish();
  EXPECT_TRUE(sink.Text().ends_with(home));
  const auto length = sink.Text().size();
  progress.Finish();
  EXPECT_EQ(sink.Text().size(), length) << "nothing is left to take away";
}

TEST(ProgressTest, WhatIsNoTerminalGetsALinePerInterval) {
  const Sink sink;
  Progress progress(sink.file(), ProgressOptionsFor(sink.file()));
  progress.Show(Second());
  progress.Show(Second(), Events({"target gone"}));
  progress.Show(Second());
  progress.Finish();
  const auto text = sink.Text();
  EXPECT_EQ(std::ranges::count(text, '\n'), 3);
  EXPECT_EQ(text.find("target gone"), text.rfind("target gone")) << "an event is told once";
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(BenchSmallTest, ALineHasEveryEventOfItsSecond) {
  const Progress progress(stderr, {});
  const auto line = progress.Line(Second(), Events({"one", "two", "three"}));
  EXPECT_THAT(line, HasSubstr("  event: one  event: two  event: three\n"));
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
}

TEST(BenchSmallTest, EventsAfterTheLastSecondAreTold) {
  const Sink sink;
  Progress progress(sink.file(), {});
  progress.Show(Second(), Events({"one"}));
  progress.Finish(Events({"two", "three"}));
  EXPECT_TRUE(sink.Text().ends_with("\nat the end  event: two  event: three\n")) << sink.Text();
}

TEST(BenchSmallTest, ABlockKeepsTheLatestEventsUntilOthersCome) {
  const Sink sink;
  Progress progress(sink.file(), {.terminal = true, .columns = 200});
  progress.Show(Second(), Events({"one", "two"}));
  progress.Show(Second());
  const auto last = sink.Text().substr(sink.Text().rfind("\x1b[J"));
  EXPECT_THAT(last, HasSubstr("  event    one\n  event    two\n"));
  progress.Show(Second(), Events({"three"}));
  const auto next = sink.Text().substr(sink.Text().rfind("\x1b[J"));
  EXPECT_THAT(next, HasSubstr("  event    three\n"));
  EXPECT_THAT(next, Not(HasSubstr("one")));
}

TEST(BenchSmallTest, ABlockOfManyEventsFitsOnATerminal) {
  std::vector<std::string> texts;
  for (int i = 1; i <= 300; ++i) texts.push_back(fmt::format("number {}.", i));
  const auto block = Progress(stderr, {.terminal = true}).Block(Second(), Events(texts));
  EXPECT_LT(std::ranges::count(block, '\n'), 15);
  EXPECT_THAT(block, HasSubstr("294 earlier ones"));
  EXPECT_THAT(block, HasSubstr("number 300."));
  EXPECT_THAT(block, Not(HasSubstr("number 294.")));
}

TEST(BenchSmallTest, ABlockShowsRecoveriesInGreenAndFailuresInRed) {
  const Progress progress(stderr, {.terminal = true, .colours = true});
  std::vector<ApplianceEvent> events = Events({"gone", "back", "moved"});
  events[0].tone = EventTone::kBad;
  events[1].tone = EventTone::kGood;
  const auto block = progress.Block(Second(), events);
  EXPECT_THAT(block, HasSubstr("\x1b[31m  event    gone\x1b[0m\n\x1b[32m  event    back\x1b[0m\n  event    moved\n"));
}

}  // namespace
}  // namespace weir::bench
