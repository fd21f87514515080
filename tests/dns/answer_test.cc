#include "dns/answer.h"

#include "tests/dns/dns_fixture.h"
#include "tests/support/allocation_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace weir::dns::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint16_t kQr = 0x8000, kAa = 0x0400, kTc = 0x0200, kRd = 0x0100, kRa = 0x0080, kZ = 0x0040, kAd = 0x0020,
                        kCd = 0x0010;

config::Model ExampleModel() {
  config::Model model;
  model.dns.emplace().nsid = "front-1";
  std::vector<config::RecordSet> records = {
      MakeRecord("ns1.example.test.", rr::kA, {.values = {"192.0.2.1"}}),
      MakeRecord("ns1.example.test.", rr::kAaaa, {.values = {"2001:db8::1"}}),
      MakeRecord("www.example.test.", rr::kA, {.values = {"192.0.2.10", "192.0.2.11"}}),
      MakeRecord("alias.example.test.", rr::kCname, {.values = {"www.example.test."}, .ttl = 60}),
      MakeRecord("chain.example.test.", rr::kCname, {.values = {"alias.example.test."}}),
      MakeRecord("loop1.example.test.", rr::kCname, {.values = {"loop2.example.test."}}),
      MakeRecord("loop2.example.test.", rr::kCname, {.values = {"loop1.example.test."}}),
      MakeRecord("away.example.test.", rr::kCname, {.values = {"www.example.org."}}),
      MakeRecord("dangling.example.test.", rr::kCname, {.values = {"nothing.example.test."}}),
      MakeRecord("a.b.c.example.test.", rr::kTxt, {.values = {"\"deep\""}}),
      MakeRecord("mail.example.test.", rr::kMx, {.values = {"10 mx1.example.test.", "20 mx2.example.org."}}),
      MakeRecord("_sip._udp.example.test.", rr::kSrv, {.values = {"10 5 5060 sip.example.test."}}),
      MakeRecord("example.test.", rr::kCaa, {.values = {"0 issue \"ca.example.net\""}}),
      MakeRecord("10.example.test.", rr::kPtr, {.values = {"www.example.test."}}),
      MakeRecord("odd.example.test.", 666, {.values = {"\\# 3 0A0B0C"}}),
      MakeRecord("child.example.test.", rr::kNs, {.values = {"ns.child.example.test.", "ns.elsewhere.org."}}),
      MakeRecord("ns.child.example.test.", rr::kA, {.values = {"192.0.2.99"}}),
      MakeRecord("big.example.test.", rr::kTxt, {.values = std::vector<std::string>(8, std::string(200, 'x'))}),
  };
  for (std::size_t i = 0; i < 8; ++i) records.back().values[i].text[0] = static_cast<char>('a' + i);
  model.zones = {MakeZone("example.test.", std::move(records)), MakeZone("sub.example.test.", {})};
  return model;
}

TEST(AnswerTest, GivesTheAddressesWithAaAndEchoedCase) {
  Server server(ExampleModel());
  const auto response = server.Ask("wWw.eXample.TEST.", rr::kA);
  EXPECT_EQ(response->rcode(), Rcode::kNoError);
  EXPECT_EQ(response->flags, kQr | kAa | kRd);
  EXPECT_EQ(response->question, "wWw.eXample.TEST.");
  EXPECT_THAT(response->values(), ElementsAre("192.0.2.10", "192.0.2.11"));
  EXPECT_EQ(response->answer[0].owner, "wWw.eXample.TEST.");
  EXPECT_EQ(response->answer[0].ttl, 300U);
  EXPECT_EQ(response->opt, nullptr);
  EXPECT_EQ(response->size, 12U + 22 + 2 * 16);  // owners are pointers
}

