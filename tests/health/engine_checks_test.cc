#include "health/engine.h"
#include "tests/health/engine_fixture.h"
#include "tests/health/fake_target.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::health {
namespace {

using testing::EngineTest;
using weir::testing::FakeTarget;
using weir::testing::RefusingEndpoint;
using Behaviour = FakeTarget::Behaviour;
using Type = config::HealthCheckType;

config::HealthCheck Check(const std::string& name, const Endpoint& endpoint, Type type = Type::kHttp) {
  config::HealthCheck check;
  check.name = name;
  check.type = type;
  check.address = endpoint.address;
  check.port = endpoint.port;
  check.request_interval = std::chrono::milliseconds(50);
  check.timeout = std::chrono::milliseconds(600);
  check.failure_threshold = 2;
  return check;
}

config::HealthCheck Calculated(const std::string& name, std::vector<std::uint32_t> children, std::uint32_t threshold) {
  config::HealthCheck check;
  check.name = name;
  check.type = Type::kCalculated;
  check.children = std::move(children);
  check.health_threshold = threshold;
  return check;
}

class EngineChecksTest : public EngineTest {
 protected:
  void ApplyChecks(std::vector<config::HealthCheck> checks) {
    config::Model model;
    model.health_checks = std::move(checks);
    Apply(model);
  }
};

TEST_F(EngineChecksTest, ANewCheckIsHealthyAndGoesOutAfterItsFailures) {
  Start();
  ApplyChecks({Check("front", RefusingEndpoint())});
  EXPECT_TRUE(Now()->checks[0].healthy);
  const auto table = AwaitCheck(false);
  EXPECT_EQ(table->checks[0].last_result, "connection refused");
  ASSERT_EQ(Transitions().size(), 1U);
  EXPECT_EQ(Transitions()[0].id, "front");
  EXPECT_EQ(Transitions()[0].group, "");
  EXPECT_EQ(Transitions()[0].to, "unhealthy");
}

struct CheckRow {
  const char* name;
  Type type;
  Behaviour behaviour;
  const char* text;
  const char* search;
  bool healthy;
  const char* seen;
};

class EngineCheckTest : public EngineChecksTest, public ::testing::WithParamInterface<CheckRow> {};

TEST_P(EngineCheckTest, Decides) {
  const CheckRow& row = GetParam();
  FakeTarget target(row.type == Type::kHttps || row.type == Type::kHttpsStrMatch ? FakeTarget::Security::kTls
                                                                                 : FakeTarget::Security::kPlain);
  target.Set(row.behaviour, row.text);
  Start();
  auto check = Check("front", target.endpoint(), row.type);
  check.search_string = row.search;
  ApplyChecks({check});
  EXPECT_EQ(AwaitCheck(row.healthy)->checks[0].last_result, row.seen);
}

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{\"s\":\"ok\"}";

// spec: dns.md 2.2 and 4.
INSTANTIATE_TEST_SUITE_P(
    DnsSection4, EngineCheckTest,
    ::testing::Values(
        CheckRow{"http_200", Type::kHttp, Behaviour::kAnswer, kOk, "", true, "HTTP 200"},
        CheckRow{"http_302_counts_as_success", Type::kHttp, Behaviour::kAnswer,
                 "HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n", "", true, "HTTP 302"},
        CheckRow{"http_404", Type::kHttp, Behaviour::kAnswer, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "",
                 false, "HTTP 404"},
        CheckRow{"http_slow", Type::kHttp, Behaviour::kHang, "", "", false, "timed out before a response"},
        CheckRow{"https", Type::kHttps, Behaviour::kAnswer, kOk, "", true, "HTTP 200"},
        CheckRow{"string_found", Type::kHttpStrMatch, Behaviour::kAnswer, kOk, "\"ok\"", true, "HTTP 200"},
        CheckRow{"string_found_byte_by_byte", Type::kHttpStrMatch, Behaviour::kByteByByte, kOk, "\"ok\"", true,
                 "HTTP 200"},
        CheckRow{"string_missing", Type::kHttpStrMatch, Behaviour::kAnswer, kOk, "\"OK\"", false,
                 "HTTP 200, search string not found"},
        CheckRow{"string_before_the_content_ends", Type::kHttpStrMatch, Behaviour::kKeepOpen,
                 "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nall ok", "ok", true, "HTTP 200"},
        CheckRow{"string_that_never_comes", Type::kHttpStrMatch, Behaviour::kKeepOpen,
                 "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nall", "ok", false,
                 "HTTP 200, timed out before the search string"},
        CheckRow{"https_string_found", Type::kHttpsStrMatch, Behaviour::kAnswer, kOk, "\"ok\"", true, "HTTP 200"},
        CheckRow{"tcp", Type::kTcp, Behaviour::kCloseEarly, "", "", true, "connected"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(EngineChecksTest, SendsHostAndServerName) {
  FakeTarget target(FakeTarget::Security::kTls);
  Start();
  auto check = Check("front", target.endpoint(), Type::kHttps);
  check.host = "shop.example.test";
  ApplyChecks({check});
  AwaitCheck(true);
  EXPECT_EQ(target.LastServerName(), "shop.example.test");
  ASSERT_FALSE(target.Requests().empty());
  EXPECT_NE(target.Requests()[0].find("Host: shop.example.test:" + std::to_string(target.endpoint().port) + "\r\n"),
            std::string::npos);
}

TEST_F(EngineChecksTest, InvertedAndDisabledChecksAndTheirParents) {
  FakeTarget target;
  const Endpoint refusing = RefusingEndpoint();
  auto inverted = Check("inverted", refusing);
  inverted.inverted = true;
  auto disabled = Check("disabled", refusing);
  disabled.disabled = true;
  auto disabled_inverted = Check("disabled-inverted", refusing);
  disabled_inverted.disabled = true;
  disabled_inverted.inverted = true;
  Start();
  ApplyChecks({Check("down", refusing), inverted, disabled, disabled_inverted, Check("up", target.endpoint()),
               Calculated("three", {0, 1, 2, 3, 4}, 3), Calculated("four", {0, 1, 2, 3, 4}, 4)});
  const auto table = Await([](const StatusTable& now) { return !now.checks[0].healthy && now.checks[1].healthy; });
  EXPECT_TRUE(table->checks[2].healthy);
  EXPECT_FALSE(table->checks[3].healthy);
  EXPECT_TRUE(table->checks[5].healthy) << "inverted, disabled and up are three";
  EXPECT_FALSE(table->checks[6].healthy);
  EXPECT_FALSE(table->checks[1].measured_healthy);
}

TEST_F(EngineChecksTest, AnOverrideOfAChildMovesItsParent) {
  FakeTarget target;
  Engine& engine = Start();
  ApplyChecks({Check("up", target.endpoint()), Calculated("parent", {0}, 1)});
  AwaitCheck(true);
  ASSERT_TRUE(engine.SetCheckOverride("up", AdminState::kUnhealthy));
  EXPECT_FALSE(Now()->checks[1].healthy);
  ASSERT_EQ(Transitions().size(), 2U);
  EXPECT_EQ(Transitions()[0].reason, "override");
  EXPECT_EQ(Transitions()[1].reason, "children");
  ASSERT_EQ(engine.Overrides().size(), 1U);
  EXPECT_EQ(engine.Overrides()[0].kind, "health-check");
  ASSERT_TRUE(engine.SetCheckOverride("up", AdminState::kMeasured));
  EXPECT_TRUE(Now()->checks[1].healthy);
  EXPECT_FALSE(engine.SetCheckOverride("up", AdminState::kDraining));
  const auto unknown = engine.SetCheckOverride("upp", AdminState::kHealthy);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().hint, "did you mean 'up'?");
}

TEST_F(EngineChecksTest, AReloadKeepsTheStateOfACheck) {
  Start();
  const auto check = Check("front", RefusingEndpoint());
  ApplyChecks({check});
  const auto before = AwaitCheck(false);
  ApplyChecks({Calculated("first", {1}, 1), check});
  EXPECT_FALSE(Now()->checks[1].healthy);
  EXPECT_EQ(Now()->checks[1].since, before->checks[0].since);
  EXPECT_FALSE(Now()->checks[0].healthy);
}

TEST_F(EngineChecksTest, TheIntervalBeginsWithTheResult) {
  FakeTarget target;
  target.Set(Behaviour::kHang);
  Engine& engine = Start();
  auto check = Check("front", target.endpoint());
  check.timeout = std::chrono::milliseconds(200);
  check.request_interval = std::chrono::milliseconds(200);
  ApplyChecks({check});
  const auto start = std::chrono::steady_clock::now();
  while (engine.probe_counters().sent < 3 && std::chrono::steady_clock::now() - start < testing::kDeadline) {
    std::this_thread::yield();
  }
  // Half of the timeout passes before each of two results, and the interval after each.
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(600));
}

}  // namespace
}  // namespace weir::health
