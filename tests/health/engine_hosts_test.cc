#include "health/engine.h"
#include "tests/health/engine_fixture.h"
#include "tests/health/fake_target.h"
#include "tests/support/fake_dns_server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::health {
namespace {

using testing::EngineTest;
using weir::testing::FakeDnsServer;
using weir::testing::FakeTarget;
using enum HealthState;

const IpAddress kOne = IpAddress::V4({127, 0, 0, 1});
const IpAddress kTwo = IpAddress::V4({127, 0, 0, 2});
constexpr const char* kName = "app.internal.test";

class EngineHostsTest : public EngineTest {
 protected:
  Engine& StartWithDns() { return Start({.resolver_servers = {dns_.endpoint()}}); }
  static config::TargetGroup HostGroup(std::uint16_t port) {
    auto group = Group("blue", {});
    config::Target target;
    target.host = kName;
    target.port = port;
    target.zone = "a";
    group.targets.push_back(target);
    return group;
  }
  static std::vector<std::string> Listed(const StatusTable& table, bool deregistered) {
    std::vector<std::string> listed;
    for (const TargetStatus& target : table.groups[0].targets) {
      if (target.deregistered == deregistered) listed.push_back(target.endpoint.address.ToString());
    }
    return listed;
  }
  using Names = std::vector<std::string>;

  FakeDnsServer dns_;
};

TEST_F(EngineHostsTest, EveryAddressIsATarget) {
  FakeTarget target;
  dns_.Set(kName, {kTwo, kOne}, 60);
  StartWithDns();
  Apply(Model({HostGroup(target.endpoint().port)}));
  const auto table = AwaitState(kHealthy, 0);
  EXPECT_EQ(Listed(*table, false), (Names{"127.0.0.1", "127.0.0.2"}));
  EXPECT_EQ(table->groups[0].targets[0].host, kName);
  EXPECT_EQ(table->groups[0].targets[0].zone, "a");
  ASSERT_FALSE(target.Requests().empty());
  EXPECT_NE(target.Requests()[0].find("Host: 127.0.0.1:"), std::string::npos);
}

TEST_F(EngineHostsTest, AHostWithoutAddressesIsListedWithTheReason) {
  StartWithDns();
  Apply(Model({HostGroup(80)}));
  const auto table = Await([](const StatusTable& now) {
    return !now.groups[0].unresolved.empty() && now.groups[0].unresolved[0].reason != "not resolved yet";
  });
  const UnresolvedHost& host = table->groups[0].unresolved[0];
  EXPECT_EQ(host.host, kName);
  EXPECT_EQ(host.port, 80U);
  EXPECT_EQ(host.reason, "Domain name not found");
  EXPECT_EQ(host.addresses_kept, 0U);
  dns_.Set(kName, {kOne}, 60);
  Await([](const StatusTable& now) { return now.groups[0].unresolved.empty() && !now.groups[0].targets.empty(); });
}

TEST_F(EngineHostsTest, IsResolvedAgainWhenTheTtlEnds) {
  FakeTarget target;
  dns_.Set(kName, {kOne}, 0);
  StartWithDns();
  Apply(Model({HostGroup(target.endpoint().port)}));
  AwaitState(kHealthy);
  dns_.Set(kName, {kTwo}, 60);
  const auto table = Await([](const StatusTable& now) { return Listed(now, false) == Names{"127.0.0.2"}; });
  EXPECT_EQ(Listed(*table, true), Names{"127.0.0.1"}) << "an address that went drains";
}

TEST_F(EngineHostsTest, KeepsTheLastAddressesWhenResolutionFails) {
  FakeTarget target;
  dns_.Set(kName, {kOne}, 0);
  Engine& engine = StartWithDns();
  Apply(Model({HostGroup(target.endpoint().port)}));
  AwaitState(kHealthy);
  dns_.SetMode(FakeDnsServer::Mode::kServerFailure);
  const auto start = std::chrono::steady_clock::now();
  while (engine.probe_counters().resolutions_failed == 0 &&
         std::chrono::steady_clock::now() - start < testing::kDeadline) {
    std::this_thread::yield();
  }
  EXPECT_GE(engine.probe_counters().resolutions_failed, 1U);
  EXPECT_EQ(Now()->groups[0].targets[0].state, kHealthy);
}

TEST_F(EngineHostsTest, AReloadKeepsTheAddresses) {
  FakeTarget target;
  dns_.Set(kName, {kOne}, 60);
  StartWithDns();
  const auto model = Model({HostGroup(target.endpoint().port)});
  Apply(model);
  AwaitState(kHealthy);
  Apply(model);
  EXPECT_EQ(Now()->groups[0].targets[0].state, kHealthy);
  EXPECT_LE(dns_.queries(), 2) << "one for each family";
}

TEST_F(EngineHostsTest, TheHostsFileAnswersAtOnce) {
  FakeTarget target;
  StartWithDns();
  auto group = HostGroup(target.endpoint().port);
  group.targets[0].host = "localhost";
  Apply(Model({group}));
  EXPECT_FALSE(Now()->groups[0].targets.empty());
  AwaitState(kHealthy);
}

config::Model CheckModel(std::uint16_t port) {
  config::HealthCheck check;
  check.name = "front";
  check.host = kName;
  check.port = port;
  check.request_interval = std::chrono::milliseconds(50);
  check.failure_threshold = 1;
  config::Model model;
  model.health_checks.push_back(check);
  return model;
}

TEST_F(EngineHostsTest, ACheckByNameProbesItsAddress) {
  FakeTarget target;
  dns_.Set(kName, {kOne}, 60);
  StartWithDns();
  Apply(CheckModel(target.endpoint().port));
  EXPECT_EQ(AwaitCheck(true)->checks[0].last_result, "HTTP 200");
}

// spec: dns.md 2.2, IPAddress: IPv4 only.
TEST_F(EngineHostsTest, ACheckOfANameWithoutIpv4AddressFails) {
  dns_.Set(kName, {*IpAddress::Parse("::1")}, 60);
  StartWithDns();
  Apply(CheckModel(80));
  EXPECT_EQ(AwaitCheck(false)->checks[0].last_result, "DNS resolution failed");
}

}  // namespace
}  // namespace weir::health