TEST(AnswerTest, EveryTypeRoundTrips) {
  Server server(ExampleModel());
  struct Row {
    const char* name;
    std::uint16_t type;
    std::vector<std::string> values;
  };
  const std::vector<Row> rows = {
      {"ns1.example.test.", rr::kAaaa, {"2001:db8::1"}},
      {"a.b.c.example.test.", rr::kTxt, {"\"deep\""}},
      {"mail.example.test.", rr::kMx, {"10 mx1.example.test.", "20 mx2.example.org."}},
      {"_sip._udp.example.test.", rr::kSrv, {"10 5 5060 sip.example.test."}},
      {"example.test.", rr::kCaa, {"0 issue \"ca.example.net\""}},
      {"10.example.test.", rr::kPtr, {"www.example.test."}},
      {"odd.example.test.", 666, {"\\# 3 0A0B0C"}},
      {"example.test.", rr::kNs, {"ns1.example.test.", "ns2.example.test."}},
      {"example.test.", rr::kSoa, {"ns1.example.test. hostmaster.example.test. 1 7200 900 1209600 60"}},
  };
  for (const auto& row : rows) {
    const auto response = server.Ask(row.name, row.type);
    EXPECT_EQ(response->values(), row.values) << row.name;
  }
}

TEST(AnswerTest, NegativeAnswersCarryTheSoaWithTheNegativeTtl) {
  Server server(ExampleModel());
  struct Row {
    const char* what;
    const char* name;
    std::uint16_t type;
    Rcode rcode;
  };
  for (const Row& row : {Row{"NXDOMAIN", "no.example.test.", rr::kA, Rcode::kNxDomain},
                         Row{"NODATA", "www.example.test.", rr::kMx, Rcode::kNoError},
                         Row{"type666", "www.example.test.", 666, Rcode::kNoError},
                         Row{"empty non-terminal (RFC 8020)", "b.c.example.test.", rr::kA, Rcode::kNoError},
                         Row{"below a leaf", "x.www.example.test.", rr::kA, Rcode::kNxDomain},
                         Row{"DS at an apex whose parent is ours", "sub.example.test.", rr::kDs, Rcode::kNxDomain}}) {
    const auto response = server.Ask(row.name, row.type);
    EXPECT_EQ(response->rcode(), row.rcode) << row.what;
    EXPECT_TRUE(response->flag(kAa)) << row.what;
    EXPECT_THAT(response->answer, IsEmpty()) << row.what;
    ASSERT_THAT(response->authority, SizeIs(1)) << row.what;
    EXPECT_EQ(response->authority[0].type, rr::kSoa) << row.what;
    EXPECT_EQ(response->authority[0].owner, "example.test.") << row.what;
    EXPECT_EQ(response->authority[0].ttl, 60U) << row.what;  // min(900, 60), RFC 2308 section 5
  }
}

TEST(AnswerTest, NamesOutsideAreRefused) {
  Server server(ExampleModel());
  for (const char* name : {"example.org.", "test.", ".", "notexample.test."}) {
    const auto response = server.Ask(name, rr::kA);
    EXPECT_EQ(response->rcode(), Rcode::kRefused) << name;
    EXPECT_FALSE(response->flag(kAa));
    EXPECT_THAT(response->authority, IsEmpty());
  }
  EXPECT_EQ(server.Ask("www.example.test.", rr::kA, {.record_class = 3})->rcode(), Rcode::kRefused);
  EXPECT_EQ(server.Ask("example.test.", rr::kAxfr, {}, Transport::kTcp)->rcode(), Rcode::kRefused);
}

TEST(AnswerTest, TheLongestZoneAnswers) {
  Server server(ExampleModel());
  const auto response = server.Ask("x.sub.example.test.", rr::kA);
  EXPECT_EQ(response->authority.at(0).owner, "sub.example.test.");
}

