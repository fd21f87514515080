// DNS health checks, zones and record sets; spec: dns.md section 2.

#include "base/record_type.h"
#include "base/text.h"
#include "config/decode/decode.h"
#include "config/decode/dns_name.h"
#include "config/decode/zone_file.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

namespace weir::config {
namespace {

constexpr std::chrono::milliseconds kTcpTimeout{10'000};  // spec: dns.md 3.4
constexpr std::uint32_t kLoadBalancerAliasTtl = 60;

bool IsHttp(HealthCheckType type) { return type != HealthCheckType::kTcp && type != HealthCheckType::kCalculated; }
bool IsTls(HealthCheckType type) { return type == HealthCheckType::kHttps || type == HealthCheckType::kHttpsStrMatch; }
bool SearchesText(HealthCheckType type) {
  return type == HealthCheckType::kHttpStrMatch || type == HealthCheckType::kHttpsStrMatch;
}

// Keys that the type gives no meaning to are mistakes, and so are those it cannot do without.
void CheckTypeKeys(const Fields& fields, HealthCheckType type, Findings& findings) {
  const std::string_view word = kHealthCheckTypeWords[static_cast<std::size_t>(type)];
  const bool calculated = type == HealthCheckType::kCalculated;
  const auto refuse = [&](std::string_view key) {
    if (!fields.Has(key)) return;
    findings.AddError(fields.PositionOf(key), fmt::format("`{}` has no meaning for a {} check", key, word),
                      "leave it out");
  };
  const auto require = [&](std::string_view key) {
    if (fields.Has(key)) return;
    findings.AddError(fields.position(), fmt::format("a {} check without `{}`", word, key),
                      fmt::format("add `{}: ...`", key));
  };
  if (calculated) {
    for (const auto* key : {"address", "host", "port", "request-interval", "timeout", "failure-threshold"}) refuse(key);
    require("children");
  } else {
    refuse("children");
    refuse("health-threshold");
    if (!fields.Has("address") && !fields.Has("host")) require("address");
  }
  if (!IsHttp(type)) refuse("path");
  if (!IsTls(type)) refuse("enable-sni");
  if (SearchesText(type)) {
    require("search-string");
  } else {
    refuse("search-string");
  }
  if (type == HealthCheckType::kTcp) require("port");
}

void DecodeEndpointCheck(const Fields& fields, HealthCheck& out, Findings& findings) {
  out.address = fields.Address("address");
  if (out.address && out.address->is_wildcard()) {
    findings.AddError(fields.PositionOf("address"), fmt::format("{} cannot be probed", out.address->ToString()));
  }
  out.host = fields.Text("host");
  if (fields.Has("host") && !IsHostName(out.host)) {
    findings.AddError(fields.PositionOf("host"), fmt::format("{} is no host name", Quoted(out.host)));
  }
  out.port = static_cast<std::uint16_t>(fields.Integer("port").value_or(IsTls(out.type) ? 443 : 80));
  out.path = fields.Text("path", "/");
  if (!out.path.starts_with('/')) out.path.insert(0, "/");  // as Route 53 does
  if (!std::ranges::all_of(out.path, [](char c) { return c > 0x20 && c < 0x7F; })) {
    findings.AddError(fields.PositionOf("path"), fmt::format("{} is no path to request", Quoted(out.path)),
                      "without spaces; percent-encode them");
  }
  out.search_string = fields.Text("search-string");
  if (SearchesText(out.type) && fields.Has("search-string") && out.search_string.empty()) {
    findings.AddError(fields.PositionOf("search-string"), "an empty `search-string`");
  }
  if (const auto interval = fields.Duration("request-interval")) out.request_interval = *interval;
  if (out.type == HealthCheckType::kTcp) out.timeout = kTcpTimeout;
  if (const auto timeout = fields.Duration("timeout")) out.timeout = *timeout;
  if (const auto value = fields.Integer("failure-threshold"))
    out.failure_threshold = static_cast<std::uint32_t>(*value);
  out.enable_sni = fields.Boolean("enable-sni", true);
}

void DecodeCalculated(const Fields& fields, HealthCheck& out, Decoding& decoding) {
  CheckNotEmpty(fields, "children", decoding.findings);
  for (const Node& child : fields.List("children")) {
    if (!child.is_scalar()) continue;
    const auto index = decoding.health_checks.Resolve(child, decoding.findings);
    if (!index) continue;
    if (std::ranges::find(out.children, *index) != out.children.end()) {
      decoding.findings.AddError(child.position, fmt::format("child {} stands twice", Quoted(child.text)));
    }
    out.children.push_back(*index);
  }
  const auto count = static_cast<std::int64_t>(out.children.size());
  out.health_threshold = static_cast<std::uint32_t>(fields.Integer("health-threshold").value_or(count));
  if (out.health_threshold > out.children.size() && !out.children.empty()) {
    decoding.findings.AddWarning(
        fields.PositionOf("health-threshold"),
        fmt::format("{} healthy children of {} are never reached", out.health_threshold, count),
        "the check is always unhealthy");
  }
}

// The absolute name that `node` gives; absent when it is wrong, which is reported.
std::optional<std::string> DecodeName(const Node& node, std::string_view origin, Findings& findings) {
  auto name = ParseDnsName(node.text, origin);
  if (!name) {
    findings.AddError(node.position, name.error().message, name.error().hint);
    return std::nullopt;
  }
  if (RepeatsZone(node.text, origin)) {
    findings.AddWarning(
        node.position, fmt::format("{} has no final dot: it becomes {}", Quoted(node.text), *name),
        fmt::format("{} is absolute; without the zone's name it is relative", Quoted(fmt::format("{}.", node.text))));
  }
  return *std::move(name);
}

// The absolute name under `key`; `fallback` when there is none or it is reported.
std::string DecodeName(const Fields& fields, std::string_view key, std::string_view origin, std::string fallback,
                       Findings& findings) {
  const Node* const node = fields.Scalar(key);
  if (node == nullptr) return fallback;
  return DecodeName(*node, origin, findings).value_or(std::move(fallback));
}

Soa DecodeSoa(const Fields& fields, const Zone& zone, Findings& findings) {
  Soa out;
  const std::string first = zone.name_servers.empty() ? zone.name : zone.name_servers.front();
  out.mname = DecodeName(fields, "mname", zone.name, first, findings);
  if (const Node* const rname = fields.Scalar("rname");
      rname != nullptr && rname->text.find('@', 1) != std::string_view::npos) {
    findings.AddError(rname->position, fmt::format("{} is no domain name", Quoted(rname->text)),
                      "the @ of the mail address is written as a dot");
  }
  out.rname =
      DecodeName(fields, "rname", zone.name, "hostmaster." + (zone.name == "." ? std::string() : zone.name), findings);
  if (const auto serial = fields.Integer("serial")) out.serial = static_cast<std::uint32_t>(*serial);
  out.refresh_seconds = fields.Seconds("refresh").value_or(out.refresh_seconds);
  out.retry_seconds = fields.Seconds("retry").value_or(out.retry_seconds);
  out.expire_seconds = fields.Seconds("expire").value_or(out.expire_seconds);
  out.minimum_seconds = fields.Seconds("minimum").value_or(out.minimum_seconds);
  out.ttl_seconds = fields.Seconds("ttl").value_or(out.ttl_seconds);
  return out;
}

void DecodeNameServers(const Fields& fields, Zone& zone, Findings& findings) {
  CheckNotEmpty(fields, "name-servers", findings);
  for (const Node& item : fields.List("name-servers")) {
    if (!item.is_scalar()) continue;
    auto name = DecodeName(item, zone.name, findings);
    if (!name) continue;
    if (std::ranges::find(zone.name_servers, *name) != zone.name_servers.end()) {
      findings.AddError(item.position, fmt::format("name server {} stands twice", Quoted(item.text)));
    } else {
      zone.name_servers.push_back(std::move(*name));
    }
  }
}

// The server that the SOA names is one that answers for the zone (RFC 1035 3.3.13): it stands in where no server is
// named.
void DecodeDefaultNameServer(bool has_mname, Zone& zone, Findings& findings) {
  if (!has_mname) {
    findings.AddError(zone.position, fmt::format("zone {} has no name server", Quoted(zone.name)),
                      "give `name-servers: [...]`, or the soa's `mname`");
    return;
  }
  zone.name_servers = {zone.soa.mname};
  findings.AddWarning(zone.position, fmt::format("zone {} has no `name-servers`", Quoted(zone.name)),
                      fmt::format("its NS is the soa's mname, {}", zone.soa.mname));
}

void DecodePolicy(const Fields& fields, RecordSet& out, Decoding& decoding) {
  struct Choice {
    std::string_view key;
    RoutingPolicy policy;
    bool given;
  };
  const std::array<Choice, 7> choices = {{
      {"weight", RoutingPolicy::kWeighted, fields.Has("weight")},
      {"failover", RoutingPolicy::kFailover, fields.Has("failover")},
      {"region", RoutingPolicy::kLatency, fields.Has("region")},
      {"cidr", RoutingPolicy::kCidr, fields.Has("cidr")},
      {"geolocation", RoutingPolicy::kGeolocation, fields.Has("geolocation")},
      {"geoproximity", RoutingPolicy::kGeoproximity, fields.Has("geoproximity")},
      {"multivalue-answer", RoutingPolicy::kMultivalue, fields.Boolean("multivalue-answer", false)},
  }};
  std::string_view first;
  for (const Choice& choice : choices) {
    if (!choice.given) continue;
    if (!first.empty()) {
      decoding.findings.AddError(fields.PositionOf(choice.key), fmt::format("`{}` beside `{}`", choice.key, first),
                                 "a record has one routing policy; an alias to another record adds a second one");
      continue;
    }
    first = choice.key;
    out.policy = choice.policy;
  }
  out.weight = static_cast<std::uint32_t>(fields.Integer("weight").value_or(0));
  out.failover = fields.Choice("failover", kFailoverWords, FailoverRole::kPrimary);
  if (const Node* const region = fields.Scalar("region")) {
    out.region = decoding.regions.Resolve(*region, decoding.findings).value_or(0);
  }
  if (const Node* const cidr = fields.Map("cidr")) out.cidr = DecodeCidrRoute(*cidr, decoding);
  if (const Node* const location = fields.Map("geolocation")) out.geolocation = DecodeGeoLocation(*location, decoding);
  if (const Node* const place = fields.Map("geoproximity")) out.geoproximity = DecodeGeoProximity(*place, decoding);
  out.set = fields.Text("set");
  if (!first.empty() && out.set.empty()) {
    decoding.findings.AddError(fields.PositionOf(fields.Has("set") ? "set" : first),
                               fmt::format("`{}` without a `set`", first),
                               "add `set: ID`, unique among the records of this name and type");
  }
  if (first.empty() && fields.Has("set")) {
    decoding.findings.AddError(
        fields.PositionOf("set"), "a `set` without a routing policy",
        "add weight, failover, region, cidr, geolocation, geoproximity or multivalue-answer, or leave "
        "`set` out");
  }
}

void DecodeAlias(const Fields& fields, const Zone& zone, RecordSet& out, Decoding& decoding) {
  Findings& findings = decoding.findings;
  AliasTarget alias;
  alias.evaluate_target_health = fields.Boolean("evaluate-target-health", false);
  alias.position = fields.PositionOf(fields.Has("record") ? "record" : "load-balancer");
  if (fields.Has("load-balancer") == fields.Has("record")) {
    findings.AddError(fields.position(),
                      fields.Has("record") ? "`load-balancer` beside `record`" : "an alias without a target",
                      "either `load-balancer: NAME` or `record: NAME`");
  }
  if (const Node* const name = fields.Scalar("load-balancer")) {
    alias.load_balancer = decoding.load_balancers.Resolve(*name, findings);
    if (out.type != rr::kA && out.type != rr::kAaaa && out.type != 0) {
      findings.AddError(name->position, fmt::format("a load balancer has no {} records", RecordTypeName(out.type)),
                        "A or AAAA");
    }
  }
  alias.record = DecodeName(fields, "record", zone.name, {}, findings);
  if (!alias.record.empty() && !IsInZone(alias.record, zone.name)) {
    findings.AddError(fields.PositionOf("record"), fmt::format("{} is not in zone {}", alias.record, zone.name),
                      "an alias answers records of its own zone");
  }
  out.alias = std::move(alias);
}

void DecodeAnswer(const Fields& fields, const Zone& zone, RecordSet& out, Decoding& decoding) {
  Findings& findings = decoding.findings;
  out.ttl_seconds = fields.Seconds("ttl");
  if (fields.Has("values") == fields.Has("alias")) {
    findings.AddError(fields.position(), fields.Has("alias") ? "`values` beside `alias`" : "a record without values",
                      "either `values` or `alias`");
  }
  if (const Node* const alias = fields.Map("alias")) {
    DecodeAlias(Fields(*alias), zone, out, decoding);
    if (alias->Find("load-balancer") != nullptr) {
      if (!fields.Has("ttl")) out.ttl_seconds = kLoadBalancerAliasTtl;
    } else if (fields.Has("ttl")) {
      findings.AddError(fields.PositionOf("ttl"), "an alias to a record has no TTL of its own",
                        "it has its target's; leave it out");
    }
    return;
  }
  CheckNotEmpty(fields, "values", findings);
  out.values = fields.LocatedList("values");
  if (fields.Has("values") && !fields.Has("ttl")) {
    findings.AddError(fields.position(), "a record without `ttl`", "add `ttl: 60s`");
  }
  if (out.values.size() < 2) return;
  std::unordered_set<std::string_view> seen;
  for (const LocatedText& value : out.values) {
    if (!seen.insert(value.text).second)
      findings.AddError(value.position, fmt::format("value {} stands twice", Quoted(value.text)));
  }
}

void CheckRecordType(const Fields& fields, const Zone& zone, const RecordSet& record, Findings& findings) {
  const bool apex = record.name == zone.name;
  const Position at = fields.PositionOf("type");
  if (record.type == rr::kSoa)
    findings.AddError(at, "a SOA among the records", "the zone's own is written `soa: {...}`");
  if (record.type == rr::kNs && apex)
    findings.AddError(at, "the zone's NS among its records", "write `name-servers: [...]`");
  if (record.type == rr::kNs && record.name.starts_with("*.")) findings.AddError(at, "a wildcard NS record");
  if (record.type == rr::kCname && apex) {
    findings.AddError(at, "a CNAME at the apex of its zone", "an alias of type A or AAAA does what is meant");
  }
  const bool routed = record.policy != RoutingPolicy::kSimple;
  const bool fixed = record.type == rr::kNs || record.type == rr::kDs;
  if (routed && fixed)
    findings.AddError(at, fmt::format("{} records have no routing policy", RecordTypeName(record.type)));
  if (record.policy == RoutingPolicy::kMultivalue && record.type == rr::kCname) {
    findings.AddError(at, "a CNAME cannot be a multivalue answer");
  }
  if (record.alias && record.type == rr::kNs) findings.AddError(at, "an NS record cannot be an alias");
  if (record.alias && record.policy == RoutingPolicy::kMultivalue) {
    findings.AddError(fields.PositionOf("alias"), "a multivalue answer cannot be an alias",
                      "weighted or failover records can");
  }
  if (record.alias && record.policy == RoutingPolicy::kFailover && !record.alias->evaluate_target_health) {
    findings.AddError(fields.PositionOf("alias"), "a failover alias that does not look at its target's health",
                      "add `evaluate-target-health: true`");
  }
  if (record.type == rr::kCname && record.values.size() > 1) {
    findings.AddError(fields.PositionOf("values"), "a CNAME with several values",
                      "one value; weighted records give several");
  }
}

}  // namespace

HealthCheck DecodeHealthCheck(const Node& node, Decoding& decoding) {
  const Fields fields(node);
  HealthCheck out;
  out.position = fields.PositionOf("name");
  out.name = fields.Text("name");
  out.inverted = fields.Boolean("inverted", false);
  out.disabled = fields.Boolean("disabled", false);
  const auto type = fields.Word("type", kHealthCheckTypeWords);
  if (!type) return out;
  out.type = static_cast<HealthCheckType>(*type);
  CheckTypeKeys(fields, out.type, decoding.findings);
  if (out.type == HealthCheckType::kCalculated) {
    DecodeCalculated(fields, out, decoding);
  } else {
    DecodeEndpointCheck(fields, out, decoding.findings);
  }
  return out;
}

void CheckCalculated(std::span<const HealthCheck> checks, Findings& findings) {
  for (const HealthCheck& check : checks) {
    for (const std::uint32_t child : check.children) {
      if (checks[child].type != HealthCheckType::kCalculated) continue;
      findings.AddError(check.position,
                        fmt::format("calculated check {} counts the calculated check {}", Quoted(check.name),
                                    Quoted(checks[child].name)),
                        "its children probe endpoints; name them directly");
    }
  }
}

RecordSet DecodeRecordSet(const Node& node, const Zone& zone, Decoding& decoding) {
  const Fields fields(node);
  RecordSet out;
  out.position = node.position;
  if (!node.is_map()) return out;
  out.name = DecodeName(fields, "name", zone.name, {}, decoding.findings);
  if (!out.name.empty() && !IsInZone(out.name, zone.name)) {
    decoding.findings.AddError(fields.PositionOf("name"), fmt::format("{} is not in zone {}", out.name, zone.name),
                               "a name that ends in a dot is absolute");
  }
  if (const Node* const type = fields.Scalar("type")) {
    out.type = ParseZoneRecordType(type->text).value_or(0);
    if (out.type == 0) {
      decoding.findings.AddError(type->position, fmt::format("{} is no record type", Quoted(type->text)),
                                 RecordTypeHint(type->text));
    }
  }
  DecodePolicy(fields, out, decoding);
  DecodeAnswer(fields, zone, out, decoding);
  if (const Node* const check = fields.Scalar("health-check")) {
    out.health_check = decoding.health_checks.Resolve(*check, decoding.findings);
  }
  CheckRecordType(fields, zone, out, decoding.findings);
  return out;
}

Zone DecodeZone(const Node& node, Decoding& decoding) {
  const Fields fields(node);
  Zone out;
  out.position = fields.PositionOf("name");
  if (!node.is_map()) return out;
  const std::string name = DecodeName(fields, "name", ".", {}, decoding.findings);
  // The records of a zone whose name is wrong are read all the same, relative to the root.
  out.name = name.empty() ? "." : name;
  DecodeNameServers(fields, out, decoding.findings);
  ZoneFile file;
  if (const LocatedText path = DecodePath(fields, "file", decoding.files); !path.text.empty() && !name.empty()) {
    file = ReadZoneFile(path, name, decoding);
  }
  if (!fields.Has("name-servers") && !file.name_servers.empty()) {
    out.name_servers = std::move(file.name_servers);
    out.ns_ttl_seconds = file.ns_ttl_seconds;
  }
  const Node none{.kind = NodeKind::kMap, .position = node.position};
  const Node* const soa = fields.Map("soa");
  const Fields soa_fields(soa == nullptr ? none : *soa);
  const bool soa_in_file = soa == nullptr && file.soa;
  out.soa = soa_in_file ? *std::move(file.soa) : DecodeSoa(soa_fields, out, decoding.findings);
  // Those of a secondary zone would come from elsewhere: it is refused by name.
  if (!fields.Has("name-servers") && out.name_servers.empty() && !fields.Has("secondary")) {
    DecodeDefaultNameServer(soa_in_file || soa_fields.Has("mname"), out, decoding.findings);
  }
  out.ns_ttl_seconds = fields.Seconds("ns-ttl").value_or(out.ns_ttl_seconds);
  const auto records = fields.List("records");
  out.records = std::move(file.records);
  out.records.reserve(out.records.size() + records.size());
  for (const Node& record : records) out.records.push_back(DecodeRecordSet(record, out, decoding));
  out.name = name;
  return out;
}

}  // namespace weir::config
