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

// The codes that a matcher may name; spec: alb.md 11.
struct CodeBounds {
  std::uint64_t min = 100;
  std::uint64_t max = 599;
  std::string_view hint = "status codes from 100 to 599: 200, or 200,202, or 200-299";
};
constexpr CodeBounds kStatusCodes;
constexpr CodeBounds kGrpcCodes{.min = 0, .max = 99, .hint = "gRPC's codes from 0 to 99: 0, or 0,12, or 0-99"};

// What AWS gives the health checks of a group of gRPC; spec: alb.md 11.
constexpr std::string_view kGrpcCheckPath = "/AWS.ALB/healthcheck";
constexpr std::uint16_t kGrpcUnimplemented = 12;

// `200`, `200,202`, `200-299`; absent when it is none of them.
std::optional<CodeMatcher> ParseMatcher(std::string_view text, const CodeBounds& bounds) {
  CodeMatcher out;
  out.ranges.clear();
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::size_t dash = part.find('-');
    const auto first = ParseDecimal(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : ParseDecimal(part.substr(dash + 1));
    if (!first || !last || *first < bounds.min || *last > bounds.max || *first > *last) return std::nullopt;
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

// `out` has the protocol of the group, and what depends on its version.
void DecodeHealth(const Fields& fields, Findings& findings, TargetHealthCheck& out) {
  out.enabled = fields.Boolean("enabled", out.enabled);
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
    const CodeBounds& bounds = out.version == TargetProtocolVersion::kGrpc ? kGrpcCodes : kStatusCodes;
    if (auto parsed = ParseMatcher(matcher->text, bounds)) {
      out.matcher = std::move(*parsed);
    } else {
      findings.AddError(matcher->position, fmt::format("`matcher` cannot be {}", Quoted(matcher->text)),
                        std::string(bounds.hint));
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
  // A list that cannot be read is not an empty one.
  const Node* const list = fields.node().Find("targets");
  if (list != nullptr && !list->is_list()) out.targets.emplace_back();
}

// `off` is absent.
std::optional<std::uint32_t> DecodeThreshold(const Fields& fields, std::string_view key,
                                             std::optional<std::uint32_t> fallback) {
  if (!fields.Has(key)) return fallback;
  const auto value = fields.Integer(key);
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

// spec: alb.md 7.1, 7.3, 12.7. What means nothing for the version of the group is a mistake.
void DecodeHttp2(const Fields& fields, TargetGroup& out, Findings& findings) {
  using enum TargetProtocolVersion;
  constexpr std::string_view kResets = "routing.http2.rst_stream_error_forwarding.enabled";
  constexpr std::string_view kHttp1Requests = "weir.http1_requests.enabled";
  constexpr std::string_view kProxy = "weir.proxy_protocol.version";
  out.forwards_resets = fields.Boolean(kResets, false);
  out.takes_http1 = fields.Boolean(kHttp1Requests, false);
  if (out.forwards_resets && out.protocol_version == kHttp1) {
    findings.AddError(fields.PositionOf(kResets), fmt::format("`{}` needs targets that speak HTTP/2", kResets),
                      "protocol-version: HTTP2 or GRPC");
  }
  if (out.takes_http1 && out.protocol_version != kHttp2) {
    findings.AddError(fields.PositionOf(kHttp1Requests), fmt::format("`{}` needs `HTTP2`", kHttp1Requests),
                      out.protocol_version == kGrpc ? "gRPC is HTTP/2 alone" : "a group of HTTP1 takes them anyway");
  }
  if (out.proxy_protocol != ProxyProtocol::kOff && out.protocol_version != kHttp1) {
    findings.AddError(fields.PositionOf(kProxy),
                      fmt::format("`{}` with `protocol-version: {}`", kProxy,
                                  kProtocolVersionWords[std::to_underlying(out.protocol_version)]),
                      "the header names one client, and requests of many share a connection of HTTP/2");
  }
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
  DecodeHttp2(fields, out, findings);
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
  out.protocol_version = fields.Choice("protocol-version", kProtocolVersionWords, TargetProtocolVersion::kHttp1);
  DecodeFunction(fields, decoding, out);
  DecodeTargetTls(fields, decoding, out);
  DecodeTargets(fields, out, decoding.findings);
  if (out.protocol == TargetProtocol::kHttps) out.health_check.protocol = ProbeProtocol::kHttps;
  out.health_check.version = out.protocol_version;
  if (out.protocol_version == TargetProtocolVersion::kGrpc) {
    out.health_check.path = kGrpcCheckPath;
    out.health_check.matcher.ranges = {{kGrpcUnimplemented, kGrpcUnimplemented}};
  }
  if (const Node* const check = fields.Map("health-check")) {
    DecodeHealth(Fields(*check), decoding.findings, out.health_check);
  }
  if (const Node* const attributes = fields.Map("attributes")) {
    DecodeAttributes(Fields(*attributes), out, decoding.findings);
  }
  return out;
}

}  // namespace weir::config
