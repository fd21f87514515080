#include "base/counters.h"
#include "dns/answer.h"
#include "dns/response_counts.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"
#include "dns/zone/lookahead.h"
#include "tests/dns/dns_fixture.h"
#include "tests/support/allocation_count.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weir::dns::testing {
namespace {

using config::FailoverRole;
using config::RoutingPolicy;

// A zone with a record of every policy, governed by health checks, the first of which fails.
Server EveryPolicy() {
  config::Model model;
  model.regions = {{"eu-west", 53.3, -6.2}, {"us-east", 38.9, -77.4}};
  AddChecks(model, 4);
  AddBalancer(model, "shop", {"192.0.2.10", "2001:db8::10"});
  AddCollection(model, "offices", {{"hq", {"198.51.100.0/24", "2001:db8::/32"}}, {"lab", {"198.51.100.64/26"}}});
  std::vector<config::RecordSet> records = {
      MakeRecord("www.example.test.", rr::kA, {.values = {"192.0.2.1", "192.0.2.2"}}),
      MakeRecord("www.example.test.", rr::kAaaa, {.values = {"2001:db8::1"}}),
      MakeRecord("chain.example.test.", rr::kCname, {.values = {"www.example.test."}}),
      MakeRecord("*.wild.example.test.", rr::kTxt, {.values = {"\"text\""}}),
      MakeRecord("big.example.test.", rr::kTxt, {.values = std::vector<std::string>(40, std::string(200, 'x'))}),
      MakeRecord("child.example.test.", rr::kNs, {.values = {"ns.child.example.test."}}),
      MakeRecord("ns.child.example.test.", rr::kA, {.values = {"192.0.2.53"}}),
      MakeRecord("alias.example.test.", rr::kA, {.alias = "w.example.test.", .evaluate = true}),
      MakeRecord("lb.example.test.", rr::kA, {.balancer = 0, .evaluate = true}),
      MakeRecord("f.example.test.", rr::kA,
                 {.values = {"192.0.2.3"}, .policy = RoutingPolicy::kFailover, .set = "p", .check = 0}),
      MakeRecord("f.example.test.", rr::kA,
                 {.values = {"192.0.2.4"},
                  .policy = RoutingPolicy::kFailover,
                  .set = "s",
                  .failover = FailoverRole::kSecondary}),
  };
  for (std::uint32_t i = 0; i < 2; ++i) {
    const std::string set = "set" + std::to_string(i);
    records.push_back(
        MakeRecord("w.example.test.", rr::kA,
                   {.values = {"192.0.2.5"}, .policy = RoutingPolicy::kWeighted, .set = set, .weight = 1, .check = i}));
    records.push_back(
        MakeRecord("near.example.test.", rr::kA,
                   {.values = {"192.0.2.6"}, .policy = RoutingPolicy::kLatency, .set = set, .region = i, .check = i}));
    records.push_back(MakeRecord("by.example.test.", rr::kA,
                                 {.values = {"192.0.2.8"},
                                  .policy = RoutingPolicy::kCidr,
                                  .set = set,
                                  .cidr = config::CidrRoute{.collection = 0, .location = i},
                                  .check = i}));
    records.push_back(
        MakeRecord("many.example.test.", rr::kA,
                   {.values = {"192.0.2.7"}, .policy = RoutingPolicy::kMultivalue, .set = set, .check = i}));
  }
  model.zones = {MakeZone("example.test.", std::move(records))};
  return Server(std::move(model), 4, 1);
}

struct QueryRow {
  const char* name;
  const char* owner;
  std::uint16_t type;
  QueryOptions options = {};
};

std::vector<QueryRow> EveryKind() {
  return {
      {"static A", "www.example.test.", rr::kA},
      {"static AAAA", "www.example.test.", rr::kAaaa},
      {"EDNS", "WWW.example.test.", rr::kA, {.edns = true}},
      {"name server identifier", "www.example.test.", rr::kA, {.edns = true, .options = {0, 3, 0, 0}}},
      {"CNAME chain", "chain.example.test.", rr::kA},
      {"wildcard", "a.wild.example.test.", rr::kTxt},
      {"truncated", "big.example.test.", rr::kTxt},
      {"referral", "x.child.example.test.", rr::kA},
      {"NODATA", "www.example.test.", rr::kMx},
      {"NXDOMAIN", "no.example.test.", rr::kA},
      {"ANY", "www.example.test.", rr::kAny},
      {"SOA", "example.test.", rr::kSoa},
      {"NS", "example.test.", rr::kNs},
      {"refused", "elsewhere.example.", rr::kA},
      {"transfer", "example.test.", rr::kAxfr},
      {"another EDNS version", "www.example.test.", rr::kA, {.edns = true, .edns_ttl = 0x00010000}},
      {"malformed option", "www.example.test.", rr::kA, {.edns = true, .options = {0, 8, 0, 9}}},
      {"another opcode", "www.example.test.", rr::kA, {.flags = 0x2800}},
      {"a response", "www.example.test.", rr::kA, {.flags = 0x8000}},
      {"weighted", "w.example.test.", rr::kA},
      {"failover", "f.example.test.", rr::kA},
      {"multivalue", "many.example.test.", rr::kA},
      {"latency by client subnet",
       "near.example.test.",
       rr::kA,
       {.edns = true, .options = SubnetOption("198.51.100.0/24")}},
      {"CIDR by client subnet",
       "by.example.test.",
       rr::kA,
       {.edns = true, .options = SubnetOption("198.51.100.64/26")}},
      {"CIDR by client subnet, IPv6",
       "by.example.test.",
       rr::kA,
       {.edns = true, .options = SubnetOption("2001:db8:1::/48")}},
      {"CIDR without a block for the resolver", "by.example.test.", rr::kA},
      {"alias to a record", "alias.example.test.", rr::kA},
      {"alias to a load balancer", "lb.example.test.", rr::kA},
  };
}

TEST(AllocationTest, NoQueryOfAnyKindAllocates) {
  Server server = EveryPolicy();
  server.status.checks[0].healthy = false;
  server.Publish();
  CounterRegistry registry(1);
  ResponderCounters& counters = (*registry.responders())[0];
  std::vector<std::uint8_t> udp(kUdpPayloadMax);
  std::vector<std::uint8_t> tcp(kTcpMessageMax);
  const IpAddress client = IpAddress::Parse("192.0.2.53").value();
  const auto ask = [&](const std::vector<std::uint8_t>& message, Transport transport) {
    auto& out = transport == Transport::kUdp ? udp : tcp;
    const ClientQuery query{.message = message, .client = client, .transport = transport};
    CountResponse(counters.of(transport), server.zones().get(), 0, server.answerer.Answer(query, out));
  };
  for (const QueryRow& row : EveryKind()) {
    const auto message = EncodeQuery(row.owner, row.type, row.options);
    for (const Transport transport : {Transport::kUdp, Transport::kTcp}) {
      ask(message, transport);
      const std::size_t before = weir::testing::AllocationCount();
      for (int i = 0; i < 1'000; ++i) ask(message, transport);
      EXPECT_EQ(weir::testing::AllocationCount() - before, 0U) << row.name;
    }
  }
}

TEST(AllocationTest, ReadingAheadAllocatesNothingAndTakesAnyMessage) {
  const Server server = EveryPolicy();
  std::vector<std::vector<std::uint8_t>> messages = {{}, {0, 1, 2}, std::vector<std::uint8_t>(kHeaderBytes, 0)};
  for (const QueryRow& row : EveryKind()) {
    const auto whole = EncodeQuery(row.owner, row.type, row.options);
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      messages.emplace_back(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }
  const std::vector<std::span<const std::uint8_t>> pieces(messages.begin(), messages.end());
  EXPECT_GT(pieces.size(), 64U) << "more than are read together";
  const std::size_t before = weir::testing::AllocationCount();
  ReadAhead(*server.zones(), pieces);
  ReadAhead(*server.zones(), {});
  EXPECT_EQ(weir::testing::AllocationCount() - before, 0U);
}

TEST(AllocationTest, TheCountSeesAnAllocation) {
  const std::size_t before = weir::testing::AllocationCount();
  const auto text = std::make_unique<std::string>(100, 'x');
  EXPECT_GT(weir::testing::AllocationCount(), before);
}

}  // namespace
}  // namespace weir::dns::testing
