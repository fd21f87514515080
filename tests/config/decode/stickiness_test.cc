// Stickiness of target groups and forward actions. spec: alb.md 5.1, 7.3, 9.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

namespace weir::config {
namespace {

using namespace std::chrono_literals;

// Two groups, with attributes, and one forward action to both or to what `forward` says.
std::string StickyText(std::string_view blue, std::string_view forward = "target-group: blue",
                       std::string_view green = "") {
  return std::string("load-balancers: [{name: a, listeners: [{port: 1, default-actions: [{forward: {")
      .append(forward)
      .append("}}]}]}]\ntarget-groups:\n  - {name: blue, targets: [{address: 127.0.0.1, port: 1}], attributes: {")
      .append(blue)
      .append("}}\n  - {name: green, targets: [{address: 127.0.0.1, port: 2}], attributes: {")
      .append(green)
      .append("}}\n");
}

constexpr std::string_view kBothStickiness = "target-groups: [{name: blue, weight: 1}, {name: green, weight: 1}]";
constexpr std::string_view kBothSticky =
    "target-groups: [{name: blue, weight: 1}, {name: green, weight: 1}], stickiness: {enabled: true, duration: 1h}";
constexpr std::string_view kLb = "stickiness.enabled: true";
constexpr std::string_view kApp =
    "stickiness.enabled: true, stickiness.type: app_cookie, stickiness.app_cookie.cookie_name: sid";

TEST(StickinessConfigTest, IsOffByDefault) {
  const auto loaded = LoadFor(StickyText(""));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_FALSE(loaded.model->target_groups[0].stickiness.enabled);
  const auto& listener = loaded.model->load_balancers[0].listeners[0];
  EXPECT_FALSE(std::get<ForwardAction>(listener.default_rule.action).stickiness);
}

TEST(StickinessConfigTest, AttributesAreRead) {
  auto loaded =
      LoadFor(StickyText("stickiness.enabled: \"true\", stickiness.lb_cookie.duration_seconds: \"60\", "
                         "stickiness.app_cookie.duration_seconds: 70"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const auto& by_load_balancer = loaded.model->target_groups[0].stickiness;
  EXPECT_TRUE(by_load_balancer.enabled);
  EXPECT_EQ(by_load_balancer.type, StickinessType::kLbCookie);
  EXPECT_EQ(by_load_balancer.duration, 60s);
  loaded = LoadFor(StickyText(std::string(kApp) + ", stickiness.app_cookie.duration_seconds: 604800"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const auto& by_application = loaded.model->target_groups[0].stickiness;
  EXPECT_EQ(by_application.type, StickinessType::kAppCookie);
  EXPECT_EQ(by_application.duration, 604'800s);
  EXPECT_EQ(by_application.cookie_name, "sid");
  loaded = LoadFor(StickyText(kLb));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(loaded.model->target_groups[0].stickiness.duration, 86'400s);
}

TEST(StickinessConfigTest, AForwardActionHasADuration) {
  const auto loaded = LoadFor(StickyText(kLb, kBothSticky));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const auto& listener = loaded.model->load_balancers[0].listeners[0];
  EXPECT_EQ(std::get<ForwardAction>(listener.default_rule.action).stickiness, 3'600s);
}

TEST(StickinessConfigTest, KeysAreFilesBesideTheFile) {
  const auto loaded = LoadFor("stickiness-keys: [{file: one.key}, {file: two.key}]\n");
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  ASSERT_EQ(loaded.model->stickiness_keys.size(), 2U);
  EXPECT_EQ(loaded.model->stickiness_keys[0].text, "one.key");
  EXPECT_EQ(loaded.model->stickiness_keys[1].position.line, 1U);
}

TEST(StickinessConfigTest, WhatGoesTogetherIsNotRefused) {
  for (const std::string& text :
       {StickyText(kLb, kBothSticky, kLb), StickyText(kApp), StickyText("", kBothSticky),
        StickyText("", kBothStickiness),
        StickyText(std::string(kLb) + ", load_balancing.algorithm.type: least_outstanding_requests"),
        StickyText("stickiness.type: app_cookie", kBothStickiness),
        StickyText("stickiness.app_cookie.cookie_name: \"\""),
        StickyText(kLb, "target-group: blue, stickiness: {enabled: false}")}) {
    EXPECT_EQ(FindingsOf(text).find("error:"), std::string::npos) << FindingsOf(text);
  }
}

struct StickinessCase {
  const char* name;
  std::string text;
  std::string_view finding;
};

class StickinessErrorTest : public ::testing::TestWithParam<StickinessCase> {};

TEST_P(StickinessErrorTest, IsFoundAtItsPlace) {
  const std::string found = FindingsOf(GetParam().text);
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
}

INSTANTIATE_TEST_SUITE_P(
    Keys, StickinessErrorTest,
    ::testing::Values(
        StickinessCase{"WeightedRandom",
                       StickyText(std::string(kLb) + ", load_balancing.algorithm.type: weighted_random"),
                       "error: `stickiness.enabled` does not go with `weighted_random`; round_robin or "
                       "least_outstanding_requests"},
        StickinessCase{"AppCookieWithoutName", StickyText("stickiness.enabled: true, stickiness.type: app_cookie"),
                       "error: `app_cookie` without `stickiness.app_cookie.cookie_name`"},
        StickinessCase{"ReservedPrefix", StickyText("stickiness.app_cookie.cookie_name: AWSALBAPP-x"),
                       "error: the cookie `AWSALBAPP-x` is the load balancer's own"},
        StickinessCase{"ReservedName", StickyText("stickiness.app_cookie.cookie_name: AWSALB"),
                       "is the load balancer's own"},
        StickinessCase{"NoCookieName", StickyText("stickiness.app_cookie.cookie_name: 's;d'"),
                       "error: `s;d` is no name of a cookie"},
        StickinessCase{"AppCookieAmongSeveral", StickyText(kApp, kBothSticky),
                       "error: target group `blue` with `app_cookie` among several groups of one forward action"},
        StickinessCase{"GroupStickinessMissing", StickyText("", kBothStickiness, kLb),
                       "error: target group `green` is sticky, and the forward action with several groups is not; "
                       "`stickiness: {enabled: true, duration: 1h}` beside `target-groups`"},
        StickinessCase{"DurationMissing", StickyText("", "target-group: blue, stickiness: {enabled: true}"),
                       "error: `stickiness` without `duration`"},
        StickinessCase{"DurationOfNothing",
                       StickyText("", "target-group: blue, stickiness: {enabled: true, duration: 0s}"),
                       "error: `duration: 0s` is out of range; 1s to 7d"},
        StickinessCase{"DurationTooLong",
                       StickyText("", "target-group: blue, stickiness: {enabled: true, duration: 604801s}"),
                       "error: `duration: 604801s` is out of range; 1s to 7d"},
        StickinessCase{"SecondsTooMany", StickyText("stickiness.lb_cookie.duration_seconds: 604801"),
                       "error: `stickiness.lb_cookie.duration_seconds: 604801` is out of range; 1 to 604800"},
        StickinessCase{"SecondsTooFew", StickyText("stickiness.app_cookie.duration_seconds: 0"),
                       "error: `stickiness.app_cookie.duration_seconds: 0` is out of range"},
        StickinessCase{"OfNetworkLoadBalancers", StickyText("stickiness.type: source_ip"),
                       "`stickiness.type: source_ip` is not supported in this version"},
        StickinessCase{"OfGatewayLoadBalancers", StickyText("stickiness.type: source_ip_dest_ip_proto"),
                       "`stickiness.type: source_ip_dest_ip_proto` is not supported in this version"},
        StickinessCase{"KeyWithoutFile", "stickiness-keys: [{}]\n", "`file`"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace weir::config
