// spec: alb.md 8 and 8.1.

#include "proxy/balancing/least_outstanding.h"
#include "proxy/balancing/selector.h"
#include "proxy/balancing/slow_start.h"
#include "tests/proxy/routing/routing_models.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace weir::proxy {
namespace {

using namespace std::chrono_literals;
using namespace weir::proxy::testing;

constexpr WallTime kAlgorithmsNow{std::chrono::hours(1'000)};

// Targets that all take requests, seen by two workers.
health::GroupStatus Targets(std::size_t count) {
  health::GroupStatus status;
  for (std::uint32_t i = 0; i < count; ++i) {
    health::TargetStatus& target = status.targets.emplace_back();
    target.observations = std::make_shared<health::TargetObservations>(2);
    status.routable.push_back(i);
  }
  return status;
}

void SetActive(health::GroupStatus& status, std::uint32_t target, std::uint64_t first, std::uint64_t second) {
  (*status.targets[target].observations)[0].active_requests.Add(first);
  (*status.targets[target].observations)[1].active_requests.Add(second);
}

Selector Fresh(std::uint64_t seed) {
  Selector selector;
  selector.Reset(*BuildTable(MakeModel({})), seed);
  return selector;
}

config::TargetGroup With(config::BalancingAlgorithm algorithm) {
  config::TargetGroup group;
  group.algorithm = algorithm;
  return group;
}

TEST(LeastOutstandingTest, CountsTheRequestsOfAllWorkers) {
  auto status = Targets(3);
  SetActive(status, 0, 3, 0);
  SetActive(status, 1, 0, 2);
  SetActive(status, 2, 2, 2);
  for (std::uint32_t start = 0; start < 3; ++start) EXPECT_EQ(LeastOutstanding(status, start), 1U);
}

TEST(LeastOutstandingTest, TakesTheFirstOfEqualsFromWhereItStarts) {
  auto status = Targets(3);
  EXPECT_EQ(LeastOutstanding(status, 2), 2U);
  SetActive(status, 2, 1, 0);
  EXPECT_EQ(LeastOutstanding(status, 2), 0U);
}

TEST(LeastOutstandingTest, AsksOnlyTargetsThatTakeRequests) {
  auto status = Targets(3);
  SetActive(status, 1, 5, 0);
  SetActive(status, 2, 4, 0);
  status.routable = {1, 2};
  auto selector = Fresh(1);
  const auto group = With(config::BalancingAlgorithm::kLeastOutstandingRequests);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(selector.SelectTarget(group, 0, status, kAlgorithmsNow), 2U);
  status.routable.clear();
  EXPECT_EQ(selector.SelectTarget(group, 0, status, kAlgorithmsNow), std::nullopt);
}

TEST(LeastOutstandingTest, SpreadsOverEquals) {
  auto status = Targets(4);
  auto selector = Fresh(1);
  std::map<std::uint32_t, int> taken;
  const auto group = With(config::BalancingAlgorithm::kLeastOutstandingRequests);
  for (int i = 0; i < 4'000; ++i) ++taken[selector.SelectTarget(group, 0, status, kAlgorithmsNow).value()];
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_NEAR(taken[i], 1'000, 150);
}

TEST(WeightedRandomTest, IsUniform) {
  const auto status = Targets(4);
  auto selector = Fresh(7);
  std::map<std::uint32_t, int> taken;
  const auto group = With(config::BalancingAlgorithm::kWeightedRandom);
  for (int i = 0; i < 4'000; ++i) ++taken[selector.SelectTarget(group, 0, status, kAlgorithmsNow).value()];
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_NEAR(taken[i], 1'000, 150);
}

TEST(SlowStartTest, TheShareGrowsInAStraightLine) {
  health::TargetStatus target;
  EXPECT_EQ(SlowStartShare(target, 100s, kAlgorithmsNow), 1);
  target.slow_start_since = kAlgorithmsNow;
  EXPECT_EQ(SlowStartShare(target, 0s, kAlgorithmsNow), 1);
  EXPECT_EQ(SlowStartShare(target, 100s, kAlgorithmsNow), 0);
  EXPECT_EQ(SlowStartShare(target, 100s, kAlgorithmsNow + 25s), 0.25);
  EXPECT_EQ(SlowStartShare(target, 100s, kAlgorithmsNow + 100s), 1);
  EXPECT_EQ(SlowStartShare(target, 100s, kAlgorithmsNow + 300s), 1);
  EXPECT_EQ(SlowStartShare(target, 100s, kAlgorithmsNow - 1s), 0) << "the clock was set back";
}

TEST(SlowStartTest, RequestsFollowTheShare) {
  auto status = Targets(4);
  status.targets[3].slow_start_since = kAlgorithmsNow;
  status.slow_start = true;
  config::TargetGroup group;
  group.slow_start = 100s;
  const auto count = [&](WallTime now) {
    auto selector = Fresh(3);
    int taken = 0;
    for (int i = 0; i < 10'000; ++i) taken += selector.SelectTarget(group, 0, status, now) == 3U ? 1 : 0;
    return taken;
  };
  EXPECT_EQ(count(kAlgorithmsNow), 0);
  EXPECT_NEAR(count(kAlgorithmsNow + 50s), 10'000 * 0.5 / 3.5, 150);
  EXPECT_NEAR(count(kAlgorithmsNow + 100s), 2'500, 1);
}

TEST(SlowStartTest, AloneATargetTakesAll) {
  auto status = Targets(1);
  status.targets[0].slow_start_since = kAlgorithmsNow;
  status.slow_start = true;
  config::TargetGroup group;
  group.slow_start = 100s;
  auto selector = Fresh(3);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(selector.SelectTarget(group, 0, status, kAlgorithmsNow), 0U);
}

}  // namespace
}  // namespace weir::proxy
