#include "dns/policy/selection.h"

#include "tests/dns/dns_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace weir::dns::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum config::RoutingPolicy;

std::string SelectionAddress(std::size_t number) { return "192.0.2." + std::to_string(number); }

RecordOptions Weighted(std::size_t number, std::uint32_t weight, std::optional<std::uint32_t> check = {}) {
  return {.values = {SelectionAddress(number)},
          .policy = kWeighted,
          .set = "s" + std::to_string(number),
          .weight = weight,
          .check = check};
}

// Counts which value answers `queries` times.
std::map<std::string, int> Draw(Server& server, int queries) {
  std::map<std::string, int> counts;
  for (int i = 0; i < queries; ++i) ++counts[server.Ask("w.example.test.", rr::kA)->answer.at(0).value];
  return counts;
}

// ---- spec: dns.md 3.3, failover truth table

TEST(FailoverTest, FollowsTheTruthTable) {
  struct Row {
    const char* name;
    bool primary_up, secondary_up, secondary_checked;
    const char* answer;
  };
  for (const Row& row :
       {Row{"up, up", true, true, true, "192.0.2.1"}, Row{"up, down", true, false, true, "192.0.2.1"},
        Row{"down, up", false, true, true, "192.0.2.2"}, Row{"down, down", false, false, true, "192.0.2.1"},
        Row{"down, no check", false, true, false, "192.0.2.2"}}) {
    config::Model model;
    AddChecks(model, 2);
    RecordOptions secondary{
        .values = {SelectionAddress(2)}, .policy = kFailover, .set = "s", .failover = config::FailoverRole::kSecondary};
    if (row.secondary_checked) secondary.check = 1;
    // The secondary first: the role counts, not the order of the file.
    model.zones = {MakeZone(
        "example.test.", {MakeRecord("f.example.test.", rr::kA, secondary),
                          MakeRecord("f.example.test.", rr::kA,
                                     {.values = {SelectionAddress(1)}, .policy = kFailover, .set = "p", .check = 0})})};
    Server server(std::move(model), 2);
    server.status.checks[0].healthy = row.primary_up;
    server.status.checks[1].healthy = row.secondary_up;
    server.Publish();
    EXPECT_THAT(server.Ask("f.example.test.", rr::kA)->values(), ElementsAre(row.answer)) << row.name;
  }
}

// ---- weighted

