#include "bench/load/dns/query_set.h"
#include "bench/load/dns/response.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace weir::bench {
namespace {

using Bytes = std::vector<std::uint8_t>;

Question MakeQuestion(const char* name, std::uint16_t type) { return {dns::Name::Parse(name).value(), type}; }
CidrBlock Block(const char* text) { return CidrBlock::Parse(text).value(); }

Bytes PutTurn(const QuerySet& set, std::uint64_t turn, std::uint16_t id = 0x1234) {
  std::array<std::uint8_t, kQueryBytesMax> out{};
  const std::size_t bytes = set.Put(turn, id, out);
  return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

TEST(DnsQuerySetTest, WritesWhatTheServerReads) {
  const std::array questions = {MakeQuestion("www.example.test", rr::kAaaa)};
  const std::array subnets = {Block("198.51.100.0/22")};
  const QuerySet set(questions, subnets, {.recursion_desired = true, .dnssec_ok = true, .bufsize = 4096});
  const Bytes message = PutTurn(set, 0);
  const dns::Query query = dns::ParseQuery(message);
  EXPECT_EQ(query.verdict, dns::Query::Verdict::kValid);
  EXPECT_EQ(query.id, 0x1234);
  EXPECT_TRUE(query.recursion_desired);
  EXPECT_TRUE(query.dnssec_ok);
  EXPECT_EQ(query.udp_payload_bytes, 4096);
  EXPECT_EQ(query.type, rr::kAaaa);
  ASSERT_TRUE(query.client_subnet);
  EXPECT_EQ(query.client_subnet->source_bits, 22);
  EXPECT_EQ(query.client_subnet->address.ToString(), "198.51.100.0");
}

TEST(DnsQuerySetTest, WithoutEdnsThereIsNoOptRecord) {
  const std::array questions = {MakeQuestion("example.test", rr::kA)};
  const Bytes message = PutTurn(QuerySet(questions, {}, {}), 0);
  const dns::Query query = dns::ParseQuery(message);
  EXPECT_EQ(query.verdict, dns::Query::Verdict::kValid);
  EXPECT_FALSE(query.has_edns);
  EXPECT_FALSE(query.recursion_desired);
}

TEST(DnsQuerySetTest, EveryQuestionMeetsEverySubnet) {
  const std::array questions = {MakeQuestion("a.test", 1), MakeQuestion("b.test", 1), MakeQuestion("c.test", 1),
                                MakeQuestion("d.test", 1)};
  const std::array subnets = {Block("192.0.2.0/24"), Block("2001:db8::/32")};
  const QuerySet set(questions, subnets, {});
  std::set<Bytes> seen;
  for (std::uint64_t turn = 0; turn < 8; ++turn) seen.insert(PutTurn(set, turn));
  EXPECT_EQ(seen.size(), 8U);
}

TEST(DnsQuerySetTest, TheLongestQueryFits) {
  const std::string label(63, 'x');
  const std::string name = label + "." + label + "." + label + "." + std::string(61, 'y');
  const std::array questions = {MakeQuestion(name.c_str(), 1)};
  const std::array subnets = {Block("2001:db8::1/128")};
  EXPECT_EQ(PutTurn(QuerySet(questions, subnets, {}), 0).size(), kQueryBytesMax);
}

// The response to `a.test A` with the records given, each from its compressed owner on.
Bytes MakeResponse(std::uint16_t flags, std::uint16_t answers, const Bytes& records, std::uint16_t additional = 0) {
  Bytes message = {0x12,
                   0x34,
                   static_cast<std::uint8_t>(flags >> 8),
                   static_cast<std::uint8_t>(flags),
                   0,
                   1,
                   0,
                   static_cast<std::uint8_t>(answers),
                   0,
                   0,
                   0,
                   static_cast<std::uint8_t>(additional)};
  const Bytes question = {1, 'a', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};
  message.insert(message.end(), question.begin(), question.end());
  message.insert(message.end(), records.begin(), records.end());
  return message;
}
const Bytes kAddress = {0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
const Bytes kAlias = {0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 'b', 0xC0, 14};

TEST(DnsResponseTest, TheValueIsTheFirstOfTheTypeAskedFor) {
  Bytes records = kAlias;
  records.insert(records.end(), kAddress.begin(), kAddress.end());
  const Bytes message = MakeResponse(0x8400, 2, records);
  Response response;
  ASSERT_TRUE(ReadResponse(message, rr::kA, response));
  PlainRdata value;
  ASSERT_TRUE(value.Assign(message, response.value_type, response.value_offset, response.value_bytes));
  EXPECT_EQ(ValueText(response.value_type, value.view()), "192.0.2.1");
}

TEST(DnsResponseTest, NamesOfValuesAreWrittenInFull) {
  const Bytes message = MakeResponse(0x8400, 1, kAlias);
  Response response;
  ASSERT_TRUE(ReadResponse(message, rr::kA, response));
  PlainRdata value;
  ASSERT_TRUE(value.Assign(message, response.value_type, response.value_offset, response.value_bytes));
  EXPECT_EQ(ValueText(response.value_type, value.view()), "b.test.");
}

TEST(DnsResponseTest, PointersThatLeadNowhereAreRefused) {
  Bytes alias = kAlias;
  alias.back() = 36;  // the label in front of the pointer: round and round
  const Bytes message = MakeResponse(0x8400, 1, alias);
  Response response;
  ASSERT_TRUE(ReadResponse(message, rr::kA, response));
  PlainRdata value;
  EXPECT_FALSE(value.Assign(message, response.value_type, response.value_offset, response.value_bytes));
}

TEST(DnsResponseTest, ReadsTheExtendedCode) {
  const Bytes opt = {0, 0, 41, 4, 208, 1, 0, 0, 0, 0, 0};
  Response response;
  ASSERT_TRUE(ReadResponse(MakeResponse(0x8600, 0, opt, 1), rr::kA, response));
  EXPECT_EQ(response.rcode, 16);
  EXPECT_TRUE(response.truncated);
}

TEST(DnsResponseTest, WhatIsCutOffOrTooLongIsMalformed) {
  const Bytes whole = MakeResponse(0x8400, 1, kAddress);
  Response response;
  ASSERT_TRUE(ReadResponse(whole, rr::kA, response));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(ReadResponse(exact, rr::kA, response)) << size;
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(ReadResponse(longer, rr::kA, response));
  EXPECT_FALSE(ReadResponse(MakeResponse(0x0100, 1, kAddress), rr::kA, response)) << "a query";
}

TEST(DnsResponseTest, UnknownAndBrokenDataIsShownInHexadecimal) {
  EXPECT_EQ(ValueText(65280, Bytes{10, 0, 0, 1}), "\\# 4 0A000001");
  EXPECT_EQ(ValueText(rr::kA, Bytes{10, 0, 0}), "\\# 3 0A0000");
  EXPECT_EQ(ValueText(rr::kTxt, Bytes{2, 'h', 'i', 1, 7}), "\"hi\" \"?\"");
  EXPECT_EQ(ValueText(rr::kTxt, Bytes{9, 'h'}), "\\# 2 0968");
  EXPECT_EQ(ValueText(65280, Bytes(2'000, 0)).size(), 80U);
}

}  // namespace
}  // namespace weir::bench
