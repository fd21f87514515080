#include "base/text.h"
#include "config/decode/decode.h"
#include "config/decode/dns_name.h"
#include "config/document/scalar.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace weir::config {
namespace {

constexpr std::uint64_t kStatusMin = 100;
constexpr std::uint64_t kStatusMax = 599;

// `200`, `200,202`, `200-299`; absent when it is none of them.
std::optional<CodeMatcher> ParseMatcher(std::string_view text) {
  CodeMatcher out;
  out.ranges.clear();
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::size_t dash = part.find('-');
    const auto first = ParseDecimal(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : ParseDecimal(part.substr(dash + 1));
    if (!first || !last || *first < kStatusMin || *last > kStatusMax || *first > *last) return std::nullopt;
    out.ranges.emplace_back(static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

void CheckProbePath(const Fields& fields, const std::string& path, Findings& findings) {
  const bool plain = std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7F; });
  if (path.starts_with('/') && plain) return;
  findings.AddError(fields.PositionOf("path"), fmt::format("{} is no path to request", Quoted(path)),
                    "starts with /, without spaces; percent-encode the rest");
}

void DecodeTiming(const Fields& fields, TargetHealthCheck& out, Findings& findings) {
  if (const auto interval = fields.Duration("interval")) out.interval = *interval;
  const auto timeout = fields.Duration("timeout");
  // A shorter interval alone should not need a second key.
  out.timeout = timeout.value_or(std::min(out.timeout, out.interval));
  // An interval that is too short for any timeout was reported.
  if (out.timeout > out.interval && out.interval.count() >= kProbeIntervalMinMilliseconds) {
    findings.AddError(
        fields.PositionOf("timeout"),
        fmt::format("`timeout` is longer than the interval of {}", fields.Text("interval", DurationText(out.interval))),
        "at most the interval");
  }
}

// `out` has the protocol of the group.
void DecodeHealth(const Fields& fields, Findings& findings, TargetHealthCheck& out) {
  out.protocol = fields.Choice("protocol", kProbeProtocolWords, out.protocol);
  out.port = fields.Port("port");
  out.path = fields.Text("path", out.path);
  CheckProbePath(fields, out.path, findings);
  DecodeTiming(fields, out, findings);
  if (const auto value = fields.Integer("healthy-threshold"))
    out.healthy_threshold = static_cast<std::uint32_t>(*value);
  if (const auto value = fields.Integer("unhealthy-threshold")) {
    out.unhealthy_threshold = static_cast<std::uint32_t>(*value);
  }
  if (const Node* const matcher = fields.Scalar("matcher")) {
    if (auto parsed = ParseMatcher(matcher->text)) {
      out.matcher = std::move(*parsed);
    } else {
      findings.AddError(matcher->position, fmt::format("`matcher` cannot be {}", Quoted(matcher->text)),
                        "status codes from 100 to 599: 200, or 200,202, or 200-299");
    }
  }
  for (const std::string_view key : {"path", "matcher"}) {
    if (out.protocol != ProbeProtocol::kTcp || !fields.Has(key)) continue;
    findings.AddError(fields.PositionOf(key), fmt::format("`{}` has no meaning for a TCP health check", key),
                      "leave it out");
  }
}

// What could not be read is reported and left empty.
Target DecodeTarget(const Node& node, Findings& findings) {
  const Fields fields(node);
  Target out;
  out.position = node.position;
  if (!node.is_map()) return out;
  out.address = fields.Address("address");
  out.host = ToLowerAscii(fields.Text("host"));
  out.port = fields.Port("port").value_or(0);
  out.zone = fields.Text("zone");
  out.weight = static_cast<std::uint16_t>(fields.Integer("weight").value_or(1));
  if (fields.Has("address") == fields.Has("host")) {
    findings.AddError(node.position, fields.Has("host") ? "`address` beside `host`" : "a target without an address",
                      "either `address` or `host`");
    return out;
  }
  if (out.address && out.address->is_wildcard()) {
    findings.AddError(fields.PositionOf("address"), fmt::format("{} cannot be a target", out.address->ToString()));
  }
  if (fields.Scalar("host") != nullptr && !IsHostName(out.host)) {
    out.host.clear();
    findings.AddError(fields.PositionOf("host"), fmt::format("{} is no host name", Quoted(fields.Text("host"))));
  }
  return out;
}

void DecodeTargets(const Fields& fields, TargetGroup& out, Findings& findings) {
  std::set<std::pair<std::string, std::uint16_t>> seen;
  for (const Node& node : fields.List("targets")) {
    Target target = DecodeTarget(node, findings);
    const std::string id = target.address ? target.address->ToString() : target.host;
    if (!id.empty() && target.port != 0 && !seen.emplace(id, target.port).second) {
      findings.AddError(node.position,
                        fmt::format("{} port {} stands twice in target group {}", id, target.port, Quoted(out.name)),
                        "one target per address and port");
    }
    out.targets.push_back(std::move(target));
  }
  // A list that cannot be read is not an empty one, nor is a function, which is refused by name.
  const Node* const list = fields.node().Find("targets");
  if ((list != nullptr && !list->is_list()) || fields.Has("function")) out.targets.emplace_back();
}

// `off` is absent.
std::optional<std::uint32_t> DecodeThreshold(const Fields& fields, std::string_view key,
                                             std::optional<std::uint32_t> fallback) {
  if (!fields.Has(key)) return fallback;
  const auto value = fields.Integer(key);
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

void DecodeAttributes(const Fields& fields, TargetGroup& out, Findings& findings) {
  DecodeBalancing(fields, out, findings);
  DecodeStickiness(fields, out, findings);
  if (const auto value = fields.Integer("deregistration_delay.timeout_seconds")) {
    out.deregistration_delay = std::chrono::seconds(*value);
  }
  out.proxy_protocol = fields.Choice("weir.proxy_protocol.version", kProxyProtocolWords, ProxyProtocol::kOff);
  const auto decode = [&](std::string_view feature) {
    const std::string prefix = fmt::format("target_group_health.{}.minimum_healthy_targets.", feature);
    return MinimumHealthy{DecodeThreshold(fields, prefix + "count", 1),
                          DecodeThreshold(fields, prefix + "percentage", std::nullopt)};
  };
  out.cross_zone = fields.Choice("load_balancing.cross_zone.enabled", kCrossZoneWords, out.cross_zone);
  out.unhealthy_state_routing = decode("unhealthy_state_routing");
  out.dns_failover = decode("dns_failover");
}

}  // namespace

TargetGroup DecodeTargetGroup(const Node& node, Decoding& decoding) {
  const Fields fields(node);
  TargetGroup out;
  out.position = fields.PositionOf("name");
  out.name = fields.Text("name");
  out.protocol = fields.Choice("protocol", kTargetProtocolWords, TargetProtocol::kHttp);
  DecodeTargetTls(fields, decoding, out);
  DecodeTargets(fields, out, decoding.findings);
  if (out.protocol == TargetProtocol::kHttps) out.health_check.protocol = ProbeProtocol::kHttps;
  if (const Node* const check = fields.Map("health-check")) {
    DecodeHealth(Fields(*check), decoding.findings, out.health_check);
  }
  if (const Node* const attributes = fields.Map("attributes")) {
    DecodeAttributes(Fields(*attributes), out, decoding.findings);
  }
  return out;
}

}  // namespace weir::config