TEST(WeightedTest, SharesAreExact) {
  for (std::uint64_t seed = 1; seed < 6; ++seed) {
    config::Model model;
    model.zones = {MakeZone("example.test.", {MakeRecord("w.example.test.", rr::kA, Weighted(1, 8)),
                                              MakeRecord("w.example.test.", rr::kA, Weighted(2, 2))})};
    Server server(std::move(model), 0, 0, seed);
    const auto counts = Draw(server, 10'000);
    EXPECT_NEAR(counts.at(SelectionAddress(1)), 8'000, 2);
    EXPECT_NEAR(counts.at(SelectionAddress(2)), 2'000, 2);
  }
}

TEST(WeightedTest, TheRestSharesWhatAnUnhealthyMemberHad) {
  config::Model model;
  AddChecks(model, 3);
  model.zones = {MakeZone("example.test.", {MakeRecord("w.example.test.", rr::kA, Weighted(1, 10, 0)),
                                            MakeRecord("w.example.test.", rr::kA, Weighted(2, 20, 1)),
                                            MakeRecord("w.example.test.", rr::kA, Weighted(3, 20, 2))})};
  Server server(std::move(model), 3);
  server.status.checks[2].healthy = false;
  server.Publish();
  const auto counts = Draw(server, 3'000);  // spec: dns.md 3.2, weights 10/20/20 with one 20 down
  EXPECT_NEAR(counts.at(SelectionAddress(1)), 1'000, 3);
  EXPECT_EQ(counts.count(SelectionAddress(3)), 0U);
}

TEST(WeightedTest, WeightZeroAnswersOnlyWhenNoOtherIsHealthy) {
  struct Row {
    const char* name;
    std::vector<std::uint32_t> weights;
    std::vector<bool> up;
    std::vector<std::size_t> drawn;
  };
  const std::vector<Row> rows = {
      {"zero beside a weight", {0, 5}, {true, true}, {2}},
      {"the weight is down", {0, 5, 0}, {true, false, true}, {1, 3}},
      {"all zero: equal", {0, 0}, {true, true}, {1, 2}},
      {"all zero, one down", {0, 0}, {false, true}, {2}},
      {"all down: as if healthy", {0, 5, 5}, {false, false, false}, {2, 3}},
      {"all zero and down", {0, 0}, {false, false}, {1, 2}},
  };
  for (const auto& row : rows) {
    config::Model model;
    AddChecks(model, row.weights.size());
    std::vector<config::RecordSet> records;
    for (std::uint32_t i = 0; i < row.weights.size(); ++i)
      records.push_back(MakeRecord("w.example.test.", rr::kA, Weighted(i + 1, row.weights[i], i)));
    model.zones = {MakeZone("example.test.", std::move(records))};
    Server server(std::move(model), row.weights.size());
    for (std::size_t i = 0; i < row.up.size(); ++i) server.status.checks[i].healthy = row.up[i];
    server.Publish();
    const auto counts = Draw(server, 100);
    ASSERT_THAT(counts, SizeIs(row.drawn.size())) << row.name;
    for (const auto number : row.drawn)
      EXPECT_EQ(counts.at(SelectionAddress(number)), 100 / static_cast<int>(row.drawn.size())) << row.name;
  }
}

// ---- multivalue and simple

TEST(MultivalueTest, AnswersUpToEightHealthyOnes) {
  config::Model model;
  AddChecks(model, 12);
  std::vector<config::RecordSet> records;
  for (std::uint32_t i = 0; i < 12; ++i) {
    records.push_back(MakeRecord("m.example.test.", rr::kA,
                                 {.values = {SelectionAddress(i + 1)},
                                  .ttl = 60 - i,
                                  .policy = kMultivalue,
                                  .set = "s" + std::to_string(i),
                                  .check = i}));
  }
  model.zones = {MakeZone("example.test.", std::move(records))};
  Server server(std::move(model), 12);
  std::map<std::string, int> seen;
  for (int i = 0; i < 300; ++i) {
    const auto response = server.Ask("m.example.test.", rr::kA);
    ASSERT_THAT(response->answer, SizeIs(8));
    for (const auto& record : response->answer) {
      ++seen[record.value];
      EXPECT_EQ(record.ttl, response->answer[0].ttl);  // RFC 2181 5.2
    }
  }
  EXPECT_THAT(seen, SizeIs(12));
  for (const auto& [value, count] : seen) EXPECT_NEAR(count, 200, 60) << value;
  for (std::size_t i = 3; i < 12; ++i) server.status.checks[i].healthy = false;
  server.Publish();
  EXPECT_THAT(server.Ask("m.example.test.", rr::kA)->values(),
              ElementsAre(SelectionAddress(1), SelectionAddress(2), SelectionAddress(3)));
  for (auto& check : server.status.checks) check.healthy = false;
  server.Publish();
  EXPECT_THAT(server.Ask("m.example.test.", rr::kA)->answer, SizeIs(8));
}

TEST(SimpleTest, AFailingCheckDoesNotTakeTheOnlyRecordAway) {
  config::Model model;
  AddChecks(model, 1);
  model.zones = {MakeZone("example.test.",
                          {MakeRecord("s.example.test.", rr::kA, {.values = {SelectionAddress(1)}, .check = 0})})};
  Server server(std::move(model), 1);
  server.status.checks[0].healthy = false;
  server.Publish();
  EXPECT_THAT(server.Ask("s.example.test.", rr::kA)->values(), ElementsAre(SelectionAddress(1)));
}

TEST(SimpleTest, EveryValueComesFirstSometimes) {
  config::Model model;
  model.zones = {MakeZone("example.test.",
                          {MakeRecord("w.example.test.", rr::kA,
                                      {.values = {SelectionAddress(1), SelectionAddress(2), SelectionAddress(3)}})})};
  Server server(std::move(model));
  EXPECT_THAT(Draw(server, 200), SizeIs(3));
}

// ---- aliases

TEST(AliasTest, ALoadBalancerAnswersItsAddressesOfTheFamily) {
  config::Model model;
  AddBalancer(model, "shop", {"192.0.2.10", "2001:db8::10", "192.0.2.11"});
  AddBalancer(model, "old", {"192.0.2.20"});
  model.zones = {MakeZone("example.test.", {MakeRecord("a.example.test.", rr::kA, {.balancer = 0}),
                                            MakeRecord("a.example.test.", rr::kAaaa, {.balancer = 0}),
                                            MakeRecord("b.example.test.", rr::kAaaa, {.balancer = 1}),
                                            MakeRecord("c.example.test.", rr::kA, {.balancer = 1, .alias_ttl = 5}),
                                            MakeRecord("d.example.test.", rr::kA, {.alias = "c.example.test."})})};
  Server server(std::move(model), 0, 2);
  EXPECT_THAT(server.Ask("a.example.test.", rr::kA)->values(), ElementsAre("192.0.2.10", "192.0.2.11"));
  EXPECT_EQ(server.Ask("a.example.test.", rr::kA)->answer[0].ttl, 60U);
  EXPECT_THAT(server.Ask("a.example.test.", rr::kAaaa)->values(), ElementsAre("2001:db8::10"));
  const auto none = server.Ask("b.example.test.", rr::kAaaa);
  EXPECT_EQ(none->rcode(), Rcode::kNoError);
  EXPECT_THAT(none->answer, IsEmpty());
  EXPECT_THAT(none->authority, SizeIs(1));
  EXPECT_EQ(server.Ask("c.example.test.", rr::kA)->answer[0].ttl, 5U);
  EXPECT_EQ(server.Ask("d.example.test.", rr::kA)->answer[0].ttl, 5U);  // its target's
  EXPECT_EQ(server.Ask("d.example.test.", rr::kA)->answer[0].owner, "d.example.test.");
}

config::Model TreeModel(bool evaluate) {
  config::Model model;
  AddChecks(model, 3);
  AddBalancer(model, "shop", {"192.0.2.1"});
  model.zones = {MakeZone(
      "example.test.",
      {MakeRecord("top.example.test.", rr::kA,
                  {.policy = kFailover, .set = "p", .alias = "eu.example.test.", .evaluate = evaluate}),
       MakeRecord("top.example.test.", rr::kA,
                  {.values = {SelectionAddress(9)},
                   .policy = kFailover,
                   .set = "s",
                   .failover = config::FailoverRole::kSecondary,
                   .check = 2}),
       MakeRecord("eu.example.test.", rr::kA, {.policy = kFailover, .set = "p", .balancer = 0, .evaluate = true}),
       MakeRecord("eu.example.test.", rr::kA,
                  {.values = {SelectionAddress(2)},
                   .policy = kFailover,
                   .set = "s",
                   .failover = config::FailoverRole::kSecondary,
                   .check = 1})})};
  return model;
}

TEST(AliasTest, HealthLooksThroughTheWholeTreeAndEachGroupFailsOpen) {
  struct Row {
    const char* name;
    bool evaluate, balancer, second, last;
    std::size_t answer;
  };
  for (const Row& row :
       {Row{"all up", true, true, true, true, 1}, Row{"balancer down", true, false, true, true, 2},
        Row{"branch down", true, false, false, true, 9}, Row{"everything down", true, false, false, false, 1},
        Row{"not evaluated: committed to the branch", false, false, false, true, 1}}) {
    Server server(TreeModel(row.evaluate), 3, 1);
    server.status.load_balancers[0].healthy = row.balancer;
    server.status.checks[1].healthy = row.second;
    server.status.checks[2].healthy = row.last;
    server.Publish();
    EXPECT_THAT(server.Ask("top.example.test.", rr::kA)->values(), ElementsAre(SelectionAddress(row.answer)))
        << row.name;
  }
}

// spec: alb.md 10.2: an alias answers the zones that the status table says, all of them where it knows nothing.
TEST(AliasTest, ALoadBalancerWithZonesAnswersThoseThatAnswer) {
  config::Model model;
  AddBalancer(model, "shop", {"192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"});
  auto& nodes = model.load_balancers[0].nodes;
  nodes.resize(2);
  nodes[0].advertise = {IpAddress::Parse("192.0.2.1").value(), IpAddress::Parse("2001:db8::1").value()};
  nodes[1].advertise = {IpAddress::Parse("192.0.2.2").value(), IpAddress::Parse("192.0.2.3").value()};
  model.zones = {MakeZone("example.test.", {MakeRecord("www.example.test.", rr::kA, {.balancer = 0}),
                                            MakeRecord("www.example.test.", rr::kAaaa, {.balancer = 0})})};
  Server server(model, 0, 1);
  const auto ask = [&](std::uint16_t type) { return server.Ask("www.example.test.", type)->values(); };
  EXPECT_THAT(ask(rr::kA), ElementsAre("192.0.2.1", "192.0.2.2", "192.0.2.3")) << "nothing is known of the nodes";
  const auto set = [&](health::NodeStatus a, health::NodeStatus b) {
    server.status.load_balancers[0].nodes = {a, b};
    server.Publish();
  };
  set({}, {.healthy = false, .answers = false});
  EXPECT_THAT(ask(rr::kA), ElementsAre("192.0.2.1"));
  set({.healthy = false, .answers = false}, {});
  EXPECT_THAT(ask(rr::kA), ElementsAre("192.0.2.2", "192.0.2.3"));
  EXPECT_THAT(ask(rr::kAaaa), ElementsAre("2001:db8::1")) << "the zone that answers has no IPv6 address";
  set({.shifted = true, .answers = false}, {});
  EXPECT_THAT(ask(rr::kAaaa), ElementsAre()) << "not those of a zone that was left";
  EXPECT_EQ(server.Ask("www.example.test.", rr::kAaaa)->rcode(), Rcode::kNoError);
}

TEST(AliasTest, ChecksThatTheTableDoesNotHaveCountAsHealthy) {
  Server server(TreeModel(true), 0, 0);
  EXPECT_THAT(server.Ask("top.example.test.", rr::kA)->values(), ElementsAre(SelectionAddress(1)));
}

// ---- the whole of dns.md 3 against an independent reading of it, on random trees

struct Oracle {
  const config::Model& model;
  const health::StatusTable& status;

  [[nodiscard]] std::vector<const config::RecordSet*> Group(const std::string& name) const {
    std::vector<const config::RecordSet*> out;
    for (const auto& record : model.zones[0]->records) {
      if (record.name == name) out.push_back(&record);
    }
    return out;
  }
  [[nodiscard]] bool Healthy(const config::RecordSet& record) const {
    if (record.health_check && !status.checks[*record.health_check].healthy) return false;
    if (!record.alias || !record.alias->evaluate_target_health) return true;
    bool any = false;
    for (const auto* below : Group(record.alias->record)) any = any || Healthy(*below);
    return any;
  }
  // Every value that may answer.
  void Collect(const std::string& name, std::vector<std::string>& out) const {
    auto candidates = Group(name);
    std::vector<const config::RecordSet*> healthy;
    for (const auto* record : candidates) {
      if (Healthy(*record)) healthy.push_back(record);
    }
    if (!healthy.empty()) candidates = healthy;
    if (candidates[0]->policy == kFailover) {
      for (const auto* record : candidates) {
        if (record->failover == config::FailoverRole::kPrimary) candidates = {record};
      }
    } else if (candidates[0]->policy == kWeighted) {
      std::vector<const config::RecordSet*> heavy;
      for (const auto* record : candidates) {
        if (record->weight > 0) heavy.push_back(record);
      }
      if (!heavy.empty()) candidates = heavy;
    }
    for (const auto* record : candidates) {
      if (record->alias) {
        Collect(record->alias->record, out);
      } else {
        out.push_back(record->values[0].text);
      }
    }
  }
};

TEST(SelectionPropertyTest, RandomTreesAnswerWhatTheRulesAllow) {
  Random random(7);
  for (int round = 0; round < 60; ++round) {
    config::Model model;
    AddChecks(model, 6);
    std::vector<config::RecordSet> records;
    std::size_t leaf = 1;
    // Group n may alias to the groups behind it, so there is no cycle.
    constexpr std::size_t kGroups = 5;
    for (std::size_t group = 0; group < kGroups; ++group) {
      const bool failover = random.Below(2) == 0;
      const std::size_t members = failover ? 2 : 1 + random.Below(3);
      for (std::size_t i = 0; i < members; ++i) {
        RecordOptions options{.policy = failover ? kFailover : kWeighted,
                              .set = std::to_string(i),
                              .weight = static_cast<std::uint32_t>(random.Below(3)),
                              .failover = i == 0 ? config::FailoverRole::kPrimary : config::FailoverRole::kSecondary};
        if (random.Below(2) == 0) options.check = static_cast<std::uint32_t>(random.Below(6));
        if (group + 1 < kGroups && random.Below(2) == 0) {
          options.alias = "g" + std::to_string(group + 1 + random.Below(kGroups - group - 1)) + ".example.test.";
          options.evaluate = random.Below(4) != 0;
        } else {
          options.values = {SelectionAddress(leaf++)};
        }
        records.push_back(MakeRecord("g" + std::to_string(group) + ".example.test.", rr::kA, options));
      }
    }
    model.zones = {MakeZone("example.test.", std::move(records))};
    const config::Model copy = model;
    Server server(std::move(model), 6);
    for (int turn = 0; turn < 8; ++turn) {
      for (auto& check : server.status.checks) check.healthy = random.Below(2) == 0;
      server.Publish();
      std::vector<std::string> allowed;
      Oracle{copy, server.status}.Collect("g0.example.test.", allowed);
      std::map<std::string, int> seen;
      for (int i = 0; i < 40; ++i) ++seen[server.Ask("g0.example.test.", rr::kA)->answer.at(0).value];
      for (const auto& [value, count] : seen) EXPECT_THAT(allowed, ::testing::Contains(value)) << "round " << round;
      for (const auto& value : allowed) EXPECT_EQ(seen.count(value), 1U) << value << " round " << round;
    }
  }
}

// ---- latency

class LatencyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::path(::testing::TempDir()) / ("weir-latency-" + std::to_string(::getpid()) + ".csv");
  }
  void TearDown() override { std::filesystem::remove(path_); }
  config::Model Model(const std::string& csv) {
    std::ofstream(path_) << csv;
    config::Model model;
    AddChecks(model, 3);
    model.regions = {{"eu-west", 53.3, -6.2}, {"us-east", 38.9, -77.4}, {"ap", 35.6, 139.7}};
    model.latency.table = {path_.string(), {0, 7, 10}};
    std::vector<config::RecordSet> records;
    for (std::uint32_t i = 0; i < 3; ++i) {
      records.push_back(MakeRecord("l.example.test.", rr::kA,
                                   {.values = {SelectionAddress(i + 1)},
                                    .policy = kLatency,
                                    .set = model.regions[i].name,
                                    .region = i,
                                    .check = i}));
    }
    model.zones = {MakeZone("example.test.", std::move(records))};
    return model;
  }
  std::filesystem::path path_;
};

TEST_F(LatencyTest, TheLongestPrefixOfEachRegionCounts) {
  Server server(Model("client,region,ms\n"
                      "10.0.0.0/8,eu-west,50\n10.0.0.0/8,us-east,20 # near\n10.1.0.0/16,us-east,80\n"
                      "10.1.2.0/24,ap,10\n2001:db8::/32,ap,1.5\n\n"),
                3);
  struct Row {
    const char* client;
    std::size_t answer;
    unsigned scope;
  };
  for (const Row& row : {Row{"10.9.9.0/24", 2, 13}, Row{"10.1.9.0/24", 1, 21}, Row{"10.1.2.0/24", 3, 24},
                         Row{"10.0.0.0/24", 2, 16}, Row{"2001:db8:1::/48", 3, 32}, Row{"192.0.2.0/24", 1, 1},
                         // Shorter than the row: 10.1.2.0/24 does not hold it.
                         Row{"10.1.2.0/23", 1, 24}}) {
    const auto response = server.Ask("l.example.test.", rr::kA, {.edns = true, .options = SubnetOption(row.client)});
    EXPECT_THAT(response->values(), ElementsAre(SelectionAddress(row.answer))) << row.client;
    EXPECT_EQ(response->option(8)->at(3), row.scope) << row.client;
  }
  // Without a subnet the resolver's address counts; an empty subnet asks for exactly that, with scope 0.
  EXPECT_THAT(server.Ask("l.example.test.", rr::kA, {}, Transport::kUdp, "10.1.2.3")->values(),
              ElementsAre(SelectionAddress(3)));
  const auto empty = server.Ask("l.example.test.", rr::kA, {.edns = true, .options = SubnetOption("0.0.0.0/0")},
                                Transport::kUdp, "10.1.2.3");
  EXPECT_THAT(empty->values(), ElementsAre(SelectionAddress(3)));
  EXPECT_EQ(empty->option(8)->at(3), 0);
}

TEST_F(LatencyTest, UnhealthyRegionsGiveWayToTheNextBest) {
  Server server(Model("10.0.0.0/8,eu-west,50\n10.0.0.0/8,us-east,20\n10.0.0.0/8,ap,90\n"), 3);
  const auto ask = [&] { return server.Ask("l.example.test.", rr::kA, {}, Transport::kUdp, "10.0.0.1")->values(); };
  EXPECT_THAT(ask(), ElementsAre(SelectionAddress(2)));
  server.status.checks[1].healthy = false;
  server.Publish();
  EXPECT_THAT(ask(), ElementsAre(SelectionAddress(1)));
  server.status.checks[0].healthy = false;
  server.Publish();
  EXPECT_THAT(ask(), ElementsAre(SelectionAddress(3)));
  server.status.checks[2].healthy = false;
  server.Publish();
  EXPECT_THAT(ask(), ElementsAre(SelectionAddress(2)));  // lowest latency overall
}

// Inside one scope every address has the same answer: checked by brute force over a small space.
TEST_F(LatencyTest, ScopesNeverOverlapWithDifferentAnswers) {
  Server server(Model("10.0.0.0/24,eu-west,50\n10.0.0.0/25,us-east,20\n10.0.0.64/26,ap,5\n10.0.0.96/"
                      "30,eu-west,1\n10.0.0.200/32,us-east,1\n"),
                3);
  std::vector<std::string> answers;
  std::vector<unsigned> scopes;
  for (unsigned last = 0; last < 256; ++last) {
    const auto response = server.Ask("l.example.test.", rr::kA,
                                     {.edns = true, .options = SubnetOption("10.0.0." + std::to_string(last) + "/32")});
    answers.push_back(response->values().at(0));
    scopes.push_back(response->option(8)->at(3));
  }
  for (unsigned a = 0; a < 256; ++a) {
    ASSERT_GE(scopes[a], 24U);
    for (unsigned b = 0; b < 256; ++b) {
      if ((a ^ b) >> (32 - scopes[a]) != 0) continue;
      EXPECT_EQ(answers[a], answers[b]) << a << " " << b;
      EXPECT_EQ(scopes[a], scopes[b]) << a << " " << b;
    }
  }
}

// A cache that got the wide scope of one draw would keep its answer for everybody (RFC 7871 7.2.1).
TEST_F(LatencyTest, EveryDrawHasTheNarrowestScopeThatTheClientCouldGet) {
  auto model = Model("10.0.0.0/22,eu-west,50\n10.0.0.0/22,us-east,20\n10.0.128.0/17,ap,5\n");
  auto& records = ChangeZone(model).records;
  const auto weighted = [](const std::string& name, RecordOptions options) {
    options.policy = kWeighted;
    options.weight = 1;
    return MakeRecord(name, rr::kA, std::move(options));
  };
  records.push_back(weighted("w.example.test.", {.set = "near", .alias = "l.example.test."}));
  records.push_back(weighted("w.example.test.", {.values = {SelectionAddress(9)}, .set = "plain"}));
  // A draw behind a draw, and a failover between them.
  records.push_back(weighted("deep.example.test.", {.set = "a", .alias = "between.example.test."}));
  records.push_back(weighted("deep.example.test.", {.values = {SelectionAddress(8)}, .set = "b"}));
  records.push_back(MakeRecord("between.example.test.", rr::kA,
                               {.policy = kFailover, .set = "p", .alias = "w.example.test.", .evaluate = true}));
  records.push_back(MakeRecord("between.example.test.", rr::kA,
                               {.values = {SelectionAddress(7)},
                                .policy = kFailover,
                                .set = "s",
                                .failover = config::FailoverRole::kSecondary}));
  // What nobody can be given does not count.
  records.push_back(weighted("off.example.test.", {.set = "near", .alias = "l.example.test."}));
  records.push_back(weighted("off.example.test.", {.values = {SelectionAddress(6)}, .set = "plain"}));
  records[records.size() - 2].weight = 0;
  records.push_back(weighted("plain.example.test.", {.values = {SelectionAddress(5)}, .set = "a"}));
  records.push_back(weighted("plain.example.test.", {.values = {SelectionAddress(4)}, .set = "b"}));
  Server server(std::move(model), 3);
  const auto scopes_of = [&](const std::string& name, const std::string& client) {
    std::set<unsigned> scopes;
    std::set<std::string> answers;
    for (int i = 0; i < 40; ++i) {
      const auto response = server.Ask(name, rr::kA, {.edns = true, .options = SubnetOption(client)});
      scopes.insert(response->option(8)->at(3));
      answers.insert(response->values().at(0));
    }
    EXPECT_EQ(answers.size(), name.starts_with("off") ? 1U : name.starts_with("deep") ? 3U : 2U) << name;
    return scopes;
  };
  const auto alone = server.Ask("l.example.test.", rr::kA, {.edns = true, .options = SubnetOption("10.0.1.0/24")});
  const unsigned narrow = alone->option(8)->at(3);
  EXPECT_GE(narrow, 22U);
  for (const auto* name : {"w.example.test.", "deep.example.test."}) {
    EXPECT_EQ(scopes_of(name, "10.0.1.0/24"), std::set<unsigned>{narrow}) << name;
    const auto wide = server.Ask("l.example.test.", rr::kA, {.edns = true, .options = SubnetOption("10.0.129.0/24")});
    EXPECT_EQ(scopes_of(name, "10.0.129.0/24"), std::set<unsigned>{wide->option(8)->at(3)}) << name;
  }
  EXPECT_EQ(scopes_of("off.example.test.", "10.0.1.0/24"), std::set<unsigned>{0});
  EXPECT_EQ(scopes_of("plain.example.test.", "10.0.1.0/24"), std::set<unsigned>{0});
}

// What a CNAME leads to in the zone is part of the same response.
TEST_F(LatencyTest, DrawsOfCnamesHaveOneScopeToo) {
  auto model = Model("10.0.0.0/22,eu-west,50\n10.0.0.0/22,us-east,20\n");
  auto& records = ChangeZone(model).records;
  const auto cname = [&](const std::string& name, const std::string& set, const std::string& target) {
    records.push_back(MakeRecord(name, rr::kCname, {.values = {target}, .policy = kWeighted, .set = set, .weight = 1}));
  };
  cname("c.example.test.", "near", "l.example.test.");
  cname("c.example.test.", "away", "www.example.org.");
  records.push_back(MakeRecord("alias.example.test.", rr::kCname, {.alias = "c.example.test."}));
  records.push_back(MakeRecord("plain.example.test.", rr::kA, {.values = {SelectionAddress(9)}}));
  cname("d.example.test.", "one", "plain.example.test.");
  cname("d.example.test.", "other", "d.example.test.");  // a circle
  Server server(std::move(model), 3);
  const auto scopes_of = [&](const std::string& name, std::uint16_t type) {
    std::set<unsigned> scopes;
    for (int i = 0; i < 20; ++i) {
      const auto response = server.Ask(name, type, {.edns = true, .options = SubnetOption("10.0.1.0/24")});
      scopes.insert(response->option(8)->at(3));
    }
    return scopes;
  };
  EXPECT_EQ(scopes_of("c.example.test.", rr::kA), std::set<unsigned>{24});
  EXPECT_EQ(scopes_of("alias.example.test.", rr::kA), std::set<unsigned>{24});
  EXPECT_EQ(scopes_of("c.example.test.", rr::kCname), std::set<unsigned>{0});
  EXPECT_EQ(scopes_of("d.example.test.", rr::kA), std::set<unsigned>{0});
}

// Each level leads to the next by two ways: walked once for each way, this would take until the stars are cold.
TEST_F(LatencyTest, BranchesThatMeetAgainAreWalkedOnce) {
  auto model = Model("10.0.0.0/22,eu-west,50\n10.0.0.0/22,us-east,20\n");
  auto& records = ChangeZone(model).records;
  constexpr int kLevels = 60;
  for (int level = 0; level < kLevels; ++level) {
    const std::string next = level + 1 == kLevels ? "l" : "n" + std::to_string(level + 1);
    for (const auto* set : {"a", "b"}) {
      records.push_back(MakeRecord("n" + std::to_string(level) + ".example.test.", rr::kA,
                                   {.policy = kWeighted, .set = set, .weight = 1, .alias = next + ".example.test."}));
    }
  }
  Server server(std::move(model), 3);
  const auto response = server.Ask("n0.example.test.", rr::kA, {.edns = true, .options = SubnetOption("10.0.1.0/24")});
  EXPECT_GE(response->option(8)->at(3), 22);
}

TEST_F(LatencyTest, WrongLinesAreNamed) {
  const std::string errors =
      BuildErrors(Model("cidr,region,ms\n10.0.0.0/8,eu-wset,5\n10.0.0.1/8,ap,5\nx\n10.0.0.0/8,ap,-1\n10.0.0.0/"
                        "8,ap,1\n10.0.0.0/8,ap,2\n"));
  for (const char* part :
       {"7: ", "line 2: there is no region 'eu-wset'", "did you mean 'eu-west'",
        "line 3: '10.0.0.1/8' has host bits set", "line 4: 'x' does not have three fields",
        "line 5: '-1' is not a number of milliseconds", "line 7: 10.0.0.0/8 has a row for ap already"}) {
    EXPECT_THAT(errors, ::testing::HasSubstr(part));
  }
}

TEST_F(LatencyTest, MissingFilesAreReportedWhereTheyAreNamed) {
  auto model = Model("");
  model.latency.table.text = "/nonexistent/latency.csv";
  model.latency.geoip = {"/nonexistent/city.mmdb", {0, 8, 10}};
  EXPECT_THAT(BuildErrors(model),
              ::testing::AllOf(::testing::HasSubstr("7: cannot read /nonexistent/latency.csv: No such file"),
                               ::testing::HasSubstr("8: cannot read /nonexistent/city.mmdb")));
  auto table_as_database = Model("");
  table_as_database.latency.geoip = {path_.string(), {0, 8, 10}};
  EXPECT_THAT(BuildErrors(table_as_database), ::testing::HasSubstr("8: cannot read"));
}

}  // namespace
}  // namespace weir::dns::testing
