// CIDR records (spec: dns.md 3.3, IP-based) as clients see them.

#include "base/ip_address.h"
#include "base/random.h"
#include "dns/policy/selection.h"
#include "tests/dns/dns_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::dns::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum config::RoutingPolicy;

constexpr const char* kName = "ip.example.test.";

std::string Address(std::size_t number) { return "192.0.2." + std::to_string(number); }

// A record of the location; its answer is its number.
config::RecordSet Record(std::size_t number, std::optional<std::uint32_t> location, RecordOptions options = {}) {
  if (options.alias.empty()) options.values = {Address(number)};
  options.policy = kCidr;
  options.set = "s" + std::to_string(number);
  options.cidr = config::CidrRoute{.collection = 0, .location = location};
  return MakeRecord(kName, rr::kA, std::move(options));
}

// Locations 0 to 2, one inside the other, and 3 elsewhere and in IPv6.
void AddOffices(config::Model& model) {
  AddCollection(model, "offices",
                {{"region", {"10.0.0.0/8"}},
                 {"site", {"10.1.0.0/16"}},
                 {"floor", {"10.1.2.0/24", "10.1.2.128/25"}},
                 {"v6", {"2001:db8::/32", "203.0.113.0/24"}}});
}

// Records 1 to 4 of the locations 0 to 3 and, if asked for, 9 for `*`, each with the check of its place.
config::Model Model(bool with_default) {
  config::Model model;
  AddChecks(model, 5);
  AddOffices(model);
  std::vector<config::RecordSet> records;
  for (std::uint32_t i = 0; i < 4; ++i) records.push_back(Record(i + 1, i, {.check = i}));
  if (with_default) records.insert(records.begin(), Record(9, std::nullopt, {.check = 4}));
  model.zones = {MakeZone("example.test.", std::move(records))};
  return model;
}

std::unique_ptr<Response> AskFrom(Server& server, std::string_view block, std::string_view name = kName) {
  return server.Ask(name, rr::kA, {.edns = true, .options = SubnetOption(block)});
}

TEST(CidrSelectionTest, TheLongestBlockThatHoldsTheClientAnswers) {
  Server server(Model(true), 5);
  struct Row {
    const char* client;
    std::size_t answer;
    unsigned scope;
  };
  for (const Row& row : {
           Row{"10.9.0.0/24", 1, 13},
           Row{"10.1.9.0/24", 2, 21},
           Row{"10.1.2.0/24", 3, 25},
           Row{"10.1.2.200/32", 3, 25},
           Row{"10.1.2.0/23", 2, 25},  // shorter than the floor: it does not hold all of it
           Row{"10.0.0.0/7", 9, 16},
           Row{"192.0.2.0/24", 9, 5},
           Row{"203.0.113.7/32", 4, 24},
           Row{"2001:db8:7::/48", 4, 32},
           Row{"2001:db8::/31", 9, 32},
           Row{"2001:dead::/32", 9, 17},
       }) {
    const auto response = AskFrom(server, row.client);
    EXPECT_THAT(response->values(), ElementsAre(Address(row.answer))) << row.client;
    EXPECT_EQ(response->option(8)->at(3), row.scope) << row.client;
  }
}

TEST(CidrSelectionTest, WithoutASubnetTheResolverCounts) {
  Server server(Model(true), 5);
  const auto ask = [&](const QueryOptions& options, std::string_view resolver) {
    return server.Ask(kName, rr::kA, options, Transport::kUdp, resolver);
  };
  EXPECT_THAT(ask({}, "10.1.2.3")->values(), ElementsAre(Address(3)));
  EXPECT_THAT(ask({}, "::ffff:10.1.2.3")->values(), ElementsAre(Address(3)));
  EXPECT_THAT(ask({}, "192.0.2.1")->values(), ElementsAre(Address(9)));
  EXPECT_EQ(ask({.edns = true}, "10.1.2.3")->option(8), std::nullopt);
  // An empty subnet asks for exactly that, with scope 0.
  const auto empty = ask({.edns = true, .options = SubnetOption("0.0.0.0/0")}, "10.1.2.3");
  EXPECT_THAT(empty->values(), ElementsAre(Address(3)));
  EXPECT_EQ(empty->option(8)->at(3), 0);
}

TEST(CidrSelectionTest, UnhealthyRecordsGiveWayToShorterBlocksThenToTheRest) {
  struct Row {
    const char* name;
    std::vector<std::size_t> down;  // places of records: 4 is `*`
    std::size_t answer;
  };
  for (const Row& row : {
           Row{"all healthy", {}, 3},
           Row{"the floor", {2}, 2},
           Row{"the site is passed over", {1}, 3},
           Row{"floor and site", {2, 1}, 1},
           Row{"every block", {2, 1, 0}, 9},
           Row{"all that hold the client: the longest", {2, 1, 0, 4}, 3},
           Row{"all", {0, 1, 2, 3, 4}, 3},
       }) {
    Server server(Model(true), 5);
    for (const std::size_t place : row.down) server.status.checks[place].healthy = false;
    server.Publish();
    const auto response = AskFrom(server, "10.1.2.0/25");
    EXPECT_THAT(response->values(), ElementsAre(Address(row.answer))) << row.name;
    EXPECT_EQ(response->option(8)->at(3), 25) << row.name;  // the scope does not depend on health
  }
}

