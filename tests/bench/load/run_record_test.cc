#include "bench/load/run_record.h"

#include <gtest/gtest.h>

#include <chrono>

namespace weir::bench {
namespace {

using namespace std::chrono_literals;

TEST(CountsTest, AddingSumsEveryCounter) {
  Counts one{.started = 5, .completed = 4, .bytes_received = 10, .bytes_sent = 3, .connections = 1};
  one.errors = {{"reset", 1}};
  one.outcomes = {{"200", 4}};
  one.latency.Record(1ms);
  Counts other{.started = 2, .completed = 1, .bytes_received = 1, .bytes_sent = 1, .connections = 2};
  other.errors = {{"reset", 2}, {"timeout", 3}};
  other.outcomes = {{"503", 1}};
  other.shares = {{"blue", 1}};
  other.latency.Record(2ms);
  one.Add(other);
  EXPECT_EQ(one.started, 7U);
  EXPECT_EQ(one.completed, 5U);
  EXPECT_EQ(one.bytes_received, 11U);
  EXPECT_EQ(one.bytes_sent, 4U);
  EXPECT_EQ(one.connections, 3U);
  EXPECT_EQ(one.error_count(), 6U);
  EXPECT_EQ(one.outcomes.size(), 2U);
  EXPECT_EQ(one.shares.at("blue"), 1U);
  EXPECT_EQ(one.latency.count(), 2U);
}

TEST(IntervalTest, KeepsWhatIsDrawn) {
  Counts counts{.started = 1'000, .completed = 999, .bytes_received = 5};
  for (int i = 1; i <= 1'000; ++i) counts.latency.Record(i * 1ms);
  counts.errors = {{"timeout", 1}};
  counts.shares = {{"blue", 999}};
  const auto interval = IntervalOf(counts, 7, 0.5);
  EXPECT_EQ(interval.start_seconds, 7);
  EXPECT_EQ(interval.length_seconds, 0.5);
  EXPECT_EQ(interval.started, 1'000U);
  EXPECT_EQ(interval.completed, 999U);
  EXPECT_EQ(interval.bytes_received, 5U);
  EXPECT_EQ(interval.errors, 1U);
  EXPECT_NEAR(interval.p50_ms, 500, 1);
  EXPECT_NEAR(interval.p90_ms, 900, 1);
  EXPECT_NEAR(interval.p99_ms, 990, 1);
  EXPECT_NEAR(interval.p999_ms, 999, 1);
  EXPECT_EQ(interval.max_ms, 1'000);
  EXPECT_EQ(interval.errors_by_kind.at("timeout"), 1U);
  EXPECT_EQ(interval.shares.at("blue"), 999U);
}

TEST(IntervalTest, OfNothingIsZero) {
  const auto interval = IntervalOf(Counts(), 0, 1);
  EXPECT_EQ(interval.p50_ms, 0);
  EXPECT_EQ(interval.max_ms, 0);
}

}  // namespace
}  // namespace weir::bench
