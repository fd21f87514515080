#include "app/routing_test.h"

#include "app/offline_view.h"
#include "tests/app/temporary_folder.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::app {
namespace {

constexpr std::string_view kTestedShop = R"(
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    advertise: [192.0.2.10]
    listeners:
      - port: 8080
        protocol: HTTP
        rules:
          - {name: beta, priority: 10, conditions: [{http-header: {name: X-Beta, values: ["yes"]}}], actions: [{forward: {target-group: green}}]}
          - {priority: 20, conditions: [{path-pattern: [/ping]}], actions: [{fixed-response: {status-code: 200, content-type: text/plain, message-body: pong}}]}
        default-actions: [{forward: {target-groups: [{name: blue, weight: 9}, {name: green, weight: 0}]}}]
target-groups:
  - {name: blue, targets: [{address: 127.0.0.1, port: 9001}]}
  - {name: green, targets: [{address: 127.0.0.1, port: 9002}]}
zones:
  - name: example.test
    name-servers: [ns1.example.test.]
    records:
      - {name: ns1, type: A, ttl: 5m, values: [192.0.2.1]}
      - {name: eu, type: A, set: primary, failover: PRIMARY, alias: {load-balancer: shop, evaluate-target-health: true}}
      - {name: eu, type: A, set: secondary, failover: SECONDARY, ttl: 10s, values: [198.51.100.10]}
tests:
)";

// The result of one entry of `tests` beside the configuration above.
Result<RoutingTestResult> Decide(std::string_view entry) {
  const TemporaryFolder folder;
  const auto loaded =
      LoadOffline(folder.Write("shop.yaml", std::string(kTestedShop) + "  - " + std::string(entry) + "\n"));
  if (!loaded.view) return Failure(loaded.diagnostics.FormatAll());
  return DecideRoutingTest(*loaded.view, loaded.view->model->tests.front());
}

bool Passes(std::string_view entry) {
  const auto result = Decide(entry);
  EXPECT_TRUE(result) << result.error().message;
  return result && result->differences.empty();
}

TEST(RoutingTestTest, RequestsAreDecidedByRuleGroupStatusAndBody) {
  EXPECT_TRUE(Passes(
      R"({request: "GET http://shop:8080/", headers: {X-Beta: "yes"}, expect: {rule: beta, target-group: green}})"));
  EXPECT_TRUE(Passes(R"({request: "GET http://shop:8080/", headers: {X-Beta: "yes"}, expect: {rule: "10"}})"));
  EXPECT_TRUE(Passes(R"({request: "GET http://shop:8080/", expect: {rule: default, target-group: blue}})"));
  EXPECT_TRUE(Passes(R"({request: "GET http://shop:8080/ping", expect: {status: 200, body: pong}})"));
}

TEST(RoutingTestTest, AGroupWithoutWeightIsNotDrawn) {
  const auto result = Decide(R"({request: "GET http://shop:8080/", expect: {target-group: green}})");
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->differences.size(), 1U);
  EXPECT_EQ(result->differences[0].what, "target-group");
  EXPECT_EQ(result->differences[0].expected, "green");
  EXPECT_EQ(result->differences[0].got, "blue");
  EXPECT_FALSE(result->explanation.empty());
}

TEST(RoutingTestTest, EveryExpectationThatDoesNotHoldIsADifference) {
  const auto result = Decide(
      R"({request: "GET http://shop:8080/ping", expect: {rule: beta, target-group: blue, status: 404, body: nope}})");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->differences.size(), 4U);
}

TEST(RoutingTestTest, QueriesAreDecidedWithWhatIsUnhealthy) {
  EXPECT_TRUE(Passes(R"({query: eu.example.test A, expect: {values: [192.0.2.10], rcode: NOERROR}})"));
  EXPECT_TRUE(Passes(R"({query: eu.example.test A, unhealthy: [shop], expect: {values: [198.51.100.10], ttl: 10s}})"));
  EXPECT_TRUE(Passes(R"({query: none.example.test A, expect: {rcode: NXDOMAIN}})"));
  EXPECT_FALSE(Passes(R"({query: eu.example.test A, unhealthy: [blue], expect: {values: [192.0.2.10]}})"));
}

}  // namespace
}  // namespace weir::app
