#include "bench/load/report.h"
#include "tests/bench/load/sample_record.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TableTest, ShowsEverySection) {
  auto record = FailoverRecord(6);
  const auto table = Table(record);
  for (const auto* part :
       {"weir bench http http://127.0.0.1:8080/\n", "  started      2026-11-02T10:15:30",
        "  rate         400/s, Poisson\n", "Throughput\n  offered ", "Latency, from the scheduled time\n", "  p50 ",
        "  p75 ", "  p90 ", "  p99 ", "  p99.9 ", "  p99.99 ", "  max ", "Outcomes\n  200 ", "Errors\n", "  timeout ",
        "Shares\n  blue ", "  blue   2,160  90.87 %", "Events\n",
        "+2.20 s  health    target 127.0.0.1:9002 of green"}) {
    EXPECT_THAT(table, HasSubstr(part));
  }
  EXPECT_THAT(table, Not(HasSubstr("interrupted")));
  record.interrupted = true;
  EXPECT_THAT(Table(record), HasSubstr("6.00 s, interrupted"));
}

TEST(TableTest, NothingDoneIsSaid) {
  const auto table = Table(RunRecord());
  EXPECT_THAT(table, HasSubstr("Latency\n  nothing was completed\n"));
  EXPECT_THAT(table, Not(HasSubstr("offered")));
  EXPECT_THAT(table, Not(HasSubstr("Errors")));
}

TEST(TableTest, ColoursOnlyWhenAsked) {
  const auto record = FailoverRecord(6);
  EXPECT_THAT(Table(record), Not(HasSubstr("\x1b")));
  EXPECT_THAT(Table(record, {.colours = true}), HasSubstr("\x1b[31mErrors\x1b[0m"));
}

TEST(TableTest, ForeignTextCannotSteerTheTerminal) {
  RunRecord record;
  record.title = "x\x1b[2J";
  record.settings = {{"header", "a\nb"}};
  record.total.started = record.total.completed = 1;
  record.total.shares = {{"\x1b]0;owned\x07", 1}};
  record.events = {{0, "health", "down\r\x1b[A"}};
  const auto table = Table(record);
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  EXPECT_THAT(table, HasSubstr("a?b"));
}

// Of 10,003 requests a third was answered with 502.
RunRecord FailingRecord() {
  RunRecord record;
  record.seconds = 20;
  record.offered_rate = 500;
  record.total.started = record.total.completed = 10'003;
  record.total.outcomes = {{"200", 6'000}, {"204", 902}, {"502", 3'101}};
  record.total.errors = {{"answer 502", 3'101}};
  return record;
}

TEST(BenchSmallTest, TheTableShowsAnswersByClass) {
  const auto table = Table(FailingRecord());
  EXPECT_THAT(table, HasSubstr("Answers\n  2xx  6,902  69.00 %\n  5xx  3,101  31.00 %\n"));
  EXPECT_THAT(table, HasSubstr("  errors      3,101  31.00 %\n"));
  EXPECT_THAT(table, HasSubstr("Errors\n  answer 502  3,101  31.00 %\n"));
  const auto coloured = Table(FailingRecord(), {.colours = true});
  EXPECT_THAT(coloured, HasSubstr("\x1b[31m  5xx  3,101  31.00 %\x1b[0m\n"));
  EXPECT_THAT(coloured, HasSubstr("\n  2xx  6,902"));
}

TEST(BenchSmallTest, ResponseCodesAreNotShownTwice) {
  RunRecord record;
  record.total.completed = 2;
  record.total.outcomes = {{"NOERROR", 1}, {"SERVFAIL", 1}};
  EXPECT_THAT(Table(record), Not(HasSubstr("Answers\n")));
}

TEST(BenchSmallTest, OfferedAndCompletedAreRatesOverTheSameTime) {
  const auto table = Table(FailingRecord());
  EXPECT_THAT(table, HasSubstr("  offered       500  requests/s, 500/s asked for\n"));
  auto record = FailingRecord();
  record.total.started = record.total.completed = 9'640;
  EXPECT_THAT(Table(record),
              HasSubstr("  offered      482  requests/s, 500/s asked for\n  completed    482  requests/s\n"));
}

TEST(BenchSmallTest, SharesOfOtherRequestsSayOfHowMany) {
  auto record = FailingRecord();
  record.total.shares = {{"blue", 9'000}, {"green", 1'003}};
  EXPECT_THAT(Table(record), HasSubstr("Shares\n  blue   9,000  89.97 %\n"));
  record.total.shares = {{"blue", 9'000}, {"green", 567}};
  EXPECT_THAT(Table(record), HasSubstr("Shares, of 9,567\n"));
}

TEST(BenchSmallTest, ConditionsAreShownWithWhatTheRunHad) {
  auto record = FailingRecord();
  record.conditions = {{"errors>0.1%", "31.00 %", true}, {"p99>50ms", "1.20 ms", false}};
  EXPECT_THAT(Table(record), HasSubstr("Fail if\n  errors>0.1%  31.00 %  failed\n  p99>50ms     1.20 ms  passed\n"));
}

TEST(TableTest, ManyNamesAndEventsAreSummedUp) {
  RunRecord record;
  record.total.completed = 1'000;
  for (int i = 0; i < 50; ++i) record.total.outcomes[fmt::format("{}", 200 + i)] = 20;
  for (int i = 0; i < 60; ++i) record.events.push_back({i * 1.0, "health", "something"});
  const auto table = Table(record);
  EXPECT_THAT(table, HasSubstr("  30 others  600  60.00 %\n"));
  EXPECT_THAT(table, HasSubstr("  20 more; --json has them all\n"));
}

}  // namespace
}  // namespace weir::bench
