#include "bench/load/report.h"
#include "tests/bench/sample_record.h"

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
