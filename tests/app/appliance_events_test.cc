#include "app/appliance_events.h"

#include "tests/support/manual_clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::app {
namespace {

class ApplianceEventsTest : public ::testing::Test {
 protected:
  // Everything written so far as `kind: text`.
  [[nodiscard]] std::vector<std::string> Written() const {
    std::vector<std::string> out;
    for (const auto& event : events_.journal().Since(0, 100).events) {
      out.push_back(std::string(ToString(event->kind)) + ": " + event->text);
    }
    return out;
  }
  [[nodiscard]] std::string Field(std::string_view name) const {
    for (const auto& [key, value] : events_.journal().Since(0, 100).events.back()->fields) {
      if (key == name) return value;
    }
    return "absent";
  }

  weir::testing::ManualClock clock_;
  ApplianceEvents events_{clock_};
};

using Texts = std::vector<std::string>;

TEST_F(ApplianceEventsTest, ATransitionSaysWhatWasSeen) {
  events_.Changed({.group = "green",
                   .id = "127.0.0.1:9001",
                   .from = "healthy",
                   .to = "unhealthy",
                   .reason = "Target.Timeout",
                   .seen = "no answer",
                   .time = {}});
  EXPECT_EQ(Field("target-group"), "green");
  EXPECT_EQ(Field("target"), "127.0.0.1:9001");
  EXPECT_EQ(Field("to"), "unhealthy");
  events_.Changed(
      {.group = {}, .id = "eu", .from = "unhealthy", .to = "healthy", .reason = {}, .seen = {}, .time = {}});
  EXPECT_EQ(Field("health-check"), "eu");
  EXPECT_EQ(Field("reason"), "absent");
  EXPECT_EQ(Written(),
            (Texts{"health: target 127.0.0.1:9001 of green: healthy -> unhealthy (Target.Timeout; no answer)",
                   "health: health check eu: unhealthy -> healthy"}));
}

TEST_F(ApplianceEventsTest, AReloadIsAcceptedOrRefused) {
  events_.Reloaded(4, "shop.yaml", "alice@laptop");
  EXPECT_EQ(Field("result"), "accepted");
  EXPECT_EQ(Field("author"), "alice@laptop");
  events_.Refused(4, "shop.yaml", "shop.yaml:3:1: no such key");
  EXPECT_EQ(Field("result"), "refused");
  EXPECT_EQ(Field("error"), "shop.yaml:3:1: no such key");
  EXPECT_EQ(Written(), (Texts{"reload: configuration reloaded, revision 4",
                              "reload: configuration refused, revision 4 serves on: shop.yaml:3:1: no such key"}));
}

health::Override ForcedTarget(std::string id, health::AdminState state) {
  return {.kind = "target", .group = "blue", .id = std::move(id), .state = state, .since = {}};
}

TEST_F(ApplianceEventsTest, OnlyOverridesThatChangedAreWritten) {
  using enum health::AdminState;
  const auto one = ForcedTarget("127.0.0.1:1", kUnhealthy);
  const auto two = ForcedTarget("127.0.0.1:2", kDraining);
  const health::Override check{.kind = "health-check", .group = {}, .id = "eu", .state = kHealthy, .since = {}};
  events_.Overridden({}, {one, two}, "");
  events_.Overridden({one, two}, {one, two}, "");
  events_.Overridden({one, two}, {ForcedTarget("127.0.0.1:1", kHealthy), two, check}, "");
  events_.Overridden({two, check}, {check}, "bob@desk");
  EXPECT_EQ(Written(), (Texts{"override: target 127.0.0.1:1 of blue: unhealthy by order",
                              "override: target 127.0.0.1:2 of blue: draining by order",
                              "override: target 127.0.0.1:1 of blue: healthy by order",
                              "override: health check eu: healthy by order",
                              "override: target 127.0.0.1:2 of blue: no longer overridden"}));
  EXPECT_EQ(Field("state"), "measured");
  EXPECT_EQ(Field("author"), "bob@desk");
}

TEST_F(ApplianceEventsTest, AShiftNamesItsRule) {
  events_.Shifted(
      {.load_balancer = "shop", .port = 80, .priority = 0, .from = "a:1 b:0", .to = "a:0 b:1", .revision = 5});
  events_.Shifted({.load_balancer = "shop",
                   .port = 80,
                   .priority = 7,
                   .from = "a:0",
                   .to = "a:1",
                   .released = true,
                   .revision = 6});
  EXPECT_EQ(Field("rule"), "7");
  EXPECT_EQ(Field("released"), "true");
  events_.ShiftDropped({.weights = {.load_balancer = "shop", .port = 80, .priority = 7, .weights = {}}, .since = {}});
  EXPECT_EQ(Written(), (Texts{"shift: shop/80 rule default: a:1 b:0 -> a:0 b:1",
                              "shift: shop/80 rule 7: a:0 -> a:1, as configured",
                              "shift: shop/80 rule 7: the weights by order are dropped, the rule or its target groups "
                              "changed"}));
}

TEST_F(ApplianceEventsTest, TheLifeOfTheProgram) {
  events_.Ready(1);
  events_.Draining();
  EXPECT_EQ(Written(), (Texts{"life: ready, revision 1", "life: draining"}));
}

TEST_F(ApplianceEventsTest, ACertificateThatExpiresIsToldWithItsTime) {
  const WallTime not_after{std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}};
  const auto text = events_.Expires({.certificate = {.file = "shop.pem", .not_after = not_after}, .days = 7});
  EXPECT_EQ(text, "certificate shop.pem expires at 2026-12-01T00:00:00Z, in less than 7 days");
  EXPECT_EQ(Written(), (Texts{"certificate: " + text}));
  EXPECT_EQ(Field("certificate"), "shop.pem");
  EXPECT_EQ(Field("not-after"), "2026-12-01T00:00:00Z");
  EXPECT_EQ(Field("days"), "7");
}

}  // namespace
}  // namespace weir::app
