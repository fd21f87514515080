#include "control/status_rates.h"

#include "control/status_json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <utility>

namespace weir::control {
namespace {

using namespace std::chrono_literals;

// A report with the group `blue` as `change` makes it.
template <class Change>
StatusReport Blue(Change change) {
  StatusReport report;
  TargetGroupReport group;
  group.name = "blue";
  group.healthy = 2;
  group.registered = 3;
  change(group);
  report.target_groups.push_back(std::move(group));
  return report;
}

TEST(RatesBetweenTest, CountWhatHappenedInASecond) {
  const auto before = Blue([](auto& group) { group.requests = 100; });
  const auto now = Blue([](auto& group) {
    group.requests = 300;
    group.responses[4] = 2;
    group.failures = 3;
    group.no_target = 1;
    group.response_time.counts[2] = 200;
  });
  const auto rates = RatesBetween(before, now, 2s);
  ASSERT_EQ(rates.size(), 1U);
  EXPECT_EQ(rates[0].name, "blue");
  EXPECT_EQ(rates[0].healthy, 2U);
  EXPECT_EQ(rates[0].registered, 3U);
  EXPECT_DOUBLE_EQ(rates[0].requests, 100.0);
  EXPECT_DOUBLE_EQ(rates[0].errors, 3.0);
  ASSERT_TRUE(rates[0].p99);
  EXPECT_GT(*rates[0].p99, 250us);
  EXPECT_LE(*rates[0].p99, 500us);
}

TEST(RatesBetweenTest, OnlyWhatIsNewCountsForTheP99) {
  const auto before = Blue([](auto& group) { group.response_time.counts[12] = 1'000; });
  auto now = before;
  now.target_groups[0].response_time.counts[0] = 50;
  const auto rates = RatesBetween(before, now, 1s);
  ASSERT_TRUE(rates[0].p99);
  EXPECT_LE(*rates[0].p99, 100us);
  EXPECT_FALSE(RatesBetween(now, now, 1s)[0].p99) << "nothing was answered in between";
}

TEST(RatesBetweenTest, AGroupThatIsNewOrWasStartedAnewBeganAtZero) {
  const auto now = Blue([](auto& group) { group.requests = 10; });
  EXPECT_DOUBLE_EQ(RatesBetween({}, now, 1s)[0].requests, 10.0);
  const auto before = Blue([](auto& group) { group.requests = 500; });
  EXPECT_DOUBLE_EQ(RatesBetween(before, now, 1s)[0].requests, 10.0);
}

TEST(QuantileTest, InterpolatesInItsBucket) {
  ResponseTimeReport recorded;
  EXPECT_FALSE(Quantile(recorded, 0.99));
  recorded.counts[3] = 100;  // above 500 us, up to 1 ms
  EXPECT_EQ(Quantile(recorded, 0.5), 750us);
  EXPECT_EQ(Quantile(recorded, 1.0), 1'000us);
  recorded.counts[0] = 100;
  EXPECT_EQ(Quantile(recorded, 0.25), 50us);
  recorded.counts.back() = 1'000;
  EXPECT_EQ(Quantile(recorded, 0.99), 10s) << "above the last bound nothing more is known";
}

TEST(StatusJsonTest, TakesTheTrafficOfAGroupThereAndBack) {
  const auto report = Blue([](auto& group) {
    group.no_target = 1;
    group.failures = 2;
    group.responses = {3, 4, 5, 6, 7};
    for (std::size_t i = 0; i < group.response_time.counts.size(); ++i) group.response_time.counts[i] = i;
  });
  const auto read = ParseStatusJson(StatusJson(report));
  ASSERT_TRUE(read);
  const auto& group = read->target_groups.at(0);
  EXPECT_EQ(group.no_target, 1U);
  EXPECT_EQ(group.failures, 2U);
  EXPECT_EQ(group.responses, report.target_groups[0].responses);
  EXPECT_EQ(group.response_time.counts, report.target_groups[0].response_time.counts);
}

}  // namespace
}  // namespace weir::control