TEST(CidrSelectionTest, ALocationWithoutARecordGivesWayToo) {
  config::Model model;
  AddOffices(model);
  model.zones = {MakeZone("example.test.", {Record(1, 0), Record(9, std::nullopt)})};
  Server server(std::move(model));
  EXPECT_THAT(AskFrom(server, "10.1.2.0/24")->values(), ElementsAre(Address(1)));
  EXPECT_THAT(AskFrom(server, "203.0.113.0/24")->values(), ElementsAre(Address(9)));
}

TEST(CidrSelectionTest, NobodyToAnswerIsNoData) {
  Server server(Model(false), 5);
  const auto response = AskFrom(server, "192.0.2.0/24");
  EXPECT_EQ(response->rcode(), Rcode::kNoError);
  EXPECT_THAT(response->answer, IsEmpty());
  ASSERT_THAT(response->authority, SizeIs(1));
  EXPECT_EQ(response->authority[0].type, rr::kSoa);
  // Others have an answer: a cache may keep "no data" only for this client's network.
  EXPECT_EQ(response->option(8)->at(3), 5);
  // Health elsewhere in the group changes nothing.
  for (auto& check : server.status.checks) check.healthy = false;
  server.Publish();
  EXPECT_THAT(AskFrom(server, "192.0.2.0/24")->answer, IsEmpty());
  EXPECT_THAT(AskFrom(server, "10.1.2.0/24")->values(), ElementsAre(Address(3)));
}

TEST(CidrSelectionTest, FailOpenIsOfTheRecordsForTheClient) {
  Server server(Model(false), 5);
  server.status.checks[3].healthy = false;  // the only one for 203.0.113.0/24; others of the group are healthy
  server.Publish();
  EXPECT_THAT(AskFrom(server, "203.0.113.0/24")->values(), ElementsAre(Address(4)));
}

TEST(CidrSelectionTest, AliasTreesAreWalkedAndTheLongestScopeCounts) {
  config::Model model;
  AddChecks(model, 1);
  AddOffices(model);
  AddCollection(model, "halves", {{"low", {"0.0.0.0/1"}}});
  auto inner = Record(7, 0);
  auto inner_rest = Record(8, std::nullopt, {.check = 0});
  for (auto* record : {&inner, &inner_rest}) {
    record->name = "inner.example.test.";
    record->cidr->collection = 1;
  }
  model.zones = {
      MakeZone("example.test.", {Record(1, 0), Record(2, 1, {.alias = "inner.example.test.", .evaluate = true}),
                                 Record(9, std::nullopt, {.alias = "inner.example.test."}), inner, inner_rest})};
  Server server(std::move(model), 1);
  EXPECT_THAT(AskFrom(server, "10.1.0.0/24")->values(), ElementsAre(Address(7)));
  EXPECT_EQ(AskFrom(server, "10.1.0.0/24")->option(8)->at(3), 23);
  EXPECT_THAT(AskFrom(server, "192.0.2.0/24")->values(), ElementsAre(Address(8)));
  EXPECT_EQ(AskFrom(server, "192.0.2.0/24", "inner.example.test.")->option(8)->at(3), 1);
  // A healthy member makes the alias healthy, whoever it answers.
  server.status.checks[0].healthy = false;
  server.Publish();
  EXPECT_THAT(AskFrom(server, "10.1.0.0/24")->values(), ElementsAre(Address(7)));
}

TEST(CidrSelectionTest, ATailoredCnameKeepsItsScopeWhereverItLeads) {
  config::Model model;
  AddOffices(model);
  auto cname = Record(1, 0);
  cname.type = rr::kCname;
  cname.values[0].text = "nowhere.example.test.";
  model.zones = {MakeZone("example.test.", {cname})};
  Server server(std::move(model));
  const auto response = AskFrom(server, "10.9.0.0/24");
  EXPECT_EQ(response->rcode(), Rcode::kNxDomain);
  EXPECT_THAT(response->answer, SizeIs(1));
  EXPECT_EQ(response->option(8)->at(3), 13);
  EXPECT_THAT(AskFrom(server, "192.0.2.0/24")->answer, IsEmpty());
}

