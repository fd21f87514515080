// What an answer costs without its datagram: parsing the query, finding the name, choosing by policy and health,
// writing the response. SetItemsProcessed makes items per second the answers of one core.

#include "base/ip_address.h"
#include "config/load.h"
#include "dns/answer.h"
#include "dns/counters.h"
#include "dns/wire/types.h"
#include "dns/zone/zone_set.h"
#include "health/status.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace weir;

constexpr int kNetworks = 1'000;
constexpr std::uint16_t kEdnsPayload = 1232;

// A file with a row for each of 1,000 networks, alternating between two regions; removed at the end.
class LatencyFile {
 public:
  LatencyFile() {
    std::string rows = "client-cidr,region,milliseconds\n";
    for (int i = 0; i < kNetworks; ++i) {
      fmt::format_to(std::back_inserter(rows), "10.{}.{}.0/24,eu,{}\n10.{}.{}.0/24,us,{}\n", i / 250, i % 250,
                     i % 2 == 0 ? 10 : 90, i / 250, i % 250, i % 2 == 0 ? 90 : 10);
    }
    const int fd = mkstemp(path_.data());
    if (fd < 0 || write(fd, rows.data(), rows.size()) != static_cast<ssize_t>(rows.size())) path_.clear();
    if (fd >= 0) close(fd);
  }
  ~LatencyFile() {
    if (!path_.empty()) std::remove(path_.c_str());
  }
  LatencyFile(const LatencyFile&) = delete;
  LatencyFile& operator=(const LatencyFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "weir-dns-benchmark-XXXXXX";
};

// The /24 networks from 10.0.0.0 on, as the configuration writes them: those at an even place, or the others.
std::string Networks(std::uint32_t count, std::uint32_t first) {
  std::string out;
  for (std::uint32_t i = first; i < count; i += 2) {
    fmt::format_to(std::back_inserter(out), "{}{}.{}.{}.0/24", i == first ? "" : ", ", 10 + (i >> 16), i >> 8 & 255,
                   i & 255);
  }
  return out;
}

// A zone with `records` static names and one name for each policy that health governs, CIDR by `networks` networks.
std::string ZoneText(std::int64_t records, std::uint32_t networks, const std::string& latency_file) {
  std::string out = fmt::format(R"(
dns: {{addresses: [127.0.0.1], port: 5353}}
regions: [{{name: eu, latitude: 53, longitude: -6}}, {{name: us, latitude: 39, longitude: -77}}]
latency: {{table: {}}}
health-checks:
  - {{name: one, type: TCP, address: 127.0.0.1, port: 1}}
  - {{name: two, type: TCP, address: 127.0.0.1, port: 2}}
cidr-collections:
  - name: nets
    locations: [{{name: even, cidrs: [{}]}}, {{name: odd, cidrs: [{}]}}]
zones:
  - name: example.test
    name-servers: [ns1.example.test.]
    records:
      - {{name: ns1, type: A, ttl: 5m, values: [192.0.2.1]}}
      - {{name: fail, type: A, set: a, failover: PRIMARY, ttl: 10s, values: [192.0.2.10], health-check: one}}
      - {{name: fail, type: A, set: b, failover: SECONDARY, ttl: 10s, values: [192.0.2.20], health-check: two}}
      - {{name: share, type: A, set: a, weight: 90, ttl: 10s, values: [192.0.2.10], health-check: one}}
      - {{name: share, type: A, set: b, weight: 10, ttl: 10s, values: [192.0.2.20], health-check: two}}
      - {{name: near, type: A, set: a, region: eu, ttl: 10s, values: [192.0.2.10], health-check: one}}
      - {{name: near, type: A, set: b, region: us, ttl: 10s, values: [192.0.2.20], health-check: two}}
      - {{name: net, type: A, set: a, cidr: {{collection: nets, location: even}}, ttl: 10s, values: [192.0.2.10], health-check: one}}
      - {{name: net, type: A, set: b, cidr: {{collection: nets, location: odd}}, ttl: 10s, values: [192.0.2.20], health-check: two}}
      - {{name: net, type: A, set: rest, cidr: {{collection: nets, location: "*"}}, ttl: 10s, values: [192.0.2.30]}}
)",
                                latency_file, Networks(networks, 0), Networks(networks, 1));
  for (std::int64_t i = 0; i < records; ++i) {
    fmt::format_to(std::back_inserter(out),
                   "      - {{name: host-{}, type: A, ttl: 5m, values: [192.0.2.{}]}}\n"
                   "      - {{name: host-{}, type: AAAA, ttl: 5m, values: [\"2001:db8::{:x}\"]}}\n",
                   i, i % 250 + 1, i, i % 60'000 + 1);
  }
  return out;
}

void PutU16(std::vector<std::uint8_t>& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

// A query for `name` (RFC 1035 4.1), with an OPT record when `edns`, with the `subnet`th /24 from 10.0.0.0 on as client
// subnet (RFC 7871) when there is one.
std::vector<std::uint8_t> EncodeQuery(std::string_view name, std::uint16_t type, bool edns,
                                      std::optional<std::uint32_t> subnet) {
  std::vector<std::uint8_t> out;
  for (const std::size_t value : {0x1234U, 0x0100U, 1U, 0U, 0U, edns || subnet ? 1U : 0U}) PutU16(out, value);
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out.push_back(static_cast<std::uint8_t>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  out.push_back(0);
  PutU16(out, type);
  PutU16(out, dns::kClassIn);
  if (!edns && !subnet) return out;
  const std::uint32_t network = subnet.value_or(0) + (std::uint32_t{10} << 16);
  const std::array<std::uint8_t, 11> option = {0,
                                               8,
                                               0,
                                               7,
                                               0,
                                               1,
                                               24,
                                               0,
                                               static_cast<std::uint8_t>(network >> 16),
                                               static_cast<std::uint8_t>(network >> 8),
                                               static_cast<std::uint8_t>(network)};
  out.push_back(0);
  for (const std::size_t value :
       {std::size_t{rr::kOpt}, std::size_t{kEdnsPayload}, std::size_t{0}, std::size_t{0}, subnet ? option.size() : 0}) {
    PutU16(out, value);
  }
  if (subnet) out.insert(out.end(), option.begin(), option.end());
  return out;
}

struct Question {
  std::string_view name;
  std::uint16_t type = rr::kA;
  bool edns = false;
  std::optional<std::uint32_t> subnet = {};  // one client's network, the same in each query
  std::uint32_t networks = 0;                // or clients from all over so many networks
  dns::Rcode rcode = dns::Rcode::kNoError;
  std::uint16_t answers = 1;
};

// What is asked in turns.
std::vector<std::vector<std::uint8_t>> EncodeQueries(const Question& question) {
  constexpr std::uint32_t kClients = 1'024;
  constexpr std::uint32_t kStride = 7'919;  // prime: from network to network far apart
  const auto encode = [&question](std::optional<std::uint32_t> subnet) {
    return EncodeQuery(question.name, question.type, question.edns, subnet);
  };
  std::vector<std::vector<std::uint8_t>> out;
  for (std::uint32_t i = 0; i < kClients && question.networks > 0; ++i)
    out.push_back(encode(i * kStride % question.networks));
  if (out.empty()) out.push_back(encode(question.subnet));
  return out;
}

void Answer(benchmark::State& state, const Question& question) {
  const LatencyFile latency;
  const auto text = ZoneText(state.range(0), std::max(question.networks, 2U), latency.path());
  const auto loaded = config::LoadText(text, "benchmark.yaml");
  if (!loaded.model) return state.SkipWithError(loaded.diagnostics.FormatAll().c_str());
  dns::CounterRegistry counters(1);
  auto zones = dns::ZoneSet::Build(loaded.model, counters);
  if (!zones) return state.SkipWithError(zones.error().front().message.c_str());
  auto status = std::make_shared<health::StatusTable>();
  status->checks.resize(loaded.model->health_checks.size());
  dns::Answerer answerer(1);
  answerer.SetView(std::move(*zones), std::move(status));

  const auto messages = EncodeQueries(question);
  dns::ClientQuery query{.message = messages[0], .client = IpAddress::V4({10, 0, 3, 1})};
  std::vector<std::uint8_t> out(dns::kUdpPayloadMax);
  const auto report = answerer.Answer(query, out);
  if (report.rcode != question.rcode || report.answer_count != question.answers) {
    return state.SkipWithError("the answer is not the one to be measured");
  }
  std::size_t next = 0;
  for (auto _ : state) {
    query.message = messages[next];
    next = next + 1 < messages.size() ? next + 1 : 0;
    benchmark::DoNotOptimize(answerer.Answer(query, out));
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(Answer, a, Question{.name = "host-7.example.test"})->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(Answer, aaaa, Question{.name = "host-7.example.test", .type = rr::kAaaa})->Arg(100);
BENCHMARK_CAPTURE(Answer, edns, Question{.name = "host-7.example.test", .edns = true})->Arg(100);
BENCHMARK_CAPTURE(Answer, nxdomain, Question{.name = "none.example.test", .rcode = dns::Rcode::kNxDomain, .answers = 0})
    ->Arg(100);
BENCHMARK_CAPTURE(Answer, failover, Question{.name = "fail.example.test"})->Arg(100);
BENCHMARK_CAPTURE(Answer, weighted, Question{.name = "share.example.test"})->Arg(100);
BENCHMARK_CAPTURE(Answer, latency_by_subnet, Question{.name = "near.example.test", .subnet = 263})->Arg(100);
BENCHMARK_CAPTURE(Answer, cidr_1000_networks, Question{.name = "net.example.test", .networks = 1'000})->Arg(100);
BENCHMARK_CAPTURE(Answer, cidr_100000_networks, Question{.name = "net.example.test", .networks = 100'000})->Arg(100);

}  // namespace