TEST(AnswerTest, CnamesAreFollowedInsideTheZone) {
  Server server(ExampleModel());
  auto response = server.Ask("chain.example.test.", rr::kA);
  ASSERT_THAT(response->answer, SizeIs(4));
  EXPECT_EQ(response->answer[0].value, "alias.example.test.");
  EXPECT_EQ(response->answer[1].owner, "alias.example.test.");
  EXPECT_EQ(response->answer[2].owner, "www.example.test.");
  EXPECT_THAT(server.Ask("chain.example.test.", rr::kCname)->values(), ElementsAre("alias.example.test."));

  response = server.Ask("away.example.test.", rr::kA);
  EXPECT_EQ(response->rcode(), Rcode::kNoError);
  EXPECT_THAT(response->values(), ElementsAre("www.example.org."));
  EXPECT_THAT(response->authority, IsEmpty());

  response = server.Ask("dangling.example.test.", rr::kA);  // RFC 6604 section 3
  EXPECT_EQ(response->rcode(), Rcode::kNxDomain);
  EXPECT_THAT(response->answer, SizeIs(1));
  EXPECT_THAT(response->authority, SizeIs(1));

  response = server.Ask("loop1.example.test.", rr::kA);
  EXPECT_EQ(response->rcode(), Rcode::kNoError);
  EXPECT_THAT(response->answer, SizeIs(2));
}

TEST(AnswerTest, DelegationsAreReferredWithGlue) {
  Server server(ExampleModel());
  for (const char* name : {"child.example.test.", "www.child.example.test.", "ns.child.example.test."}) {
    const auto response = server.Ask(name, rr::kA);
    EXPECT_EQ(response->rcode(), Rcode::kNoError);
    EXPECT_FALSE(response->flag(kAa)) << name;
    EXPECT_THAT(response->answer, IsEmpty());
    ASSERT_THAT(response->authority, SizeIs(2));
    EXPECT_EQ(response->authority[0].owner, "child.example.test.");
    EXPECT_EQ(response->authority[0].type, rr::kNs);
    ASSERT_THAT(response->additional, SizeIs(1));
    EXPECT_EQ(response->additional[0].value, "192.0.2.99");
  }
  const auto ds = server.Ask("child.example.test.", rr::kDs);  // RFC 4035 3.1.4.1
  EXPECT_TRUE(ds->flag(kAa));
  EXPECT_EQ(ds->authority.at(0).type, rr::kSoa);
}

TEST(AnswerTest, AReferralOverTcpHasAllGlueHoweverManyServersThereAre) {
  config::Model model;
  std::vector<std::string> servers;
  std::vector<config::RecordSet> records;
  for (int i = 0; i < 60; ++i) {
    servers.push_back("ns" + std::to_string(i) + ".child.example.test.");
    records.push_back(MakeRecord(servers.back(), rr::kA, {.values = {"192.0.2." + std::to_string(i)}}));
    records.push_back(MakeRecord(servers.back(), rr::kAaaa, {.values = {"2001:db8::" + std::to_string(i)}}));
  }
  records.push_back(MakeRecord("child.example.test.", rr::kNs, {.values = servers}));
  model.zones = {MakeZone("example.test.", std::move(records))};
  Server server(std::move(model));
  const auto tcp = server.Ask("www.child.example.test.", rr::kA, {}, Transport::kTcp);
  EXPECT_FALSE(tcp->flag(kTc));
  EXPECT_THAT(tcp->authority, SizeIs(60));
  ASSERT_THAT(tcp->additional, SizeIs(120));
  EXPECT_EQ(tcp->additional.front().value, "192.0.2.0");
  EXPECT_EQ(tcp->additional.back().value, "2001:db8::59");
  const auto udp = server.Ask("www.child.example.test.", rr::kA, {.edns = true});
  EXPECT_TRUE(udp->flag(kTc));
  EXPECT_THAT(udp->authority, IsEmpty());
}

TEST(AnswerTest, AnyGetsOneHinfo) {
  Server server(ExampleModel());
  EXPECT_THAT(server.Ask("www.example.test.", rr::kAny)->values(), ElementsAre("\"RFC8482\" \"\""));
  EXPECT_THAT(server.Ask("alias.example.test.", rr::kAny)->values(), ElementsAre("www.example.test."));
  EXPECT_EQ(server.Ask("no.example.test.", rr::kAny)->rcode(), Rcode::kNxDomain);
}

