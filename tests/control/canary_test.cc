#include "control/canary.h"

#include "tests/control/control_fixture.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::control {
namespace {

TEST(CanaryTest, TenthsOfAPercentAreExact) {
  const auto weights = [](double percent) {
    const CanaryWeights found = WeightsForPercent(percent);
    return std::pair<int, int>(found.stage, found.canary);
  };
  EXPECT_EQ(weights(0), std::pair(100, 0));
  EXPECT_EQ(weights(100), std::pair(0, 100));
  EXPECT_EQ(weights(10), std::pair(90, 10));
  EXPECT_EQ(weights(2.5), std::pair(975, 25));
  EXPECT_EQ(weights(0.1), std::pair(999, 1));
  EXPECT_EQ(weights(99.9), std::pair(1, 999));
  EXPECT_EQ(weights(12.34), std::pair(877, 123));  // rounded
  EXPECT_EQ(weights(12.35), std::pair(876, 124));
  EXPECT_EQ(weights(0.04), std::pair(100, 0));
}

// The same configuration as JSON, as the admin API shows it, and as it serves.
struct Case {
  std::string forward;
  std::shared_ptr<View> view = MakeView(Yaml());
  [[nodiscard]] std::string Yaml() const {
    return "load-balancers: [{name: shop, listeners: [{port: 80, rules: [{name: api, priority: 7, conditions: "
           "[{path-pattern: "
           "[/a]}], actions: [{forward: " +
           forward +
           "}]}], default-actions: [{fixed-response: {status-code: 200}}]}]}]\n"
           "target-groups: [{name: blue, targets: []}, {name: green, targets: []}, {name: red, targets: []}]\n";
  }
  [[nodiscard]] std::string Json() const {
    return R"({"load-balancers":[{"name":"shop","listeners":[{"port":80,"rules":[{"priority":7,"actions":[{"forward":)" +
           forward + R"(}]}],"default-actions":[{"fixed-response":{"status-code":200}}]}]}]})";
  }
  [[nodiscard]] FoundRule Rule() const {
    return *FindRule(*view->routing, {.load_balancer = "shop", .port = 80, .priority = 7});
  }
  [[nodiscard]] std::string Patch(const CanaryStep& step) const {
    const auto patch = CanaryPatch(*view, Rule(), step, Json());
    return patch ? *patch : patch.error().message;
  }
};

CanaryStep Set(double percent, std::string group = {}) {
  return {.kind = CanaryStep::Kind::kSet, .percent = percent, .group = std::move(group)};
}

constexpr const char* kForward = "/load-balancers/0/listeners/0/rules/0/actions/0/forward";

TEST(CanaryTest, OneGroupBecomesTwo) {
  const Case rule{R"({"target-group":"blue"})"};
  EXPECT_EQ(
      rule.Patch(Set(2.5, "green")),
      std::string(R"([{"op":"remove","path":")") + kForward + R"(/target-group"},{"op":"add","path":")" + kForward +
          R"(/target-groups","value":[{"name":"blue","weight":975},{"name":"green","weight":25}]},{"op":"add","path":")" +
          kForward + R"(/canary","value":{"target-group":"green"}}])");
  EXPECT_EQ(rule.Patch(Set(1)), "the rule has no canary");
  EXPECT_EQ(rule.Patch(Set(1, "blue")), "blue is the stage's target group");
  EXPECT_EQ(rule.Patch(Set(1, "gold")), "there is no target group gold");
  EXPECT_EQ(rule.Patch({.kind = CanaryStep::Kind::kPromote}), "the rule has no canary");
}

TEST(CanaryTest, PromoteSwapsAndKeepsTheLog) {
  const Case rule{
      R"({"target-groups":[{"name":"blue","weight":90},{"name":"green","weight":10}],"canary":{"target-group":"green","access-log":{"path":"/tmp/c"}}})"};
  const auto report = DescribeCanary(*rule.view, rule.Rule());
  ASSERT_TRUE(report);
  EXPECT_EQ(CanaryJson(*report),
            R"({"stage":"blue","canary":"green","percent":1E1,"overridden":false,"access-log":"/tmp/c"})");
  const std::string promote = rule.Patch({.kind = CanaryStep::Kind::kPromote});
  EXPECT_NE(promote.find(R"("value":[{"name":"green","weight":100},{"name":"blue","weight":0}])"), std::string::npos);
  EXPECT_NE(promote.find(R"("value":{"target-group":"blue","access-log":{"path":"/tmp/c"}})"), std::string::npos);
  const std::string disable = rule.Patch({.kind = CanaryStep::Kind::kDisable});
  EXPECT_NE(disable.find(R"("value":[{"name":"blue","weight":100},{"name":"green","weight":0}])"), std::string::npos);
  EXPECT_NE(disable.find(R"({"op":"remove","path":"/load-balancers/0/listeners/0/rules/0/actions/0/forward/canary"})"),
            std::string::npos);
  EXPECT_NE(rule.Patch(Set(5, "red")).find(R"([{"name":"blue","weight":95},{"name":"red","weight":5}])"),
            std::string::npos);
}

TEST(CanaryTest, RulesThatHaveNone) {
  const Case three{
      R"({"target-groups":[{"name":"blue","weight":1},{"name":"green","weight":1},{"name":"red","weight":1}]})"};
  EXPECT_EQ(three.Patch(Set(5, "red")), "the rule forwards to several target groups");
  const auto fixed = FindRule(*three.view->routing, {.load_balancer = "shop", .port = 80});
  ASSERT_TRUE(fixed);
  EXPECT_EQ(DescribeCanary(*three.view, *fixed).error().message, "this rule does not forward");
  const Case hidden{R"({"target-group":"blue"})"};
  const auto patch = CanaryPatch(*hidden.view, hidden.Rule(), Set(5, "green"), "{}");
  EXPECT_EQ(patch.error().message, "the rule cannot be found in the document");
}

}  // namespace
}  // namespace weir::control