TEST(CidrSelectionTest, EachGroupReadsItsOwnCollection) {
  auto model = Model(true);
  AddCollection(model, "others", {{"x", {"10.0.0.0/8"}}});
  auto stray = Record(5, std::nullopt);
  stray.cidr = config::CidrRoute{.collection = 1, .location = 0};
  stray.name = "other.example.test.";
  ChangeZone(model).records.push_back(stray);
  Server server(std::move(model), 5);
  EXPECT_THAT(AskFrom(server, "10.1.2.0/24", "other.example.test.")->values(), ElementsAre(Address(5)));
  EXPECT_THAT(AskFrom(server, "10.1.2.0/24")->values(), ElementsAre(Address(3)));
}

// ---- against an independent reading, on random collections and health

struct Network {
  CidrBlock block;
  std::uint32_t location = 0;
};

// The answer's number; 0: none.
std::size_t Expected(const std::vector<Network>& networks, const std::map<std::uint32_t, bool>& health_of_location,
                     std::optional<bool> default_health, const CidrBlock& client) {
  std::vector<std::pair<std::size_t, bool>> candidates;  // number and health, in the order of preference
  for (unsigned bits = client.prefix_bits() + 1; bits-- > 0;) {
    for (const Network& network : networks) {
      const auto record = health_of_location.find(network.location);
      if (record == health_of_location.end() || network.block != CidrBlock::Of(client.address(), bits)) continue;
      candidates.emplace_back(network.location + 1, record->second);
    }
  }
  if (default_health) candidates.emplace_back(99, *default_health);
  for (const auto& [number, healthy] : candidates) {
    if (healthy) return number;
  }
  return candidates.empty() ? 0 : candidates.front().first;
}

TEST(CidrSelectionTest, AgreesWithBruteForceAndNoScopeTellsALie) {
  Random random(11);
  for (int round = 0; round < 3; ++round) {
    std::map<CidrBlock, std::uint32_t> owners;
    constexpr std::uint32_t kLocations = 4;
    for (int i = 0; i < 14; ++i) {
      const auto bits = static_cast<unsigned>(24 + random.Below(9));
      const IpAddress address = IpAddress::V4({10, 0, 0, static_cast<std::uint8_t>(random.Below(256))});
      owners.emplace(CidrBlock::Of(address, bits), static_cast<std::uint32_t>(random.Below(kLocations)));
    }
    config::Model model;
    AddChecks(model, kLocations + 1);
    std::vector<std::pair<std::string, std::vector<std::string>>> locations(kLocations);
    std::vector<Network> networks;
    for (const auto& [block, location] : owners) {
      locations[location].second.push_back(block.ToString());
      networks.push_back({block, location});
    }
    AddCollection(model, "random", locations);
    std::vector<config::RecordSet> records;
    std::map<std::uint32_t, bool> healthy;
    for (std::uint32_t i = 0; i < kLocations; ++i) {
      if (random.Below(4) == 0) continue;
      healthy[i] = random.Below(3) != 0;
      records.push_back(Record(i + 1, i, {.check = i}));
    }
    std::optional<bool> default_health;
    if (records.empty() || random.Below(2) == 0) {
      default_health = random.Below(2) == 0;
      records.push_back(Record(99, std::nullopt, {.check = kLocations}));
    }
    model.zones = {MakeZone("example.test.", std::move(records))};
    Server server(std::move(model), kLocations + 1);
    for (const auto& [location, up] : healthy) server.status.checks[location].healthy = up;
    server.status.checks[kLocations].healthy = default_health.value_or(true);
    server.Publish();

    std::array<std::size_t, 256> answers{};
    std::array<unsigned, 256> scopes{};
    for (unsigned last = 0; last < 256; ++last) {
      const IpAddress address = IpAddress::V4({10, 0, 0, static_cast<std::uint8_t>(last)});
      for (const unsigned bits : {32U, 27U}) {
        if (bits == 27 && last % 32 != 0) continue;
        const auto client = CidrBlock::Of(address, bits);
        const auto response = AskFrom(server, client.ToString());
        const std::size_t expected = Expected(networks, healthy, default_health, client);
        const auto values = response->values();
        ASSERT_EQ(values.empty() ? "" : values[0], expected == 0 ? "" : Address(expected)) << client.ToString();
        if (bits != 32) continue;
        answers[last] = expected;
        scopes[last] = response->option(8)->at(3);
      }
    }
    for (unsigned a = 0; a < 256; ++a) {
      ASSERT_GE(scopes[a], 24U);
      const unsigned size = 1U << (32 - scopes[a]);
      for (unsigned b = a / size * size; b < (a / size + 1) * size; ++b) {
        if (answers[a] != answers[b] || scopes[a] != scopes[b])
          ADD_FAILURE() << "/" << scopes[a] << ": " << a << ", " << b;
      }
    }
  }
}

}  // namespace
}  // namespace weir::dns::testing
