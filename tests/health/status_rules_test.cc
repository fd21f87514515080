#include "health/status_rules.h"

#include "health/check_state.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::health {
namespace {

struct EnoughRow {
  const char* name;
  std::optional<std::uint32_t> count, percentage;
  std::uint32_t healthy, registered;
  bool enough;
};

class EnoughHealthyTest : public ::testing::TestWithParam<EnoughRow> {};

TEST_P(EnoughHealthyTest, EitherOneMissedIsTooFew) {
  const EnoughRow& row = GetParam();
  const config::MinimumHealthy minimum{.count = row.count, .percentage = row.percentage};
  EXPECT_EQ(EnoughHealthy(minimum, row.healthy, row.registered), row.enough);
}

// spec: alb.md 7.3 (target_group_health.*) and 10.2.
INSTANTIATE_TEST_SUITE_P(AlbSection102, EnoughHealthyTest,
                         ::testing::Values(EnoughRow{"default_none_healthy", 1, {}, 0, 3, false},
                                           EnoughRow{"default_one_healthy", 1, {}, 1, 3, true},
                                           EnoughRow{"count_met_exactly", 3, {}, 3, 10, true},
                                           EnoughRow{"count_missed", 3, {}, 2, 10, false},
                                           EnoughRow{"percentage_met_exactly", {}, 50, 5, 10, true},
                                           EnoughRow{"percentage_missed_by_one", {}, 50, 4, 10, false},
                                           EnoughRow{"percentage_is_not_rounded", {}, 34, 1, 3, false},
                                           EnoughRow{"percentage_of_a_third", {}, 33, 1, 3, true},
                                           EnoughRow{"count_met_percentage_missed", 1, 50, 4, 10, false},
                                           EnoughRow{"percentage_met_count_missed", 6, 50, 5, 10, false},
                                           EnoughRow{"both_off", {}, {}, 0, 10, true},
                                           EnoughRow{"seventy_percent_of_twenty", 1, 50, 14, 20, true}),
                         [](const auto& row) { return std::string(row.param.name); });

GroupStatus GroupOf(const std::vector<HealthState>& states) {
  GroupStatus status;
  for (const HealthState state : states) {
    TargetStatus target;
    target.state = state;
    status.targets.push_back(target);
  }
  return status;
}

config::TargetGroup Used() {
  config::TargetGroup group;
  group.in_use = true;
  return group;
}

using enum HealthState;
using Indexes = std::vector<std::uint32_t>;

TEST(SummarizeGroupTest, HealthyTargetsAreRoutableInTheOrderOfTheFile) {
  GroupStatus status = GroupOf({kHealthy, kUnhealthy, kInitial, kHealthy});
  SummarizeGroup(Used(), status);
  EXPECT_EQ(status.routable, (Indexes{0, 3}));
  EXPECT_EQ(status.healthy, 2U);
  EXPECT_EQ(status.registered, 4U);
  EXPECT_FALSE(status.fail_open);
}

TEST(SummarizeGroupTest, FailsOpenToEveryTargetThatIsNotDraining) {
  GroupStatus status = GroupOf({kUnhealthy, kDraining, kInitial});
  SummarizeGroup(Used(), status);
  EXPECT_EQ(status.routable, (Indexes{0, 2}));
  EXPECT_TRUE(status.fail_open);
}

TEST(SummarizeGroupTest, FailsOpenBelowTheThresholdThoughSomeAreHealthy) {
  config::TargetGroup group = Used();
  group.unhealthy_state_routing = {.count = 1, .percentage = 50};
  GroupStatus status = GroupOf({kHealthy, kUnhealthy, kUnhealthy});
  SummarizeGroup(group, status);
  EXPECT_EQ(status.routable, (Indexes{0, 1, 2}));
  EXPECT_TRUE(status.fail_open);
}

TEST(SummarizeGroupTest, DeregisteredTargetsAreNeitherRoutableNorCounted) {
  GroupStatus status = GroupOf({kHealthy, kDraining});
  status.targets[1].deregistered = true;
  SummarizeGroup(Used(), status);
  EXPECT_EQ(status.routable, (Indexes{0}));
  EXPECT_EQ(status.registered, 1U);
}

TEST(SummarizeGroupTest, AnEmptyGroupHasNothingToSendToAndDoesNotFailOpen) {
  GroupStatus status;
  SummarizeGroup(Used(), status);
  EXPECT_TRUE(status.routable.empty());
  EXPECT_FALSE(status.fail_open);
}

TEST(SummarizeGroupTest, AnUnusedGroupDoesNotFailOpen) {
  GroupStatus status = GroupOf({kUnused, kUnused});
  SummarizeGroup(config::TargetGroup{}, status);
  EXPECT_EQ(status.routable, (Indexes{0, 1}));
  EXPECT_FALSE(status.fail_open);
}

// Two groups behind one listener: the rule forwards to the second, the default to the first.
config::Model TwoGroups() {
  config::Model model;
  model.target_groups = {Used(), Used()};
  config::Listener listener;
  listener.default_rule.action = config::ForwardAction{.target_groups = {{.target_group = 0}}};
  config::Rule rule;
  rule.priority = 1;
  rule.action = config::ForwardAction{.target_groups = {{.target_group = 1, .weight = 0}}};
  listener.rules.push_back(std::make_shared<const config::Rule>(rule));
  config::LoadBalancer load_balancer;
  load_balancer.listeners.push_back(listener);
  model.load_balancers.push_back(load_balancer);
  return model;
}

bool LoadBalancerHealthy(const config::Model& model, std::vector<GroupStatus> groups) {
  for (std::size_t i = 0; i < groups.size(); ++i) SummarizeGroup(model.target_groups[i], groups[i]);
  return SummarizeLoadBalancer(model.load_balancers[0], model, groups).healthy;
}

// spec: dns.md 3.1.
TEST(SummarizeLoadBalancerTest, IsHealthyWhenEveryGroupHasAHealthyTarget) {
  EXPECT_TRUE(LoadBalancerHealthy(TwoGroups(), {GroupOf({kHealthy}), GroupOf({kHealthy, kUnhealthy})}));
}

TEST(SummarizeLoadBalancerTest, OneGroupWithoutAHealthyTargetSuffices) {
  EXPECT_FALSE(LoadBalancerHealthy(TwoGroups(), {GroupOf({kHealthy}), GroupOf({kUnhealthy})}));
  EXPECT_FALSE(LoadBalancerHealthy(TwoGroups(), {GroupOf({kInitial}), GroupOf({kHealthy})}));
}

TEST(SummarizeLoadBalancerTest, AGroupWithoutTargetsIsUnhealthy) {
  EXPECT_FALSE(LoadBalancerHealthy(TwoGroups(), {GroupOf({kHealthy}), GroupOf({})}));
}

TEST(SummarizeLoadBalancerTest, ObeysTheThresholdForDns) {
  config::Model model = TwoGroups();
  model.target_groups[0].dns_failover = {.count = 2, .percentage = std::nullopt};
  EXPECT_FALSE(LoadBalancerHealthy(model, {GroupOf({kHealthy, kUnhealthy}), GroupOf({kHealthy})}));
  EXPECT_TRUE(LoadBalancerHealthy(model, {GroupOf({kHealthy, kHealthy}), GroupOf({kHealthy})}));
}

TEST(SummarizeLoadBalancerTest, WithoutForwardsItIsHealthy) {
  config::Model model;
  config::Listener listener;
  listener.default_rule.action = config::FixedResponseAction{};
  config::LoadBalancer load_balancer;
  load_balancer.listeners.push_back(listener);
  model.load_balancers.push_back(load_balancer);
  EXPECT_TRUE(LoadBalancerHealthy(model, {}));
}

config::HealthCheck Calculated(std::vector<std::uint32_t> children, std::uint32_t threshold) {
  config::HealthCheck check;
  check.type = config::HealthCheckType::kCalculated;
  check.children = std::move(children);
  check.health_threshold = threshold;
  return check;
}

struct CalculatedRow {
  const char* name;
  std::vector<bool> children;  // as records see them
  std::uint32_t threshold;
  bool inverted;
  bool healthy;
};

class CalculatedCheckTest : public ::testing::TestWithParam<CalculatedRow> {};

TEST_P(CalculatedCheckTest, CountsHealthyChildren) {
  const CalculatedRow& row = GetParam();
  config::Model model;
  std::vector<CheckStatus> checks(row.children.size() + 1);
  std::vector<std::uint32_t> indexes;
  // The parent comes first: the order of the file must not matter.
  for (std::size_t i = 0; i < row.children.size(); ++i) {
    indexes.push_back(static_cast<std::uint32_t>(i + 1));
    checks[i + 1].healthy = row.children[i];
  }
  model.health_checks.push_back(Calculated(indexes, row.threshold));
  model.health_checks[0].inverted = row.inverted;
  model.health_checks.resize(checks.size());
  CalculateChecks(model, checks);
  EXPECT_EQ(checks[0].healthy, row.healthy);
}

// spec: dns.md 2.2, HealthThreshold.
INSTANTIATE_TEST_SUITE_P(DnsSection22, CalculatedCheckTest,
                         ::testing::Values(CalculatedRow{"met", {true, false}, 1, false, true},
                                           CalculatedRow{"missed", {true, false}, 2, false, false},
                                           CalculatedRow{"zero_is_always_healthy", {false, false}, 0, false, true},
                                           CalculatedRow{"more_than_children_never", {true, true}, 3, false, false},
                                           CalculatedRow{"no_children_threshold_zero", {}, 0, false, true},
                                           CalculatedRow{"inverted_last", {true, true}, 1, true, false}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(CalculatedCheckTest, ACheckThatWatchesACalculatedOneSeesItsNewState) {
  config::Model model;
  model.health_checks = {Calculated({1}, 1), Calculated({2}, 1), config::HealthCheck{}};
  std::vector<CheckStatus> checks(3);
  checks[2].healthy = false;
  CalculateChecks(model, checks);
  EXPECT_FALSE(checks[1].healthy);
  EXPECT_FALSE(checks[0].healthy);
  EXPECT_EQ(checks[1].last_result, "0 of 1 children are healthy");
}

TEST(CalculatedCheckTest, ACircleEnds) {
  config::Model model;
  model.health_checks = {Calculated({1}, 1), Calculated({0}, 1)};
  std::vector<CheckStatus> checks(2);
  CalculateChecks(model, checks);
  EXPECT_TRUE(checks[0].healthy);
}

}  // namespace
}  // namespace weir::health
