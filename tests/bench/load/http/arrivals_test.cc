#include "bench/load/http/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <vector>

namespace weir::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

WeightedCycle Cycle(std::vector<std::uint32_t> weights) { return WeightedCycle::Build(weights).value(); }

std::vector<Arrival> Take(Arrivals& arrivals, std::size_t count) {
  std::vector<Arrival> taken;
  while (taken.size() < count) {
    const auto next = arrivals.Next();
    if (!next) break;
    taken.push_back(*next);
  }
  return taken;
}

TEST(WeightedCycleTest, AWholeCycleHasTheExactShares) {
  auto cycle = Cycle({30, 10, 20});
  ASSERT_EQ(cycle.length(), 6U);
  std::map<std::uint32_t, int> seen;
  for (int i = 0; i < 600; ++i) ++seen[cycle.Next()];
  EXPECT_EQ(seen, (std::map<std::uint32_t, int>{{0, 300}, {1, 100}, {2, 200}}));
}

TEST(WeightedCycleTest, TheHeavyOneDoesNotComeInOneRun) {
  auto cycle = Cycle({5, 1, 1});
  std::vector<std::uint32_t> order;
  for (int i = 0; i < 7; ++i) order.push_back(cycle.Next());
  EXPECT_EQ(order, (std::vector<std::uint32_t>{0, 0, 1, 0, 2, 0, 0}));
}

TEST(WeightedCycleTest, RefusesNothingZeroAndTooMuch) {
  EXPECT_FALSE(WeightedCycle::Build({}));
  EXPECT_FALSE(WeightedCycle::Build(std::array<std::uint32_t, 2>{1, 0}));
  EXPECT_FALSE(WeightedCycle::Build(std::array<std::uint32_t, 2>{99'999, 100'000}));
  EXPECT_TRUE(WeightedCycle::Build(std::array<std::uint32_t, 2>{4'000'000'000U, 2'000'000'000U}));
}

TEST(ArrivalsTest, ConstantGapsDoNotDriftOverALongRun) {
  const auto arrivals = ConstantArrivals(3, {}, Cycle({1}));
  nanoseconds last{0};
  for (int i = 0; i <= 30'000; ++i) last = arrivals->Next()->at;
  EXPECT_NEAR(static_cast<double>(last.count()), 1e13, 2);
}

TEST(ArrivalsTest, PartsOfAConstantScheduleInterleave) {
  const auto first = ConstantArrivals(1000, {.index = 0, .count = 2}, Cycle({1}));
  const auto second = ConstantArrivals(1000, {.index = 1, .count = 2}, Cycle({1}));
  EXPECT_EQ(first->Next()->at, milliseconds(0));
  EXPECT_EQ(second->Next()->at, milliseconds(1));
  EXPECT_EQ(first->Next()->at, milliseconds(2));
  EXPECT_EQ(second->Next()->at, milliseconds(3));
}

TEST(ArrivalsTest, PoissonGapsHaveTheMeanAndTheSpreadOfAnExponential) {
  constexpr int kCount = 20'000;
  const auto arrivals = PoissonArrivals(1000, {}, Cycle({1}), Random(7));
  double sum = 0;
  double squares = 0;
  nanoseconds last{0};
  for (const Arrival& arrival : Take(*arrivals, kCount)) {
    ASSERT_GE(arrival.at, last);
    const double gap = std::chrono::duration<double, std::milli>(arrival.at - last).count();
    sum += gap;
    squares += gap * gap;
    last = arrival.at;
  }
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, 1, 0.03);
  EXPECT_NEAR(std::sqrt(squares / kCount - mean * mean), 1, 0.05);
}

TEST(ArrivalsTest, PartsOfAPoissonScheduleShareTheRate) {
  const auto part = PoissonArrivals(1000, {.index = 2, .count = 4}, Cycle({1}), Random(3));
  const auto taken = Take(*part, 5'000);
  EXPECT_NEAR(std::chrono::duration<double>(taken.back().at).count(), 20, 1);
}

TEST(ArrivalsTest, TheSameSeedGivesTheSameSchedule) {
  const auto one = PoissonArrivals(50, {}, Cycle({1}), Random(11));
  const auto other = PoissonArrivals(50, {}, Cycle({1}), Random(11));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(one->Next()->at, other->Next()->at);
}

TEST(ArrivalsTest, ARecordingKeepsItsTimesDividedByTheSpeed) {
  const std::array<nanoseconds, 4> times = {milliseconds(0), milliseconds(10), milliseconds(10), milliseconds(30)};
  const std::array<std::uint32_t, 4> requests = {3, 1, 0, 2};
  const auto whole = RecordedArrivals(times, requests, 4, {});
  const auto taken = Take(*whole, 10);
  ASSERT_EQ(taken.size(), 4U);
  EXPECT_EQ(taken[1].at, microseconds(2500));
  EXPECT_EQ(taken[1].request, 1U);
  EXPECT_EQ(taken[3].at, microseconds(7500));
  const auto part = RecordedArrivals(times, requests, 1, {.index = 1, .count = 2});
  const auto of_part = Take(*part, 10);
  ASSERT_EQ(of_part.size(), 2U);
  EXPECT_EQ(of_part[0].request, 1U);
  EXPECT_EQ(of_part[1].request, 2U);
  EXPECT_EQ(of_part[1].at, milliseconds(30));
}

TEST(ArrivalsTest, SchedulesChooseByWeight) {
  const auto arrivals = PoissonArrivals(10, {}, Cycle({3, 1}), Random(1));
  std::map<std::uint32_t, int> seen;
  for (const Arrival& arrival : Take(*arrivals, 400)) ++seen[arrival.request];
  EXPECT_EQ(seen, (std::map<std::uint32_t, int>{{0, 300}, {1, 100}}));
}

}  // namespace
}  // namespace weir::bench
