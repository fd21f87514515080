// What a zonal shift needs before it is started. spec: alb.md 10.3, resilience.md 6.2.

#include "app/zonal_shift.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::app {
namespace {

class ZonalShiftCheckTest : public ::testing::Test {
 protected:
  ZonalShiftCheckTest() {
    model.availability_zones = {"eu-1", "eu-2"};
    Add("shop", {"eu-1", "eu-2"}, true);
    Add("plain", {}, true);
    config::TargetGroup group;
    group.name = "blue";
    group.shift_zones = {"eu-1", "eu-2"};
    model.target_groups.push_back(group);
    health.groups.resize(1);
    for (const char* const zone : {"eu-1", "eu-2"}) {
      health::TargetStatus target;
      target.zone = zone;
      target.state = health::HealthState::kHealthy;
      health.groups[0].targets.push_back(target);
    }
  }
  void Add(const std::string& name, const std::vector<std::string>& zones, bool shifts) {
    config::LoadBalancer& balancer = model.load_balancers.emplace_back();
    balancer.name = name;
    balancer.attributes.zonal_shift = shifts;
    for (const std::string& zone : zones) balancer.nodes.emplace_back().zone = zone;
  }
  // Empty: it can be started.
  [[nodiscard]] std::string Refused(const std::string& zone, bool force = false) const {
    const auto result = CheckZonalShift(model, health, current, {.zone = zone, .force = force});
    return result ? std::string() : result.error().error.message + "; " + result.error().error.hint;
  }

  config::Model model;
  health::StatusTable health;
  std::optional<control::ZonalShift> current;
};

TEST_F(ZonalShiftCheckTest, AZoneBesideAnotherCanBeLeft) {
  EXPECT_EQ(Refused("eu-1"), "");
  EXPECT_TRUE(CanBeLeft(model, "eu-1"));
  EXPECT_EQ(BalancersShifted(model, "eu-1"), std::vector<std::string>{"shop"});
}

TEST_F(ZonalShiftCheckTest, AnUnknownZone) {
  EXPECT_EQ(Refused("eu-3"), "no load balancer has a zone eu-3; did you mean eu-1?");
  EXPECT_EQ(Refused("zzzzzzzz"), "no load balancer has a zone zzzzzzzz; the zones: eu-1, eu-2");
  EXPECT_FALSE(CanBeLeft(model, "eu-3"));
}

TEST_F(ZonalShiftCheckTest, NobodyLetsItBeLeft) {
  model.load_balancers[0].attributes.zonal_shift = false;
  EXPECT_EQ(Refused("eu-1"),
            "no load balancer lets zone eu-1 be left; set its attribute `zonal_shift.config.enabled: true`");
  EXPECT_FALSE(CanBeLeft(model, "eu-1"));
}

TEST_F(ZonalShiftCheckTest, TheOnlyZone) {
  Add("lonely", {"eu-2"}, true);
  EXPECT_EQ(Refused("eu-2", true),
            "zone eu-2 is the only one of load balancer lonely; a shift needs a zone to lead to");
  EXPECT_FALSE(CanBeLeft(model, "eu-2"));
  EXPECT_EQ(Refused("eu-1"), "");
}

TEST_F(ZonalShiftCheckTest, OneAtATime) {
  current = control::ZonalShift{.zone = "eu-1", .started = {}, .expires = {}, .comment = {}};
  EXPECT_EQ(
      Refused("eu-1"),
      "a zonal shift leads away from zone eu-1 until 1970-01-01T00:00:00.000000Z; one zone at a time: cancel it first");
  EXPECT_NE(Refused("eu-2"), "");
  current->status = control::ZonalShiftStatus::kExpired;
  EXPECT_EQ(Refused("eu-2"), "");
}

TEST_F(ZonalShiftCheckTest, SomebodyHealthyHasToBeLeft) {
  health.groups[0].targets[1].state = health::HealthState::kUnhealthy;
  EXPECT_EQ(Refused("eu-1"),
            "target group blue has no healthy target outside of zone eu-1; wait for one, or force the shift");
  EXPECT_EQ(Refused("eu-1", true), "");
  EXPECT_EQ(Refused("eu-2"), "");
  model.target_groups[0].shift_zones.clear();
  EXPECT_EQ(Refused("eu-1"), "") << "no shift concerns the group";
}

}  // namespace
}  // namespace weir::app
