// The canary of a forward action: which group it may be, and where its requests are logged.

#include "config/forwarding.h"
#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::config {
namespace {

std::string WithCanary(std::string_view forward, std::string_view balancer = {}) {
  return std::string("load-balancers: [{name: a, ")
      .append(balancer)
      .append("listeners: [{port: 80, default-actions: [{forward: {")
      .append(forward)
      .append(
          "}}]}]}]\ntarget-groups: [{name: blue, targets: [{address: 127.0.0.1, port: 1}]}, {name: green, targets: "
          "[{address: 127.0.0.1, port: 2}]}]\n");
}

constexpr std::string_view kTwo = "target-groups: [{name: blue, weight: 9}, {name: green, weight: 1}], ";

std::string LogOf(std::string_view canary, std::string_view balancer) {
  const auto loaded = LoadFor(WithCanary(std::string(kTwo).append(canary), balancer));
  EXPECT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  if (!loaded.model) return {};
  const LoadBalancer& shop = loaded.model->load_balancers[0];
  const auto& forward = std::get<ForwardAction>(shop.listeners[0].default_rule.action);
  EXPECT_TRUE(forward.canary);
  EXPECT_EQ(loaded.model->target_groups[forward.canary->target_group].name, "green");
  const auto log = CanaryLog(shop, forward);
  return log ? log->path : "none";
}

TEST(CanaryTest, ItsLogIsItsOwnUnlessNothingIsLoggedOrAllOfItPrinted) {
  EXPECT_EQ(LogOf("canary: {target-group: green}", "access-log: {path: /l/a.log}, "), "/l/a.log.canary");
  EXPECT_EQ(LogOf("canary: {target-group: green}", "access-log: {path: '-'}, "), "none");
  EXPECT_EQ(LogOf("canary: {target-group: green}", ""), "none");
  EXPECT_EQ(LogOf("canary: {target-group: green, access-log: {path: /l/c.log}}", "access-log: {path: '-'}, "),
            "/l/c.log");
  EXPECT_EQ(LogOf("canary: {target-group: green, access-log: {path: /l/c.log}}", ""), "/l/c.log");
}

TEST(CanaryTest, ItIsOneOfExactlyTwoGroups) {
  EXPECT_NE(FindingsOf(WithCanary("target-group: blue, canary: {target-group: green}"))
                .find("error: `canary` without exactly two target groups"),
            std::string::npos);
  EXPECT_NE(FindingsOf(WithCanary("target-groups: [{name: blue}], canary: {target-group: blue}"))
                .find("error: `canary` without exactly two target groups"),
            std::string::npos);
  EXPECT_NE(
      FindingsOf(WithCanary(std::string(kTwo).append("canary: {target-group: gren}"))).find("did you mean `green`?"),
      std::string::npos);
  EXPECT_NE(FindingsOf(WithCanary(std::string(kTwo).append("canary: {}"))).find("canary without `target-group`"),
            std::string::npos);
}

TEST(CanaryTest, AwsHasNone) {
  EXPECT_NE(FindingsOf(WithCanary(std::string(kTwo).append("canary: {target-group: green}")), true)
                .find("AWS: `canary` is weir's own"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::config
