#include "app/offline_view.h"

#include "tests/app/temporary_folder.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {
namespace {

constexpr std::string_view kShop = R"(
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners: [{port: 8080, protocol: HTTP, default-actions: [{forward: {target-group: blue}}]}]
target-groups:
  - {name: blue, targets: [{address: 127.0.0.1, port: 9001}, {address: 127.0.0.1, port: 9002}]}
health-checks:
  - {name: eu, type: TCP, address: 127.0.0.1, port: 1}
  - {name: us, type: TCP, address: 127.0.0.1, port: 2}
  - {name: any, type: CALCULATED, children: [eu, us], health-threshold: 1}
)";

class OfflineViewTest : public ::testing::Test {
 protected:
  OfflineViewTest() : loaded_(LoadOffline(folder_.Write("shop.yaml", kShop))) {}
  std::shared_ptr<const control::View> Without(const std::vector<std::string>& unhealthy) {
    auto view = WithUnhealthy(*loaded_.view, unhealthy);
    EXPECT_TRUE(view) << view.error().message;
    return view.value_or(nullptr);
  }
  TemporaryFolder folder_;
  OfflineView loaded_;
};

TEST_F(OfflineViewTest, EverythingIsHealthy) {
  ASSERT_TRUE(loaded_.view) << loaded_.diagnostics.FormatAll();
  const auto& status = *loaded_.view->health;
  EXPECT_EQ(status.groups[0].healthy, 2U);
  EXPECT_EQ(status.groups[0].routable.size(), 2U);
  EXPECT_TRUE(status.checks[2].healthy);
  EXPECT_TRUE(status.load_balancers[0].healthy);
}

TEST_F(OfflineViewTest, AnUnhealthyTargetLeavesItsGroup) {
  const auto view = Without({"127.0.0.1:9001"});
  EXPECT_EQ(view->health->groups[0].routable, std::vector<std::uint32_t>{1});
  EXPECT_TRUE(view->health->load_balancers[0].healthy);
}

TEST_F(OfflineViewTest, AnUnhealthyGroupFailsOpenAndItsLoadBalancerIsUnhealthy) {
  const auto view = Without({"blue"});
  EXPECT_TRUE(view->health->groups[0].fail_open);
  EXPECT_FALSE(view->health->load_balancers[0].healthy);
}

TEST_F(OfflineViewTest, ALoadBalancerCanBeUnhealthyByName) {
  const auto view = Without({"shop"});
  EXPECT_FALSE(view->health->load_balancers[0].healthy);
  EXPECT_EQ(view->health->groups[0].healthy, 2U);
}

TEST_F(OfflineViewTest, CalculatedChecksFollowTheirChildren) {
  EXPECT_TRUE(Without({"eu"})->health->checks[2].healthy);
  EXPECT_FALSE(Without({"eu", "us"})->health->checks[2].healthy);
  EXPECT_FALSE(Without({"any"})->health->checks[2].healthy);
}

TEST_F(OfflineViewTest, AnUnknownNameIsRefusedWithTheNearestOne) {
  const auto view = WithUnhealthy(*loaded_.view, {"blu"});
  ASSERT_FALSE(view);
  EXPECT_NE(view.error().hint.find("blue"), std::string::npos) << view.error().hint;
}

TEST(OfflineViewFailureTest, AFileThatIsNotThereIsADiagnostic) {
  const auto loaded = LoadOffline("no-such-file.yaml");
  EXPECT_FALSE(loaded.view);
  EXPECT_TRUE(loaded.diagnostics.has_errors());
}

TEST(OfflineViewFailureTest, WhatOnlyCompilingFindsIsADiagnosticToo) {
  const TemporaryFolder folder;
  const auto loaded = LoadOffline(folder.Write("shop.yaml", R"(
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 8080
        protocol: HTTP
        rules: [{priority: 1, conditions: [{path-pattern: {regex-values: ["(("]}}], actions: [{forward: {target-group: blue}}]}]
        default-actions: [{forward: {target-group: blue}}]
target-groups: [{name: blue, targets: [{address: 127.0.0.1, port: 9001}]}]
)"));
  EXPECT_FALSE(loaded.view);
  EXPECT_NE(loaded.diagnostics.FormatAll().find("shop.yaml:8:"), std::string::npos) << loaded.diagnostics.FormatAll();
}

}  // namespace
}  // namespace weir::app
