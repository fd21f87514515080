// Availability zones: thresholds by zone, what nodes answer, zonal shifts. spec: alb.md 10.

#include "health/status_rules.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::health {
namespace {

using enum HealthState;
using Indexes = std::vector<std::uint32_t>;

// The example of 10.2: two zones of ten targets each, of which six fail in zone b, and thresholds of 50 %.
class ZonesTest : public ::testing::Test {
 protected:
  ZonesTest() {
    model.availability_zones = {"a", "b"};
    config::TargetGroup group;
    group.name = "blue";
    group.in_use = true;
    group.unhealthy_state_routing = {.count = 1, .percentage = 50};
    group.dns_failover = {.count = 1, .percentage = 50};
    model.target_groups.push_back(group);
    config::LoadBalancer shop;
    shop.nodes.resize(2);
    shop.nodes[0].zone = "a";
    shop.nodes[1].zone = "b";
    shop.nodes[1].zone_index = 1;
    config::Listener listener;
    listener.default_rule.action = config::ForwardAction{.target_groups = {{.target_group = 0}}};
    shop.listeners.push_back(listener);
    model.load_balancers.push_back(shop);
    for (int i = 0; i < 20; ++i) {
      TargetStatus target;
      target.zone = i < 10 ? "a" : "b";
      target.state = i < 14 ? kHealthy : kUnhealthy;
      status.targets.push_back(target);
    }
  }
  void TurnCrossZoneOff() {
    model.target_groups[0].cross_zone = config::CrossZone::kFalse;
    model.target_groups[0].node_zones = model.availability_zones;
  }
  void LetShift() {
    model.load_balancers[0].attributes.zonal_shift = true;
    model.target_groups[0].shift_zones = model.availability_zones;
  }
  void FailAll(const std::string& zone) {
    for (TargetStatus& target : status.targets) {
      if (target.zone == zone) target.state = kUnhealthy;
    }
  }
  void Summarize(std::string_view shifted = {}) {
    SummarizeGroup(model.target_groups[0], status, shifted);
    balancer = SummarizeLoadBalancer(model.load_balancers[0], model, {status}, shifted);
  }
  [[nodiscard]] std::string Answering() const {
    std::string out;
    for (std::size_t i = 0; i < balancer.nodes.size(); ++i) {
      if (balancer.nodes[i].answers) out += model.load_balancers[0].nodes[i].zone;
    }
    return out;
  }

