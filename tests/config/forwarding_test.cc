#include "config/forwarding.h"

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weir::config {
namespace {

constexpr const char* kFile = R"(
load-balancers:
  - name: a
    listeners:
      - port: 80
        rules:
          - {priority: 2, conditions: [{path-pattern: [/2]}], actions: [{forward: {target-groups: [{name: c, weight: 1}, {name: b, weight: 0}]}}]}
          - {priority: 1, conditions: [{path-pattern: [/1]}], actions: [{fixed-response: {status-code: 200}}]}
        default-actions: [{forward: {target-group: a}}]
      - {port: 81, default-actions: [{forward: {target-group: b}}]}
target-groups:
  - {name: a, targets: [{address: 127.0.0.1, port: 1}]}
  - {name: b, targets: [{address: 127.0.0.1, port: 2}]}
  - {name: c, targets: [{address: 127.0.0.1, port: 3}]}
)";

TEST(ForwardingTest, EveryListenerItsRulesThenItsDefaultRule) {
  const auto loaded = LoadFor(kFile);
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const LoadBalancer& balancer = loaded.model->load_balancers[0];
  std::vector<std::uint32_t> groups;
  EXPECT_TRUE(EachForwardedGroup(balancer, [&](std::uint32_t group) {
    groups.push_back(group);
    return true;
  }));
  EXPECT_EQ(groups, (std::vector<std::uint32_t>{2, 1, 0, 1}));
  std::vector<std::uint32_t> priorities;
  EXPECT_TRUE(EachForward(balancer, [&](const Rule& rule, const ForwardAction& forward) {
    EXPECT_FALSE(forward.target_groups.empty());
    priorities.push_back(rule.priority);
    return true;
  }));
  EXPECT_EQ(priorities, (std::vector<std::uint32_t>{2, 0, 0}));
}

TEST(ForwardingTest, FalseEndsTheWalk) {
  const auto loaded = LoadFor(kFile);
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  int seen = 0;
  EXPECT_FALSE(EachForwardedGroup(loaded.model->load_balancers[0], [&](std::uint32_t group) {
    ++seen;
    return group != 1;
  }));
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace weir::config