// RFC 4592 section 2.2.1, the example zone and its table of answers.
TEST(AnswerTest, WildcardsFollowRfc4592) {
  config::Model model;
  model.zones = {
      MakeZone("example.", {
                               MakeRecord("*.example.", rr::kTxt, {.values = {"\"this is a wildcard\""}}),
                               MakeRecord("*.example.", rr::kMx, {.values = {"10 host1.example."}}),
                               MakeRecord("sub.*.example.", rr::kTxt, {.values = {"\"not a wildcard\""}}),
                               MakeRecord("host1.example.", rr::kA, {.values = {"192.0.2.1"}}),
                               MakeRecord("_ssh._tcp.host1.example.", rr::kSrv, {.values = {"0 0 22 host1.example."}}),
                               MakeRecord("_ssh._tcp.host2.example.", rr::kSrv, {.values = {"0 0 22 host2.example."}}),
                               MakeRecord("subdel.example.", rr::kNs, {.values = {"ns.example.com."}}),
                           })};
  Server server(std::move(model));
  EXPECT_THAT(server.Ask("host3.example.", rr::kMx)->values(), ElementsAre("10 host1.example."));
  EXPECT_EQ(server.Ask("host3.example.", rr::kMx)->answer[0].owner, "host3.example.");
  auto no_data = server.Ask("host3.example.", rr::kA);
  EXPECT_EQ(no_data->rcode(), Rcode::kNoError);
  EXPECT_THAT(no_data->answer, IsEmpty());
  EXPECT_THAT(server.Ask("foo.bar.example.", rr::kTxt)->values(), ElementsAre("\"this is a wildcard\""));
  // Not synthesised: the name exists, exists as an empty non-terminal, or something closer exists.
  EXPECT_THAT(server.Ask("host1.example.", rr::kMx)->answer, IsEmpty());
  EXPECT_THAT(server.Ask("sub.*.example.", rr::kMx)->answer, IsEmpty());
  EXPECT_EQ(server.Ask("_telnet._tcp.host1.example.", rr::kSrv)->rcode(), Rcode::kNxDomain);
  EXPECT_FALSE(server.Ask("host.subdel.example.", rr::kA)->flag(kAa));
  auto ghost = server.Ask("ghost.*.example.", rr::kMx);
  EXPECT_EQ(ghost->rcode(), Rcode::kNxDomain);
  EXPECT_THAT(server.Ask("*.example.", rr::kMx)->values(), ElementsAre("10 host1.example."));
}

// ---- spec: dns.md 13.1

TEST(ConformanceTest, SingleHeaderBits) {
  Server server(ExampleModel());
  struct Row {
    const char* name;
    std::uint16_t sent;
    std::uint16_t expected;
  };
  for (const Row& row : {Row{"dns", 0, kQr | kAa}, Row{"aa", kAa, kQr | kAa}, Row{"ad", kAd, kQr | kAa},
                         Row{"cd", kCd, kQr | kAa | kCd}, Row{"ra", kRa, kQr | kAa}, Row{"rd", kRd, kQr | kAa | kRd},
                         Row{"tc", kTc, kQr | kAa}, Row{"zflag", kZ, kQr | kAa}}) {
    const auto response = server.Ask("example.test.", rr::kSoa, {.flags = row.sent});
    EXPECT_EQ(response->flags, row.expected) << row.name;
    EXPECT_THAT(response->answer, SizeIs(1)) << row.name;
    EXPECT_EQ(response->opt, nullptr) << row.name;
  }
}