  config::Model model;
  GroupStatus status;
  LoadBalancerStatus balancer;
};

TEST_F(ZonesTest, CrossZoneOnFourteenOfTwentyAreEnoughForAll) {
  Summarize();
  EXPECT_EQ(status.routable.size(), 14U);
  EXPECT_FALSE(status.fail_open);
  EXPECT_TRUE(status.by_zone.empty());
  EXPECT_EQ(Answering(), "ab");
  EXPECT_TRUE(balancer.healthy);
}

TEST_F(ZonesTest, CrossZoneOffZoneBLeavesDnsAndItsNodeUsesAllTenOfItsTargets) {
  TurnCrossZoneOff();
  Summarize();
  ASSERT_EQ(status.by_zone.size(), 2U);
  const GroupStatus& a = status.by_zone[0];
  EXPECT_EQ(a.routable, (Indexes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_FALSE(a.fail_open);
  EXPECT_EQ(a.healthy, 10U);
  const GroupStatus& b = status.by_zone[1];
  EXPECT_EQ(b.routable, (Indexes{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}));
  EXPECT_TRUE(b.fail_open);
  EXPECT_EQ(b.healthy, 4U);
  EXPECT_EQ(b.registered, 10U);
  EXPECT_EQ(b.targets.size(), 20U) << "indexes are those of the group";
  EXPECT_EQ(Answering(), "a");
  EXPECT_TRUE(balancer.healthy) << "zone a answers";
}

TEST_F(ZonesTest, CrossZoneOffFiveOfTenAreEnough) {
  TurnCrossZoneOff();
  status.targets[14].state = kHealthy;
  Summarize();
  EXPECT_EQ(status.by_zone[1].routable, (Indexes{10, 11, 12, 13, 14}));
  EXPECT_EQ(Answering(), "ab");
}

TEST_F(ZonesTest, AllZonesUnhealthyAllAnswer) {
  TurnCrossZoneOff();
  FailAll("a");
  FailAll("b");
  Summarize();
  EXPECT_EQ(Answering(), "ab");
  EXPECT_FALSE(balancer.healthy);
  EXPECT_TRUE(status.by_zone[0].fail_open);
}

TEST_F(ZonesTest, CrossZoneOnBelowTheThresholdAllAnswerAndAllTargetsAreUsed) {
  FailAll("a");
  Summarize();
  EXPECT_TRUE(status.fail_open) << "4 of 20";
  EXPECT_EQ(status.routable.size(), 20U);
  EXPECT_EQ(Answering(), "ab");
  EXPECT_FALSE(balancer.healthy);
}

TEST_F(ZonesTest, AZoneWithoutTargetsHasNothingAndLeavesDns) {
  TurnCrossZoneOff();
  status.targets.resize(10);
  Summarize();
  EXPECT_TRUE(status.by_zone[1].routable.empty());
  EXPECT_FALSE(status.by_zone[1].fail_open);
  EXPECT_EQ(Answering(), "a");
}

TEST_F(ZonesTest, OneHealthyGroupKeepsAZoneInDns) {
  TurnCrossZoneOff();
  model.target_groups.push_back(model.target_groups[0]);
  model.load_balancers[0].listeners.push_back({});
  model.load_balancers[0].listeners[1].default_rule.action =
      config::ForwardAction{.target_groups = {{.target_group = 1}}};
  GroupStatus green = status;
  for (TargetStatus& target : green.targets) target.state = kHealthy;
  SummarizeGroup(model.target_groups[0], status);
  SummarizeGroup(model.target_groups[1], green);
  balancer = SummarizeLoadBalancer(model.load_balancers[0], model, {status, green});
  EXPECT_EQ(Answering(), "ab");
}

TEST_F(ZonesTest, TheLoadBalancersSettingHoldsWhereTheGroupHasNone) {
  model.load_balancers[0].attributes.cross_zone = false;
  model.target_groups[0].node_zones = model.availability_zones;
  Summarize();
  EXPECT_EQ(Answering(), "a");
  model.target_groups[0].cross_zone = config::CrossZone::kTrue;
  Summarize();
  EXPECT_EQ(Answering(), "ab");
}

// ---- zonal shift, 10.3

TEST_F(ZonesTest, AShiftTakesTheTargetsOfTheZoneOutAsIfTheyWereNotThere) {
  LetShift();
  Summarize("a");
  EXPECT_EQ(status.routable.size(), 10U) << "4 of the 10 that are left is below 50 %: all of those";
  EXPECT_EQ(status.routable.front(), 10U);
  EXPECT_TRUE(status.fail_open);
  EXPECT_EQ(status.healthy, 14U) << "health is another matter";
  EXPECT_EQ(status.targets[0].zonal_override, ZonalOverride::kShiftActive);
  EXPECT_EQ(status.targets[10].zonal_override, ZonalOverride::kNone);
  EXPECT_EQ(Answering(), "b") << "no other is left, though it is unhealthy";
  EXPECT_TRUE(balancer.nodes[0].shifted);
  Summarize("b");
  EXPECT_EQ(status.routable, (Indexes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_FALSE(status.fail_open);
  EXPECT_EQ(Answering(), "a");
  Summarize();
  EXPECT_EQ(status.routable.size(), 14U);
  EXPECT_EQ(status.targets[10].zonal_override, ZonalOverride::kNone);
  EXPECT_EQ(Answering(), "ab");
}

TEST_F(ZonesTest, WithCrossZoneOffAShiftIsDelegatedToDns) {
  LetShift();
  TurnCrossZoneOff();
  Summarize("a");
  EXPECT_EQ(status.by_zone[0].routable.size(), 10U) << "what still comes in there is served";
  EXPECT_EQ(status.targets[0].zonal_override, ZonalOverride::kDelegatedToDns);
  EXPECT_EQ(Answering(), "b");
  EXPECT_FALSE(balancer.healthy) << "what is left has 40 %";
}

TEST_F(ZonesTest, AShiftLeavesThoseAloneThatDoNotLetThemselvesBeShifted) {
  Summarize("a");
  EXPECT_EQ(status.routable.size(), 14U);
  EXPECT_EQ(Answering(), "ab");
  EXPECT_EQ(status.targets[0].zonal_override, ZonalOverride::kNone);
}

TEST_F(ZonesTest, AGroupWithoutTargetsElsewhereKeepsThem) {
  LetShift();
  status.targets.resize(10);
  Summarize("a");
  EXPECT_EQ(status.routable.size(), 10U);
  EXPECT_EQ(status.targets[0].zonal_override, ZonalOverride::kNone);
}

TEST_F(ZonesTest, TargetsThatStandInNoZoneStay) {
  LetShift();
  status.targets[0].zone.clear();
  Summarize("a");
  EXPECT_EQ(status.routable.front(), 0U);
}

}  // namespace
}  // namespace weir::health
