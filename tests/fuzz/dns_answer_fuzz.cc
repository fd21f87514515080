// A DNS message to a server with a record of every kind and policy: the answer is a response to this query that fits,
// or silence. The first three bytes choose how it comes and what is healthy: see Setting.

#include "base/check.h"
#include "base/ip_address.h"
#include "dns/answer.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"
#include "tests/dns/dns_fixture.h"
#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using weir::IpAddress;
using weir::config::FailoverRole;
using weir::config::RoutingPolicy;
using weir::dns::Answerer;
using weir::dns::AnswerReport;
using weir::dns::kHeaderBytes;
using weir::dns::ParseQuery;
using weir::dns::Query;
using weir::dns::Rcode;
using weir::dns::Transport;
using weir::dns::ZoneSet;
using weir::dns::testing::MakeRecord;
using weir::dns::testing::MakeZone;
using weir::dns::testing::Response;
using Bytes = std::span<const std::uint8_t>;
namespace rr = weir::rr;

constexpr std::size_t kChecks = 4;
constexpr std::size_t kSettingBytes = 3;

struct Setting {
  explicit Setting(Bytes bytes)
      : transport((bytes[0] & 1U) != 0 ? Transport::kTcp : Transport::kUdp),
        // 512 is the least that Answer asks for.
        buffer_bytes((bytes[0] & 2U) != 0 ? 512U + bytes[1] : 65'535U),
        client((bytes[0] & 4U) != 0 ? *IpAddress::Parse("2001:db8::53") : *IpAddress::Parse("198.51.100.53")),
        tcp_idle_timeout((bytes[0] & 8U) != 0 ? 30'000 : 0),
        deterministic((bytes[0] & 16U) != 0),
        healthy(bytes[2]) {}
  Transport transport;
  std::size_t buffer_bytes;
  IpAddress client;
  std::chrono::milliseconds tcp_idle_timeout;
  bool deterministic;
  std::uint8_t healthy;  // a bit for each check, then one for the load balancer
};

void AddPolicyRecords(std::vector<weir::config::RecordSet>& records) {
  for (std::uint32_t i = 0; i < 2; ++i) {
    const std::string set = "set" + std::to_string(i);
    const std::string address = "192.0.2." + std::to_string(20 + i);
    records.push_back(
        MakeRecord("w.example.test.", rr::kA,
                   {.values = {address}, .policy = RoutingPolicy::kWeighted, .set = set, .weight = i, .check = i}));
    records.push_back(MakeRecord("f.example.test.", rr::kA,
                                 {.values = {address},
                                  .policy = RoutingPolicy::kFailover,
                                  .set = set,
                                  .failover = i == 0 ? FailoverRole::kPrimary : FailoverRole::kSecondary,
                                  .check = i + 1}));
    records.push_back(
        MakeRecord("near.example.test.", rr::kA,
                   {.values = {address}, .policy = RoutingPolicy::kLatency, .set = set, .region = i, .check = i}));
    records.push_back(MakeRecord("by.example.test.", rr::kTxt,
                                 {.values = {"\"" + set + "\""},
                                  .policy = RoutingPolicy::kCidr,
                                  .set = set,
                                  .cidr = weir::config::CidrRoute{.collection = 0, .location = i},
                                  .check = i}));
    records.push_back(MakeRecord("c.example.test.", rr::kCname,
                                 {.values = {i == 0 ? "w.example.test." : "elsewhere.example."},
                                  .policy = RoutingPolicy::kWeighted,
                                  .set = set,
                                  .weight = 1,
                                  .check = i}));
  }
  for (std::uint32_t i = 0; i < 12; ++i) {
    records.push_back(MakeRecord("many.example.test.", rr::kAaaa,
                                 {.values = {"2001:db8::" + std::to_string(i + 1)},
                                  .policy = RoutingPolicy::kMultivalue,
                                  .set = "set" + std::to_string(i),
                                  .check = i % kChecks}));
  }
}

std::vector<weir::config::RecordSet> Records() {
  std::vector<weir::config::RecordSet> records = {
      MakeRecord("example.test.", rr::kMx, {.values = {"10 mail.example.test."}}),
      MakeRecord("ns1.example.test.", rr::kA, {.values = {"192.0.2.53"}}),
      MakeRecord("www.example.test.", rr::kA, {.values = {"192.0.2.1", "192.0.2.2", "192.0.2.3"}}),
      MakeRecord("www.example.test.", rr::kAaaa, {.values = {"2001:db8::1"}}),
      MakeRecord("srv.example.test.", rr::kSrv, {.values = {"1 2 443 www.example.test."}}),
      MakeRecord("a.b.c.d.example.test.", rr::kTxt, {.values = {"\"deep\""}}),
      MakeRecord("chain.example.test.", rr::kCname, {.values = {"chain2.example.test."}}),
      MakeRecord("chain2.example.test.", rr::kCname, {.values = {"x.wild.example.test."}}),
      MakeRecord("*.wild.example.test.", rr::kCname, {.values = {"www.example.test."}}),
      MakeRecord("loop.example.test.", rr::kCname, {.values = {"loop.example.test."}}),
      MakeRecord("big.example.test.", rr::kTxt, {.values = std::vector<std::string>(40, std::string(200, 'x'))}),
      MakeRecord("child.example.test.", rr::kNs, {.values = {"ns.child.example.test.", "ns.elsewhere.example."}}),
      MakeRecord("ns.child.example.test.", rr::kA, {.values = {"192.0.2.54"}}),
      MakeRecord("alias.example.test.", rr::kA, {.alias = "w.example.test.", .evaluate = true}),
      MakeRecord("lb.example.test.", rr::kA, {.balancer = 0, .evaluate = true}),
      MakeRecord("odd.example.test.", 666, {.values = {"\\# 3 010203"}}),
  };
  AddPolicyRecords(records);
  return records;
}

std::shared_ptr<const ZoneSet> Zones() {
  const auto table = std::filesystem::temp_directory_path() / "weir-fuzz-latency-XXXXXX";
  std::string path = table.string();
  const int file = mkstemp(path.data());
  WEIR_CHECK(file >= 0);
  std::ofstream(path) << "client,region,ms\n198.51.100.0/24,eu-west,10\n198.51.100.0/26,us-east,5\n"
                         "2001:db8::/32,us-east,20\n2001:db8:1::/48,eu-west,1.5\n";
  weir::config::Model model;
  model.node.name = "node-1";
  model.regions = {{"eu-west", 53.3, -6.2}, {"us-east", 38.9, -77.4}};
  model.latency.table = {path, {0, 1, 1}};
  weir::dns::testing::AddChecks(model, kChecks);
  weir::dns::testing::AddBalancer(model, "shop", {"192.0.2.10", "2001:db8::10"});
  weir::dns::testing::AddCollection(model, "offices",
                                    {{"hq", {"198.51.100.0/24", "2001:db8::/32"}}, {"lab", {"198.51.100.64/26"}}});
  model.zones = {MakeZone("example.test.", Records()),
                 MakeZone("sub.example.test.", {MakeRecord("sub.example.test.", rr::kA, {.values = {"192.0.2.9"}})})};
  auto zones = weir::dns::testing::BuildZones(std::move(model));
  std::filesystem::remove(path);
  close(file);
  WEIR_CHECK(zones != nullptr);
  return zones;
}

std::shared_ptr<const weir::health::StatusTable> StatusOf(unsigned healthy) {
  auto status = weir::dns::testing::MakeStatus(kChecks, 1);
  for (std::size_t i = 0; i < kChecks; ++i) status.checks[i].healthy = ((healthy >> i) & 1U) != 0;
  status.load_balancers[0].healthy = ((healthy >> kChecks) & 1U) != 0;
  return std::make_shared<const weir::health::StatusTable>(std::move(status));
}

std::size_t SizeAllowed(const Setting& setting, const Query& query) {
  if (setting.transport == Transport::kTcp) return setting.buffer_bytes;
  return std::min<std::size_t>({setting.buffer_bytes, query.udp_payload_bytes, weir::dns::kUdpPayloadMax});
}

void CheckHeader(const Query& query, Bytes message, const AnswerReport& report, const Response& response) {
  WEIR_CHECK(response.id == (message[0] << 8 | message[1]));
  WEIR_CHECK(response.flag(0x8000));
  WEIR_CHECK((response.flags >> 11U & 0x0FU) == query.opcode);
  WEIR_CHECK(!response.flag(0x0080) && !response.flag(0x0040));  // no recursion; Z is zero
  WEIR_CHECK(response.flag(0x0200) == report.truncated);
  WEIR_CHECK(response.answer.size() == report.answer_count);
  if (report.truncated) WEIR_CHECK(response.answer.empty() && response.authority.empty());
  const unsigned low = static_cast<unsigned>(report.rcode) & 0x0FU;
  WEIR_CHECK((response.flags & 0x0FU) == low);
}

void CheckBody(const Query& query, Bytes answer, const AnswerReport& report, const Response& response) {
  const bool has_question = answer[5] == 1;
  if (has_question) {
    WEIR_CHECK(query.has_question);
    WEIR_CHECK(std::ranges::equal(answer.subspan(kHeaderBytes, query.question.size()), query.question));
  } else {
    WEIR_CHECK(!query.has_question || query.verdict == Query::Verdict::kNotImp || report.truncated);
  }
  if (query.verdict == Query::Verdict::kNotImp) {
    WEIR_CHECK(answer.size() == kHeaderBytes);
    return;
  }
  WEIR_CHECK((response.opt != nullptr) == query.has_edns);
  if (response.opt != nullptr) WEIR_CHECK(response.rcode() == report.rcode);
  if (query.verdict != Query::Verdict::kValid) WEIR_CHECK(response.answer.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::shared_ptr<const ZoneSet> zones = Zones();
  if (size < kSettingBytes) return 0;
  const Setting setting(Bytes(data, kSettingBytes));
  // A copy of its own, so that AddressSanitizer sees a read in front of it or past its end.
  const std::vector<std::uint8_t> message(data + kSettingBytes, data + size);
  Answerer answerer(1);
  if (setting.deterministic) answerer.set_deterministic();
  answerer.set_tcp_idle_timeout(setting.tcp_idle_timeout);
  answerer.SetView(zones, StatusOf(setting.healthy));
  std::vector<std::uint8_t> out(setting.buffer_bytes);
  const AnswerReport report =
      answerer.Answer({.message = message, .client = setting.client, .transport = setting.transport}, out);
  const bool is_query = message.size() >= kHeaderBytes && (message[2] & 0x80U) == 0;
  WEIR_CHECK((report.size > 0) == is_query);
  if (!is_query) return 0;
  const Query query = ParseQuery(message);
  WEIR_CHECK(report.size >= kHeaderBytes && report.size <= SizeAllowed(setting, query));
  const Bytes answer = Bytes(out).first(report.size);
  const auto response = weir::dns::testing::ParseResponse(answer);
  WEIR_CHECK(response->parsed);
  CheckHeader(query, message, report, *response);
  CheckBody(query, answer, report, *response);
  return 0;
}
