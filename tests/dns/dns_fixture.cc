#include "tests/dns/dns_fixture.h"

#include "dns/wire/name.h"
#include "dns/wire/rdata.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace weir::dns::testing {
namespace {

void PutU16(std::vector<std::uint8_t>& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace

config::RecordSet MakeRecord(const std::string& name, std::uint16_t type, RecordOptions options) {
  config::RecordSet record;
  record.name = name;
  record.type = type;
  record.position = {0, 100, 1};
  std::uint32_t line = 101;
  for (auto& value : options.values) record.values.push_back({std::move(value), {0, line++, 9}});
  record.policy = options.policy;
  record.set = std::move(options.set);
  record.weight = options.weight;
  record.failover = options.failover;
  record.region = options.region;
  record.cidr = options.cidr;
  record.geolocation = options.geolocation;
  record.geoproximity = options.geoproximity;
  record.health_check = options.check;
  const bool is_alias = options.balancer || !options.alias.empty();
  if (is_alias) {
    record.alias = config::AliasTarget{options.balancer, options.alias, options.evaluate, record.position};
    record.ttl_seconds = options.alias_ttl;
  } else {
    record.ttl_seconds = options.ttl;
  }
  return record;
}

std::shared_ptr<config::Zone> MakeZone(const std::string& name, std::vector<config::RecordSet> records) {
  auto zone = std::make_shared<config::Zone>();
  zone->name = name;
  zone->soa.mname = "ns1.example.test.";
  zone->soa.rname = "hostmaster.example.test.";
  zone->name_servers = {"ns1.example.test.", "ns2.example.test."};
  zone->records = std::move(records);
  zone->position = {0, 1, 1};
  return zone;
}

config::Zone& ChangeZone(config::Model& model) {
  auto copy = std::make_shared<config::Zone>(*model.zones.at(0));
  config::Zone& zone = *copy;
  model.zones[0] = std::move(copy);
  return zone;
}

void AddChecks(config::Model& model, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    config::HealthCheck check;
    check.name = "check" + std::to_string(i);
    check.type = config::HealthCheckType::kTcp;
    model.health_checks.push_back(check);
  }
}

void AddCollection(config::Model& model, const std::string& name,
                   const std::vector<std::pair<std::string, std::vector<std::string>>>& locations) {
  config::CidrCollection collection;
  collection.name = name;
  for (const auto& [location, blocks] : locations) {
    auto& added = collection.locations.emplace_back();
    added.name = location;
    for (const auto& block : blocks) added.blocks.push_back({CidrBlock::Parse(block).value(), {}});
  }
  model.cidr_collections.push_back(std::move(collection));
}

void AddBalancer(config::Model& model, const std::string& name, const std::vector<std::string>& advertise) {
  config::LoadBalancer balancer;
  balancer.name = name;
  for (const auto& text : advertise) balancer.advertise.push_back(IpAddress::Parse(text).value());
  model.load_balancers.push_back(balancer);
}

std::shared_ptr<const ZoneSet> BuildZones(config::Model model) {
  CounterRegistry registry(1);
  auto built = ZoneSet::Build(std::make_shared<const config::Model>(std::move(model)), registry);
  if (built) return *built;
  for (const auto& item : built.error()) ADD_FAILURE() << item.message << "; " << item.hint;
  return nullptr;
}

std::string BuildErrors(config::Model model) {
  CounterRegistry registry(1);
  const auto built = ZoneSet::Build(std::make_shared<const config::Model>(std::move(model)), registry);
  std::string out;
  if (built) return out;
  for (const auto& item : built.error()) {
    out += std::to_string(item.position.line) + ": " + item.message + "; " + item.hint + "\n";
  }
  return out;
}

health::StatusTable MakeStatus(std::size_t checks, std::size_t balancers) {
  health::StatusTable status;
  status.checks.resize(checks);
  status.load_balancers.resize(balancers);
  return status;
}

std::vector<std::uint8_t> EncodeName(std::string_view name) {
  std::vector<std::uint8_t> out;
  while (!name.empty() && name != ".") {
    const auto dot = name.find('.');
    const auto label = name.substr(0, dot);
    out.push_back(static_cast<std::uint8_t>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  }
  out.push_back(0);
  return out;
}

std::vector<std::uint8_t> EncodeQuery(std::string_view name, std::uint16_t type, const QueryOptions& options) {
  std::vector<std::uint8_t> out;
  PutU16(out, options.id);
  PutU16(out, options.flags);
  for (const std::size_t count : {1U, 0U, 0U, options.edns ? 1U : 0U}) PutU16(out, count);
  const auto wire = EncodeName(name);
  out.insert(out.end(), wire.begin(), wire.end());
  PutU16(out, type);
  PutU16(out, options.record_class);
  if (!options.edns) return out;
  out.push_back(0);
  PutU16(out, rr::kOpt);
  PutU16(out, options.payload);
  PutU16(out, options.edns_ttl >> 16);
  PutU16(out, options.edns_ttl & 0xFFFFU);
  PutU16(out, options.options.size());
  out.insert(out.end(), options.options.begin(), options.options.end());
  return out;
}

std::vector<std::uint8_t> SubnetOption(std::string_view block) {
  const auto slash = block.find('/');
  const auto address = IpAddress::Parse(block.substr(0, slash)).value();
  const auto bits = static_cast<std::size_t>(std::stoi(std::string(block.substr(slash + 1))));
  const std::size_t octets = (bits + 7) / 8;
  std::vector<std::uint8_t> out;
  PutU16(out, 8);
  PutU16(out, 4 + octets);
  PutU16(out, address.is_v4() ? 1 : 2);
  out.push_back(static_cast<std::uint8_t>(bits));
  out.push_back(0);
  const auto bytes = address.bytes().first(octets);
  out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

namespace {

class StrictReader {
 public:
  explicit StrictReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool ok = true;
  std::size_t at = 0;

  std::size_t U8() {
    if (at >= bytes_.size()) ok = false;
    return ok ? bytes_[at++] : 0U;
  }
  std::size_t U16() {
    const std::size_t high = U8();
    return high << 8 | U8();
  }
  std::size_t U32() {
    const std::size_t high = U16();
    return high << 16 | U16();
  }
  std::vector<std::uint8_t> Name() {
    std::vector<std::uint8_t> wire;
    std::size_t resume = 0;
    std::size_t lowest = at;
    while (ok) {
      const std::size_t length = U8();
      if (length >= 0xC0) {
        const std::size_t target = (length & 0x3FU) << 8 | U8();
        if (resume == 0) resume = at;
        if (target >= lowest) ok = false;
        lowest = target;
        at = target;
        continue;
      }
      if (length > 63) ok = false;
      wire.push_back(static_cast<std::uint8_t>(length));
      if (length == 0) break;
      for (std::size_t i = 0; i < length && ok; ++i) wire.push_back(static_cast<std::uint8_t>(U8()));
    }
    if (resume != 0) at = resume;
    return wire;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

ResponseRecord ReadRecord(StrictReader& reader) {
  ResponseRecord record;
  AppendDomainName(reader.Name(), record.owner);
  record.type = static_cast<std::uint16_t>(reader.U16());
  record.record_class = static_cast<std::uint16_t>(reader.U16());
  record.ttl = static_cast<std::uint32_t>(reader.U32());
  const std::size_t size = reader.U16();
  const std::size_t end = reader.at + size;
  const auto take = [&](std::size_t count) {
    while (reader.ok && count-- > 0) record.rdata.push_back(static_cast<std::uint8_t>(reader.U8()));
  };
  const auto name = [&] {
    const auto wire = reader.Name();
    record.rdata.insert(record.rdata.end(), wire.begin(), wire.end());
  };
  if (record.type == rr::kMx) take(2);
  switch (record.type) {
    case rr::kSoa:
      name();
      [[fallthrough]];
    case rr::kNs:
    case rr::kCname:
    case rr::kPtr:
    case rr::kMx:
      name();
      break;
    default:
      break;
  }
  if (reader.at > end) reader.ok = false;
  if (reader.ok) take(end - reader.at);
  if (reader.ok) record.value = RdataText(record.type, record.rdata);
  return record;
}

}  // namespace

std::unique_ptr<Response> ParseResponse(std::span<const std::uint8_t> message) {
  auto out = std::make_unique<Response>();
  out->size = message.size();
  StrictReader reader(message);
  out->id = static_cast<std::uint16_t>(reader.U16());
  out->flags = static_cast<std::uint16_t>(reader.U16());
  const std::size_t questions = reader.U16();
  const std::size_t counts[3] = {reader.U16(), reader.U16(), reader.U16()};
  if (questions == 1) {
    AppendDomainName(reader.Name(), out->question);
    out->question_type = static_cast<std::uint16_t>(reader.U16());
    static_cast<void>(reader.U16());
  }
  std::vector<ResponseRecord>* sections[3] = {&out->answer, &out->authority, &out->additional};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t k = 0; k < counts[i] && reader.ok; ++k) sections[i]->push_back(ReadRecord(reader));
  }
  for (const auto& record : out->additional) {
    if (record.type == rr::kOpt) out->opt = &record;
  }
  out->parsed = reader.ok && reader.at == message.size() && questions <= 1;
  return out;
}

Rcode Response::rcode() const {
  const std::uint32_t high = opt == nullptr ? 0U : opt->ttl >> 24;
  return static_cast<Rcode>(high << 4 | (flags & 0x0FU));
}

std::vector<std::string> Response::values() const {
  std::vector<std::string> out;
  for (const auto& record : answer) out.push_back(record.value);
  std::ranges::sort(out);
  return out;
}

std::optional<std::vector<std::uint8_t>> Response::option(std::uint16_t code) const {
  if (opt == nullptr) return std::nullopt;
  const auto& bytes = opt->rdata;
  for (std::size_t at = 0; at + 4 <= bytes.size();) {
    const auto found = static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
    const std::size_t length = static_cast<std::size_t>(bytes[at + 2]) << 8 | bytes[at + 3];
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at) + 4;
    if (found == code) return std::vector<std::uint8_t>(begin, begin + static_cast<std::ptrdiff_t>(length));
    at += 4 + length;
  }
  return std::nullopt;
}

Server::Server(config::Model model, std::size_t checks, std::size_t balancers, std::uint64_t seed)
    : status(MakeStatus(checks, balancers)), answerer(seed), out_(65'535) {
  zones_ = BuildZones(std::move(model));
  if (zones_) Publish();
}

void Server::Publish() { answerer.SetView(zones_, std::make_shared<const health::StatusTable>(status)); }

AnswerReport Server::Send(std::span<const std::uint8_t> message, Transport transport, std::string_view client) {
  const auto report =
      answerer.Answer({.message = message, .client = IpAddress::Parse(client).value(), .transport = transport}, out_);
  size_ = report.size;
  return report;
}

std::unique_ptr<Response> Server::last() const { return ParseResponse(std::span(out_).first(size_)); }

std::unique_ptr<Response> Server::Ask(std::string_view name, std::uint16_t type, const QueryOptions& options,
                                      Transport transport, std::string_view client) {
  const auto report = Send(EncodeQuery(name, type, options), transport, client);
  EXPECT_GT(report.size, 0U);
  auto response = last();
  EXPECT_TRUE(response->parsed) << name;
  return response;
}

}  // namespace weir::dns::testing
