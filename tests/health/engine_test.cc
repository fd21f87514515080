#include "health/engine.h"

#include "net/tls_client.h"
#include "tests/health/engine_fixture.h"
#include "tests/health/fake_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace weir::health {
namespace {

using testing::EngineTest;
using weir::testing::FakeTarget;
using weir::testing::RefusingEndpoint;
using Behaviour = FakeTarget::Behaviour;
using enum HealthState;

TEST_F(EngineTest, ApplyReturnsWithTheFirstTable) {
  FakeTarget target;
  Start();
  Apply(Model({Group("blue", {target.endpoint()})}));
  ASSERT_NE(Now(), nullptr);
  EXPECT_EQ(Now()->revision, 1U);
  ASSERT_EQ(Now()->groups.size(), 1U);
  ASSERT_EQ(Now()->groups[0].targets.size(), 1U);
  EXPECT_TRUE(Now()->groups[0].fail_open) << "nothing is known to be healthy yet";
}

TEST_F(EngineTest, ATargetThatAnswersBecomesHealthy) {
  FakeTarget target;
  Start();
  Apply(Model({Group("blue", {target.endpoint()})}));
  const auto table = AwaitState(kHealthy);
  EXPECT_EQ(table->groups[0].routable, std::vector<std::uint32_t>{0});
  EXPECT_FALSE(table->groups[0].fail_open);
  ASSERT_EQ(Transitions().size(), 1U);
  EXPECT_EQ(Transitions()[0].from, "initial");
  EXPECT_EQ(Transitions()[0].to, "healthy");
  EXPECT_EQ(Transitions()[0].seen, "HTTP 200");
  ASSERT_FALSE(target.Requests().empty());
  EXPECT_EQ(target.Requests()[0], "GET /health HTTP/1.1\r\nHost: " + target.endpoint().ToString() +
                                      "\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
                                      "Accept-Encoding: gzip, compressed\r\nConnection: close\r\n\r\n");
}

TEST_F(EngineTest, ATargetGoesOutAndComesBack) {
  FakeTarget target;
  Start();
  Apply(Model({Group("blue", {target.endpoint()})}));
  AwaitState(kHealthy);
  target.AnswerStatus(503);
  const auto out = AwaitState(kUnhealthy);
  EXPECT_EQ(out->groups[0].targets[0].reason, HealthReason::kResponseCodeMismatch);
  EXPECT_EQ(out->groups[0].targets[0].description, "Health checks failed with these codes: [503]");
  target.AnswerStatus(200);
  AwaitState(kHealthy);
}

// The same with targets that start slowly, and go out and come back at once.
config::TargetGroup SlowlyStarting(config::TargetGroup group, std::chrono::seconds slow_start,
                                   std::chrono::milliseconds interval) {
  group.slow_start = slow_start;
  group.health_check.interval = interval;
  group.health_check.healthy_threshold = group.health_check.unhealthy_threshold = 1;
  return group;
}

// spec: alb.md 8.1.
TEST_F(EngineTest, ATargetThatComesBackBesideOthersStartsSlowly) {
  FakeTarget first;
  FakeTarget second;
  Start();
  Apply(Model({SlowlyStarting(Group("blue", {first.endpoint(), second.endpoint()}), std::chrono::seconds(300),
                              std::chrono::milliseconds(400))}));
  AwaitState(kHealthy, 0);
  const auto together = AwaitState(kHealthy, 1);
  EXPECT_FALSE(together->groups[0].slow_start) << "a batch of new targets has its shares at once";
  second.AnswerStatus(503);
  AwaitState(kUnhealthy, 1);
  second.AnswerStatus(200);
  const auto back = AwaitState(kHealthy, 1);
  EXPECT_TRUE(back->groups[0].slow_start);
  EXPECT_EQ(back->groups[0].targets[0].slow_start_since, WallTime{});
  EXPECT_EQ(back->groups[0].targets[1].slow_start_since, back->groups[0].targets[1].since);
  // With the only other one in slow start, nobody would bear the load.
  first.AnswerStatus(503);
  AwaitState(kUnhealthy, 0);
  first.AnswerStatus(200);
  EXPECT_EQ(AwaitState(kHealthy, 0)->groups[0].targets[0].slow_start_since, WallTime{});
}

TEST_F(EngineTest, ATargetThatHasStartedDoesNotStartAnewWhenThatTakesLonger) {
  FakeTarget first;
  FakeTarget second;
  Start();
  auto group = SlowlyStarting(Group("blue", {first.endpoint(), second.endpoint()}), std::chrono::seconds(1),
                              std::chrono::milliseconds(200));
  Apply(Model({group}));
  AwaitState(kHealthy, 0);
  AwaitState(kHealthy, 1);
  second.AnswerStatus(503);
  AwaitState(kUnhealthy, 1);
  second.AnswerStatus(200);
  const WallTime since = AwaitState(kHealthy, 1)->groups[0].targets[1].slow_start_since;
  ASSERT_NE(since, WallTime{});
  // No table says that a slow start is over: only time does.
  while (SystemClock().WallNow() - since <= group.slow_start) std::this_thread::yield();
  group.slow_start = std::chrono::seconds(900);
  Apply(Model({group}));
  const auto longer = Await([](const StatusTable& table) { return table.revision == 2; });
  EXPECT_FALSE(longer->groups[0].slow_start);
  EXPECT_EQ(longer->groups[0].targets[1].slow_start_since, WallTime{});
}

struct FaultRow {
  const char* name;
  Behaviour behaviour;
  const char* text;
  HealthState state;
  HealthReason reason;
};

class EngineFaultTest : public EngineTest, public ::testing::WithParamInterface<FaultRow> {};

TEST_P(EngineFaultTest, IsToldApart) {
  FakeTarget target;
  target.Set(GetParam().behaviour, GetParam().text);
  Start();
  auto group = Group("blue", {target.endpoint()});
  group.health_check.timeout = std::chrono::milliseconds(300);
  Apply(Model({group}));
  const auto table = AwaitState(GetParam().state);
  EXPECT_EQ(ToString(table->groups[0].targets[0].reason), ToString(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, EngineFaultTest,
    ::testing::Values(
        FaultRow{"hangs", Behaviour::kHang, "", kUnhealthy, HealthReason::kTimeout},
        FaultRow{"closes_early", Behaviour::kCloseEarly, "", kUnhealthy, HealthReason::kFailedHealthChecks},
        FaultRow{"resets", Behaviour::kReset, "", kUnhealthy, HealthReason::kFailedHealthChecks},
        FaultRow{"garbage", Behaviour::kAnswer, "220 smtp ready\r\n\r\n", kUnhealthy,
                 HealthReason::kFailedHealthChecks},
        FaultRow{"half_a_head", Behaviour::kAnswer, "HTTP/1.1 200 OK\r\nServer", kUnhealthy,
                 HealthReason::kFailedHealthChecks},
        FaultRow{"wrong_code", Behaviour::kAnswer, "HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", kUnhealthy,
                 HealthReason::kResponseCodeMismatch},
        FaultRow{"byte_by_byte", Behaviour::kByteByByte, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", kHealthy,
                 HealthReason::kNone},
        FaultRow{"interim_response_first", Behaviour::kAnswer,
                 "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", kHealthy,
                 HealthReason::kNone},
        FaultRow{"http_1_0", Behaviour::kAnswer, "HTTP/1.0 200 OK\r\n\r\nhello", kHealthy, HealthReason::kNone},
        FaultRow{"keeps_the_connection", Behaviour::kKeepOpen, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                 kHealthy, HealthReason::kNone},
        FaultRow{"never_ends_its_content", Behaviour::kKeepOpen, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
                 kHealthy, HealthReason::kNone}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(EngineTest, ARefusedConnectionIsAFailedCheck) {
  Start();
  Apply(Model({Group("blue", {RefusingEndpoint()})}));
  const auto table = AwaitState(kUnhealthy);
  EXPECT_EQ(table->groups[0].targets[0].reason, HealthReason::kFailedHealthChecks);
  EXPECT_EQ(table->groups[0].targets[0].description, "Health checks failed: connection refused");
  EXPECT_TRUE(table->groups[0].fail_open);
  EXPECT_EQ(Transitions()[0].seen, "connection refused");
}

struct SeenRow {
  const char* name;
  Behaviour behaviour;
  const char* text;
  const char* reason;
  const char* description;
};
class CheckSmallSeenTest : public EngineTest, public ::testing::WithParamInterface<SeenRow> {};

TEST_P(CheckSmallSeenTest, ADescriptionSaysWhatTheProbeSaw) {
  FakeTarget target;
  target.Set(GetParam().behaviour, GetParam().text);
  Start();
  auto group = Group("blue", {target.endpoint()});
  group.health_check.timeout = std::chrono::milliseconds(200);
  Apply(Model({group}));
  const auto table = AwaitState(kUnhealthy);
  EXPECT_EQ(ToString(table->groups[0].targets[0].reason), GetParam().reason);
  EXPECT_EQ(table->groups[0].targets[0].description, GetParam().description);
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckSmallSeenTest,
    ::testing::Values(SeenRow{"reset", Behaviour::kReset, "", "Target.FailedHealthChecks",
                              "Health checks failed: connection reset"},
                      SeenRow{"closed", Behaviour::kCloseEarly, "", "Target.FailedHealthChecks",
                              "Health checks failed: closed before a response"},
                      SeenRow{"hangs", Behaviour::kHang, "", "Target.Timeout", "Request timed out before a response"},
                      SeenRow{"code", Behaviour::kAnswer, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
                              "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(EngineTest, WhatIsNoHttpIsShownInTheDescription) {
  FakeTarget target;
  target.Set(Behaviour::kAnswer, "SSH-2.0-OpenSSH_9.2\r\n\x01\xff");
  Start();
  Apply(Model({Group("blue", {target.endpoint()})}));
  const auto table = AwaitState(kUnhealthy);
  const std::string& description = table->groups[0].targets[0].description;
  EXPECT_TRUE(description.starts_with("Health checks failed: malformed response (")) << description;
  EXPECT_NE(description.find("it began with \"SSH-2.0-OpenSSH_9.2\\x0d\\x0a"), std::string::npos) << description;
}

TEST_F(EngineTest, AHangingTargetDelaysNoOther) {
  FakeTarget hanging;
  FakeTarget well;
  hanging.Set(Behaviour::kHang);
  Start();
  auto group = Group("blue", {hanging.endpoint(), well.endpoint()});
  group.health_check.timeout = std::chrono::seconds(5);
  Apply(Model({group}));
  AwaitState(kHealthy, 1);
  well.AnswerStatus(500);
  AwaitState(kUnhealthy, 1);
  EXPECT_EQ(Now()->groups[0].targets[0].state, kInitial);
}

TEST_F(EngineTest, WaitingProbesGetTheirTurnWhenAHangingOneTimesOut) {
  FakeTarget hanging;
  FakeTarget well;
  hanging.Set(Behaviour::kHang);
  Start({.probes_in_flight_max = 1});
  auto group = Group("blue", {hanging.endpoint(), well.endpoint()});
  group.health_check.timeout = std::chrono::milliseconds(200);
  Apply(Model({group}));
  AwaitState(kHealthy, 1);
  AwaitState(kUnhealthy, 0);
}

TEST_F(EngineTest, TheCheckMayUseAPortOfItsOwn) {
  FakeTarget checked;
  Start();
  auto group = Group("blue", {RefusingEndpoint()});
  group.health_check.port = checked.endpoint().port;
  Apply(Model({group}));
  AwaitState(kHealthy);
}

TEST_F(EngineTest, ATcpCheckOnlyConnects) {
  FakeTarget target;
  target.Set(Behaviour::kCloseEarly);
  Start();
  auto group = Group("blue", {target.endpoint()});
  group.health_check.protocol = config::ProbeProtocol::kTcp;
  Apply(Model({group}));
  AwaitState(kHealthy);
  EXPECT_EQ(Transitions()[0].seen, "connected");
}

TEST_F(EngineTest, HttpsChecksDoNotValidateTheCertificate) {
  FakeTarget target(FakeTarget::Security::kTls);
  Start();
  auto group = Group("blue", {target.endpoint()});
  group.health_check.protocol = config::ProbeProtocol::kHttps;
  Apply(Model({group}));
  AwaitState(kHealthy);
  EXPECT_EQ(target.LastServerName(), "") << "an address is no server name";
}

TEST_F(EngineTest, HttpsChecksSpeakTlsAsTheRequestsOfTheirGroupDo) {
  FakeTarget target(FakeTarget::Security::kTls);
  Start();
  auto group = Group("blue", {target.endpoint()});
  group.health_check.protocol = config::ProbeProtocol::kHttps;
  net::TlsClientPlan plan;
  plan.policy = net::FindTlsPolicy("ELBSecurityPolicy-TLS13-1-0-2021-06");
  plan.server_name = "app.internal";
  Apply(Model({group}), {std::make_shared<const net::TlsClientPlan>(plan)});
  AwaitState(kHealthy);
  EXPECT_EQ(target.LastServerName(), "app.internal");
  plan.authorities = *net::TlsAuthorities::OfSystem();
  Apply(Model({group}), {std::make_shared<const net::TlsClientPlan>(plan)});
  const auto table = AwaitState(kUnhealthy);
  EXPECT_THAT(table->groups[0].targets[0].description, ::testing::HasSubstr("certificate"));
}

TEST_F(EngineTest, TlsToAPlainTargetIsAFailedCheck) {
  FakeTarget target;
  Start();
  auto group = Group("blue", {target.endpoint()});
  group.health_check.protocol = config::ProbeProtocol::kHttps;
  Apply(Model({group}));
  EXPECT_EQ(AwaitState(kUnhealthy)->groups[0].targets[0].reason, HealthReason::kFailedHealthChecks);
}

TEST_F(EngineTest, AnUnusedGroupIsNotProbed) {
  FakeTarget target;
  Start();
  auto group = Group("blue", {target.endpoint()});
  group.in_use = false;
  Apply(Model({group, Group("green", {target.endpoint()})}));
  AwaitState(kHealthy, 0, 1);
  EXPECT_EQ(Now()->groups[0].targets[0].state, kUnused);
  EXPECT_EQ(Now()->groups[0].targets[0].reason, HealthReason::kNotInUse);
  group.in_use = true;
  Apply(Model({group}));
  AwaitState(kHealthy);
}

TEST_F(EngineTest, AReloadKeepsWhatIsKnown) {
  FakeTarget target;
  FakeTarget other;
  Start();
  Apply(Model({Group("blue", {target.endpoint()})}));
  const auto before = AwaitState(kHealthy);
  target.Set(Behaviour::kHang);
  Apply(Model({Group("green", {other.endpoint()}), Group("blue", {other.endpoint(), target.endpoint()})}));
  const auto after = Now();
  EXPECT_EQ(after->revision, 2U);
  const TargetStatus& kept = after->groups[1].targets[1];
  EXPECT_EQ(kept.state, kHealthy);
  EXPECT_EQ(kept.since, before->groups[0].targets[0].since);
  EXPECT_EQ(kept.observations, before->groups[0].targets[0].observations);
  EXPECT_EQ(after->groups[1].targets[0].state, kInitial);
}

TEST_F(EngineTest, AChangedCheckKeepsTheStateUntilItDecides) {
  FakeTarget target;
  Start();
  auto group = Group("blue", {target.endpoint()});
  Apply(Model({group}));
  AwaitState(kHealthy);
  group.health_check.matcher.ranges = {{204, 204}};
  group.health_check.unhealthy_threshold = 3;
  Apply(Model({group}));
  EXPECT_EQ(Now()->groups[0].targets[0].state, kHealthy);
  AwaitState(kUnhealthy);
}

TEST_F(EngineTest, ARemovedTargetDrainsAndVanishes) {
  FakeTarget target;
  FakeTarget stays;
  Start();
  auto group = Group("blue", {target.endpoint(), stays.endpoint()});
  group.deregistration_delay = std::chrono::seconds(1);
  Apply(Model({group}));
  AwaitState(kHealthy, 0);
  AwaitState(kHealthy, 1);
  group.targets.erase(group.targets.begin());
  Apply(Model({group}));
  const auto draining = Now();
  ASSERT_EQ(draining->groups[0].targets.size(), 2U);
  EXPECT_EQ(draining->groups[0].targets[0].endpoint, stays.endpoint());
  EXPECT_EQ(draining->groups[0].targets[1].state, kDraining);
  EXPECT_EQ(draining->groups[0].targets[1].reason, HealthReason::kDeregistrationInProgress);
  EXPECT_TRUE(draining->groups[0].targets[1].deregistered);
  EXPECT_EQ(draining->groups[0].routable, std::vector<std::uint32_t>{0});
  Await([](const StatusTable& table) { return table.groups[0].targets.size() == 1; });
}

// spec: alb.md 10.3.
TEST_F(EngineTest, AZonalShiftIsPublishedAtOnceAndSurvivesApply) {
  FakeTarget target;
  FakeTarget stays;
  Engine& engine = Start();
  engine.ShiftAwayFrom("a");
  auto group = Group("blue", {target.endpoint(), stays.endpoint()});
  group.targets[0].zone = "a";
  group.targets[1].zone = "b";
  group.shift_zones = {"a", "b"};
  Apply(Model({group}));
  EXPECT_EQ(Now()->shifted_zone, "a");
  AwaitState(kHealthy, 0);
  EXPECT_EQ(AwaitState(kHealthy, 1)->groups[0].routable, std::vector<std::uint32_t>{1});
  engine.ShiftAwayFrom("b");
  EXPECT_EQ(Now()->groups[0].routable, std::vector<std::uint32_t>{0});
  EXPECT_EQ(Now()->groups[0].targets[1].zonal_override, ZonalOverride::kShiftActive);
  Apply(Model({group}));
  EXPECT_EQ(Now()->groups[0].routable, std::vector<std::uint32_t>{0});
  engine.ShiftAwayFrom("");
  EXPECT_EQ(Now()->groups[0].routable.size(), 2U);
  EXPECT_EQ(Now()->shifted_zone, "");
}

TEST_F(EngineTest, ATargetThatComesBackWhileDrainingIsNew) {
  FakeTarget target;
  Start();
  const auto group = Group("blue", {target.endpoint()});
  Apply(Model({group}));
  AwaitState(kHealthy);
  auto emptied = group;
  emptied.targets.clear();
  Apply(Model({emptied}));
  EXPECT_EQ(Now()->groups[0].targets[0].state, kDraining);
  Apply(Model({group}));
  EXPECT_EQ(Now()->groups[0].targets[0].state, kInitial);
  EXPECT_FALSE(Now()->groups[0].targets[0].deregistered);
  AwaitState(kHealthy);
}

TEST_F(EngineTest, OverridesShowOverTheMeasuredStateAndSurviveReloads) {
  FakeTarget target;
  Engine& engine = Start();
  const auto model = Model({Group("blue", {target.endpoint()})});
  Apply(model);
  AwaitState(kHealthy);
  ASSERT_TRUE(engine.SetTargetOverride("blue", target.endpoint(), AdminState::kUnhealthy));
  EXPECT_EQ(Now()->groups[0].targets[0].state, kUnhealthy);
  EXPECT_EQ(Now()->groups[0].targets[0].measured_state, kHealthy);
  Apply(model);
  EXPECT_EQ(Now()->groups[0].targets[0].admin_state, AdminState::kUnhealthy);
  ASSERT_EQ(engine.Overrides().size(), 1U);
  EXPECT_EQ(engine.Overrides()[0].id, target.endpoint().ToString());
  ASSERT_TRUE(engine.SetTargetOverride("blue", target.endpoint(), AdminState::kDraining));
  EXPECT_TRUE(Now()->groups[0].routable.empty());
  ASSERT_TRUE(engine.SetTargetOverride("blue", target.endpoint(), AdminState::kMeasured));
  EXPECT_EQ(Now()->groups[0].targets[0].state, kHealthy);
  EXPECT_TRUE(engine.Overrides().empty());
}

TEST_F(EngineTest, AnOverrideGoesWithItsTarget) {
  FakeTarget target;
  Engine& engine = Start();
  Apply(Model({Group("blue", {target.endpoint()})}));
  ASSERT_TRUE(engine.SetTargetOverride("blue", target.endpoint(), AdminState::kHealthy));
  Apply(Model({Group("blue", {})}));
  EXPECT_TRUE(engine.Overrides().empty());
  EXPECT_FALSE(engine.SetTargetOverride("blue", target.endpoint(), AdminState::kHealthy)) << "it only drains";
}

TEST_F(EngineTest, AnOverrideOfSomethingUnknownSaysWhatIsNear) {
  Engine& engine = Start();
  Apply(Model({Group("blue", {*Endpoint::Parse("127.0.0.1:9001")})}));
  const auto no_group = engine.SetTargetOverride("blu", *Endpoint::Parse("127.0.0.1:9001"), AdminState::kHealthy);
  ASSERT_FALSE(no_group);
  EXPECT_EQ(no_group.error().hint, "did you mean 'blue'?");
  const auto no_target = engine.SetTargetOverride("blue", *Endpoint::Parse("127.0.0.1:9002"), AdminState::kHealthy);
  ASSERT_FALSE(no_target);
  EXPECT_EQ(no_target.error().hint, "did you mean 127.0.0.1:9001?");
}

TEST_F(EngineTest, PublishesAtMostTenTablesASecond) {
  FakeTarget target;
  Start();
  auto group = Group("blue", {target.endpoint()});
  group.health_check.interval = std::chrono::milliseconds(20);
  group.health_check.unhealthy_threshold = 1;
  group.health_check.healthy_threshold = 1;
  Apply(Model({group}));
  for (int i = 0; i < 6; ++i) {
    AwaitState(kHealthy);
    target.AnswerStatus(500);
    AwaitState(kUnhealthy);
    target.AnswerStatus(200);
  }
  const auto times = PublicationTimes();
  // The first is Apply's own.
  for (std::size_t i = 2; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], std::chrono::milliseconds(90)) << i;
  }
}

TEST_F(EngineTest, CountsProbes) {
  FakeTarget target;
  Engine& engine = Start();
  Apply(Model({Group("blue", {target.endpoint(), RefusingEndpoint()})}));
  AwaitState(kHealthy, 0);
  AwaitState(kUnhealthy, 1);
  const ProbeCounters counters = engine.probe_counters();
  EXPECT_GE(counters.succeeded, 1U);
  EXPECT_GE(counters.failed, 2U);
  EXPECT_GE(counters.sent, counters.succeeded + counters.failed);
  EXPECT_EQ(counters.transitions, Transitions().size());
}

TEST_F(EngineTest, StopsWithProbesUnderWay) {
  FakeTarget hanging;
  hanging.Set(Behaviour::kHang);
  Engine& engine = Start();
  Apply(Model({Group("blue", {hanging.endpoint()})}));
  while (engine.probe_counters().in_flight == 0) std::this_thread::yield();
  engine.Stop();
  EXPECT_FALSE(engine.SetTargetOverride("blue", hanging.endpoint(), AdminState::kHealthy));
  EXPECT_TRUE(engine.Overrides().empty());
}

}  // namespace
}  // namespace weir::health
