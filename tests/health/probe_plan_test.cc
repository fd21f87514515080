#include "health/probe_plan.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::health {
namespace {

using std::chrono::milliseconds;

Endpoint At(const char* text) { return *Endpoint::Parse(text); }

std::string Request(const ProbePlan& plan, const Endpoint& endpoint, std::string_view name) {
  return plan.request_start + HostField(plan, endpoint, name) + plan.request_rest;
}

// spec: alb.md section 11, Request.
TEST(TargetPlanTest, WritesTheRequestOfTheOriginal) {
  config::TargetHealthCheck check;
  check.path = "/health?deep=1";
  EXPECT_EQ(Request(BuildTargetPlan(check), At("127.0.0.1:9001"), {}),
            "GET /health?deep=1 HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
            "Accept-Encoding: gzip, compressed\r\nConnection: close\r\n\r\n");
}

TEST(TargetPlanTest, OneTimeoutCoversTheWholeProbe) {
  config::TargetHealthCheck check;
  check.timeout = milliseconds(700);
  const ProbePlan plan = BuildTargetPlan(check);
  EXPECT_EQ(plan.connect_timeout, milliseconds(700));
  EXPECT_EQ(plan.response_timeout.count(), 0);
  EXPECT_FALSE(plan.interval_after_result);
}

TEST(TargetPlanTest, EqualSettingsMakeEqualPlans) {
  config::TargetHealthCheck check;
  EXPECT_EQ(BuildTargetPlan(check), BuildTargetPlan(check));
  config::TargetHealthCheck other = check;
  other.matcher.ranges = {{200, 299}};
  EXPECT_NE(BuildTargetPlan(check), BuildTargetPlan(other));
}

struct HostRow {
  const char* name;
  bool tls;
  const char* endpoint;
  const char* host;
  const char* field;
};

class HostFieldTest : public ::testing::TestWithParam<HostRow> {};

TEST_P(HostFieldTest, LeavesOutTheDefaultPort) {
  const HostRow& row = GetParam();
  ProbePlan plan;
  plan.speaks_tls = row.tls;
  EXPECT_EQ(HostField(plan, At(row.endpoint), row.host), row.field);
}

// spec: alb.md 11 (targets), dns.md 2.2 FullyQualifiedDomainName (checks).
INSTANTIATE_TEST_SUITE_P(
    HostRules, HostFieldTest,
    ::testing::Values(HostRow{"http_80", false, "192.0.2.1:80", "", "192.0.2.1"},
                      HostRow{"http_443", false, "192.0.2.1:443", "", "192.0.2.1:443"},
                      HostRow{"https_443", true, "192.0.2.1:443", "", "192.0.2.1"},
                      HostRow{"https_80", true, "192.0.2.1:80", "", "192.0.2.1:80"},
                      HostRow{"ipv6", false, "[2001:db8::1]:8080", "", "[2001:db8::1]:8080"},
                      HostRow{"ipv6_80", false, "[2001:db8::1]:80", "", "[2001:db8::1]"},
                      HostRow{"name_80", false, "192.0.2.1:80", "shop.example.test", "shop.example.test"},
                      HostRow{"name_8080", false, "192.0.2.1:8080", "shop.example.test", "shop.example.test:8080"},
                      HostRow{"name_https_443", true, "192.0.2.1:443", "shop.example.test", "shop.example.test"}),
    [](const auto& row) { return std::string(row.param.name); });

config::HealthCheck Check(config::HealthCheckType type) {
  config::HealthCheck check;
  check.type = type;
  check.host = "shop.example.test";
  check.port = 8443;
  return check;
}

// spec: dns.md 3.4: 4 s to connect, 2 s to the status line, 2 s to the body.
TEST(CheckPlanTest, HasTheTimingsOfTheOriginal) {
  const ProbePlan plan = BuildCheckPlan(Check(config::HealthCheckType::kHttpsStrMatch));
  EXPECT_EQ(plan.connect_timeout, milliseconds(4'000));
  EXPECT_EQ(plan.response_timeout, milliseconds(2'000));
  EXPECT_EQ(plan.content_timeout, milliseconds(2'000));
  EXPECT_TRUE(plan.interval_after_result);
}

TEST(CheckPlanTest, SendsTheNameAsSniUnlessItIsTurnedOff) {
  config::HealthCheck check = Check(config::HealthCheckType::kHttps);
  EXPECT_EQ(BuildCheckPlan(check).server_name, "shop.example.test");
  check.enable_sni = false;
  EXPECT_EQ(BuildCheckPlan(check).server_name, "");
  check.type = config::HealthCheckType::kHttp;
  EXPECT_FALSE(BuildCheckPlan(check).speaks_tls);
}

TEST(CheckPlanTest, AddsTheLeadingSlash) {
  config::HealthCheck check = Check(config::HealthCheckType::kHttp);
  check.path = "health";
  EXPECT_TRUE(BuildCheckPlan(check).request_start.starts_with("GET /health HTTP/1.1\r\n"));
}

TEST(CheckPlanTest, ATcpCheckOnlyConnects) {
  config::HealthCheck check = Check(config::HealthCheckType::kTcp);
  check.timeout = milliseconds(10'000);
  const ProbePlan plan = BuildCheckPlan(check);
  EXPECT_FALSE(plan.speaks_http);
  EXPECT_EQ(plan.connect_timeout, milliseconds(10'000));
}

}  // namespace
}  // namespace weir::health