TEST(ConformanceTest, OtherOpcodesAreNotImplemented) {
  Server server(ExampleModel());
  for (unsigned opcode = 1; opcode < 16; ++opcode) {
    std::vector<std::uint8_t> message = {
        0xAB, 0xCD, static_cast<std::uint8_t>(opcode << 3 | 0x07), 0xF0, 0, 0, 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(server.Send(message).size, 12U);
    const auto response = server.last();
    EXPECT_EQ(response->flags, kQr | opcode << 11 | 4U);
    EXPECT_EQ(response->id, 0xABCD);
  }
}

TEST(ConformanceTest, EdnsVersionsOptionsAndFlags) {
  Server server(ExampleModel());
  const std::vector<std::uint8_t> option100 = {0, 100, 0, 0};
  const std::vector<std::uint8_t> expire = {0, 9, 0, 0};
  const std::vector<std::uint8_t> nsid = {0, 3, 0, 0};
  struct Row {
    const char* name;
    std::uint32_t edns_ttl;
    std::vector<std::uint8_t> options;
    Rcode rcode;
    std::uint32_t response_ttl;
  };
  for (const Row& row :
       {Row{"edns", 0, {}, Rcode::kNoError, 0}, Row{"edns1", 0x10000, {}, Rcode::kBadVers, 0x01000000},
        Row{"ednsopt", 0, option100, Rcode::kNoError, 0},
        Row{"edns1opt", 0x10000, option100, Rcode::kBadVers, 0x01000000},
        Row{"do", 0x8000, {}, Rcode::kNoError, 0x8000}, Row{"edns1do", 0x18000, {}, Rcode::kBadVers, 0x01008000},
        Row{"ednsflags", 0x0080, {}, Rcode::kNoError, 0}, Row{"ednsexpire", 0, expire, Rcode::kNoError, 0},
        Row{"edns1nsid", 0x10000, nsid, Rcode::kBadVers, 0x01000000}}) {
    const auto response = server.Ask("example.test.", rr::kSoa,
                                     {.edns = true, .payload = 4096, .edns_ttl = row.edns_ttl, .options = row.options});
    EXPECT_EQ(response->rcode(), row.rcode) << row.name;
    EXPECT_THAT(response->answer, SizeIs(row.rcode == Rcode::kNoError ? 1 : 0)) << row.name;
    ASSERT_NE(response->opt, nullptr) << row.name;
    EXPECT_EQ(response->opt->ttl, row.response_ttl) << row.name;
    EXPECT_EQ(response->opt->record_class, 1232) << row.name;
    EXPECT_THAT(response->opt->rdata, IsEmpty()) << row.name;
  }
  const auto named = server.Ask("example.test.", rr::kSoa, {.edns = true, .options = nsid});
  EXPECT_EQ(named->option(3), std::vector<std::uint8_t>({'f', 'r', 'o', 'n', 't', '-', '1'}));
}

TEST(ConformanceTest, EveryTypeIsAnswered) {
  Server server(ExampleModel());
  for (std::uint32_t type = 0; type < 65'536; type += type < 300 ? 1 : 997) {
    const auto response = server.Ask("www.example.test.", static_cast<std::uint16_t>(type));
    const bool transfer = type == rr::kAxfr || type == rr::kIxfr;
    EXPECT_EQ(response->rcode(), transfer ? Rcode::kRefused : Rcode::kNoError) << type;
  }
}

TEST(ConformanceTest, AnUnknownTsigKeyIsBadKey) {
  Server server(ExampleModel());
  auto message = EncodeQuery("example.test.", rr::kSoa);
  message[11] = 1;
  std::vector<std::uint8_t> record = {0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 29};
  const std::vector<std::uint8_t> rdata = {11,   'h', 'm', 'a', 'c', '-', 's', 'h', 'a',  '2',  '5', '6', 0, 0, 0,
                                           0x5F, 0,   0,   0,   1,   44,  0,   0,   0x12, 0x34, 0,   0,   0, 0};
  message.insert(message.end(), record.begin(), record.end());
  message.insert(message.end(), rdata.begin(), rdata.end());
  ASSERT_EQ(rdata.size(), 29U);
  EXPECT_EQ(server.Send(message).rcode, Rcode::kNotAuth);
  const auto response = server.last();
  ASSERT_THAT(response->additional, SizeIs(1));
  EXPECT_EQ(response->additional[0].type, rr::kTsig);
  const auto& data = response->additional[0].rdata;
  EXPECT_EQ(data[data.size() - 3], 17);  // BADKEY
}

TEST(TruncationTest, WhatDoesNotFitIsTruncatedWhole) {
  Server server(ExampleModel());
  const auto small = server.Ask("big.example.test.", rr::kTxt);
  EXPECT_TRUE(small->flag(kTc));
  EXPECT_LE(small->size, 512U);
  EXPECT_THAT(small->answer, IsEmpty());
  const auto edns = server.Ask("big.example.test.", rr::kTxt, {.edns = true, .payload = 4096});
  EXPECT_TRUE(edns->flag(kTc));  // our own limit of 1232 bytes
  EXPECT_NE(edns->opt, nullptr);
  const auto tcp = server.Ask("big.example.test.", rr::kTxt, {}, Transport::kTcp);
  EXPECT_FALSE(tcp->flag(kTc));
  EXPECT_THAT(tcp->answer, SizeIs(8));
}

TEST(TruncationTest, NoAnswerIsLongerThanAllowed) {
  Server server(ExampleModel());
  for (std::uint16_t payload = 0; payload < 1400; payload = static_cast<std::uint16_t>(payload + 7)) {
    for (const char* name : {"big.example.test.", "chain.example.test.", "child.example.test.", "no.example.test."}) {
      const auto response =
          server.Ask(name, rr::kTxt, {.edns = true, .payload = payload, .options = SubnetOption("192.0.2.0/24")});
      EXPECT_LE(response->size, std::clamp<std::size_t>(payload, 512, 1232));
    }
  }
}

TEST(ClientSubnetTest, IsEchoedWithScopeZeroWhenTheAnswerIsForAll) {
  Server server(ExampleModel());
  for (const char* block : {"192.0.2.0/24", "2001:db8::/56", "0.0.0.0/0", "198.51.96.0/19"}) {
    auto expected = SubnetOption(block);
    expected.erase(expected.begin(), expected.begin() + 4);
    const auto response = server.Ask("www.example.test.", rr::kA, {.edns = true, .options = SubnetOption(block)});
    EXPECT_EQ(response->option(8), expected) << block;
  }
  EXPECT_FALSE(server.Ask("www.example.test.", rr::kA, {.edns = true})->option(8));
}

TEST(ClientSubnetTest, MalformedOptionsAreFormErr) {
  Server server(ExampleModel());
  const std::vector<std::pair<const char*, std::vector<std::uint8_t>>> rows = {
      {"scope set", {0, 8, 0, 7, 0, 1, 24, 24, 192, 0, 2}},
      {"bit beyond the prefix", {0, 8, 0, 7, 0, 1, 23, 0, 192, 0, 3}},
      {"too many octets", {0, 8, 0, 8, 0, 1, 24, 0, 192, 0, 2, 0}},
      {"too few octets", {0, 8, 0, 6, 0, 1, 24, 0, 192, 0}},
      {"prefix too long", {0, 8, 0, 9, 0, 1, 33, 0, 192, 0, 2, 0, 0}},
      {"unknown family", {0, 8, 0, 7, 0, 3, 24, 0, 192, 0, 2}},
      {"cut off", {0, 8, 0, 2, 0, 1}},
      {"twice", {0, 8, 0, 4, 0, 1, 0, 0, 0, 8, 0, 4, 0, 1, 0, 0}},
      {"option longer than the record", {0, 100, 0, 9}},
  };
  for (const auto& [name, options] : rows) {
    const auto response = server.Ask("www.example.test.", rr::kA, {.edns = true, .options = options});
    EXPECT_EQ(response->rcode(), Rcode::kFormErr) << name;
    EXPECT_NE(response->opt, nullptr) << name;
  }
}

TEST(AnswerTest, AllocatesNothing) {
  Server server(ExampleModel());
  std::vector<std::uint8_t> out(kUdpPayloadMax);
  const std::vector<std::vector<std::uint8_t>> queries = {
      EncodeQuery("www.example.test.", rr::kA), EncodeQuery("chain.example.test.", rr::kA),
      EncodeQuery("no.example.test.", rr::kA), EncodeQuery("x.child.example.test.", rr::kA),
      EncodeQuery("example.test.", rr::kSoa, {.edns = true, .options = SubnetOption("192.0.2.0/24")})};
  const IpAddress client = IpAddress::Parse("192.0.2.53").value();
  const std::size_t before = weir::testing::AllocationCount();
  for (const auto& query : queries) {
    static_cast<void>(server.answerer.Answer({.message = query, .client = client}, out));
  }
  EXPECT_EQ(weir::testing::AllocationCount(), before);
}

}  // namespace
}  // namespace weir::dns::testing
