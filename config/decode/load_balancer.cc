#include "base/text.h"
#include "config/decode/decode.h"
#include "config/document/packed.h"
#include "config/document/sources.h"
#include "config/findings.h"
#include "config/http_versions.h"
#include "config/limits.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

namespace weir::config {
namespace {

// spec: alb.md section 3. A value at most 1 KB long is accepted there.
constexpr std::size_t kHeaderValueBytesMax = 1024;

struct ResponseAttribute {
  std::string_view key;  // between routing.http.response. and .header_value
  std::string_view field;
};
constexpr auto kResponseAttributes = std::to_array<ResponseAttribute>({
    {"strict_transport_security", "Strict-Transport-Security"},
    {"access_control_allow_origin", "Access-Control-Allow-Origin"},
    {"access_control_allow_methods", "Access-Control-Allow-Methods"},
    {"access_control_allow_headers", "Access-Control-Allow-Headers"},
    {"access_control_allow_credentials", "Access-Control-Allow-Credentials"},
    {"access_control_expose_headers", "Access-Control-Expose-Headers"},
    {"access_control_max_age", "Access-Control-Max-Age"},
    {"content_security_policy", "Content-Security-Policy"},
    {"x_content_type_options", "X-Content-Type-Options"},
    {"x_frame_options", "X-Frame-Options"},
});

bool Binds(IpAddressType type, const IpAddress& address) {
  return (address.is_v4() ? IpAddressType::kIpv6 : IpAddressType::kIpv4) != type;
}

bool Advertises(IpAddressType type, const IpAddress& address) {
  return Binds(type, address) && !(address.is_v4() && type == IpAddressType::kDualstackWithoutPublicIpv4);
}

// The addresses of a list, without those of a family that ip-address-type leaves out, which is an error.
std::vector<IpAddress> DecodeAddresses(const Fields& fields, std::string_view key, IpAddressType type,
                                       Findings& findings) {
  std::vector<IpAddress> out;
  CheckNotEmpty(fields, key, findings);
  for (const Node& item : fields.List(key)) {
    const auto address = item.is_scalar() ? IpAddress::ParseZoned(item.text) : Result<IpAddress>(Failure({}));
    if (!address) continue;
    if (!(key == "advertise" ? Advertises : Binds)(type, *address)) {
      findings.AddError(item.position,
                        fmt::format("{} does not fit `ip-address-type: {}`", address->ToString(),
                                    kIpAddressTypeWords[static_cast<std::size_t>(type)]),
                        "take it out, or write `ip-address-type: dualstack`");
    } else if (std::ranges::find(out, *address) != out.end()) {
      findings.AddError(item.position, fmt::format("{} stands twice in `{}`", address->ToString(), key));
    } else {
      out.push_back(*address);
    }
  }
  return out;
}

std::vector<IpAddress> Wildcards(IpAddressType type) {
  std::vector<IpAddress> out;
  if (type != IpAddressType::kIpv6) out.push_back(IpAddress::AnyV4());
  if (type != IpAddressType::kIpv4) out.push_back(IpAddress::AnyV6());
  return out;
}

// What DNS aliases answer for those who bind `addresses`.
std::vector<IpAddress> DecodeAdvertised(const Fields& fields, const std::vector<IpAddress>& addresses,
                                        IpAddressType type, Findings& findings) {
  std::vector<IpAddress> out = DecodeAddresses(fields, "advertise", type, findings);
  if (std::ranges::any_of(out, &IpAddress::is_wildcard)) {
    findings.AddError(fields.PositionOf("advertise"), "a wildcard address cannot be advertised",
                      "the address that clients reach");
  }
  const auto has_zone = [](const IpAddress& address) { return address.zone() != 0; };
  if (std::ranges::any_of(out, has_zone)) {
    findings.AddError(fields.PositionOf("advertise"), "an address with a zone cannot be advertised",
                      "records have no zones: an address that clients reach from elsewhere");
  }
  if (fields.Has("advertise")) return out;
  std::ranges::copy_if(addresses, std::back_inserter(out), [&](const IpAddress& address) {
    return !address.is_wildcard() && !has_zone(address) && Advertises(type, address);
  });
  return out;
}

// A node goes by its addresses: none is that of another one, none is a wildcard.
void CheckNode(const Fields& fields, const LoadBalancerNode& node, const LoadBalancer& balancer, Findings& findings) {
  if (std::ranges::any_of(node.addresses, &IpAddress::is_wildcard)) {
    findings.AddError(fields.PositionOf("addresses"), "a node of a zone cannot bind a wildcard address",
                      "addresses of its own");
  }
  for (const LoadBalancerNode& other : balancer.nodes) {
    if (!node.zone.empty() && other.zone == node.zone) {
      findings.AddError(node.position, fmt::format("a second zone named {}", Quoted(node.zone)),
                        fmt::format("the first is {}", LineText(other.position)));
    }
    const auto common = [&](std::string_view key, const std::vector<IpAddress>& mine,
                            const std::vector<IpAddress>& others) {
      for (const IpAddress& address : mine) {
        if (std::ranges::find(others, address) == others.end()) continue;
        findings.AddError(fields.PositionOf(key),
                          fmt::format("{} is an address of zone {} too", address.ToString(), Quoted(other.zone)),
                          "each node has addresses of its own");
      }
    };
    common("addresses", node.addresses, other.addresses);
    if (fields.Has("advertise")) common("advertise", node.advertise, other.advertise);
  }
}

void DecodeNodes(const Fields& fields, LoadBalancer& out, Findings& findings) {
  CheckNotEmpty(fields, "zones", findings);
  for (const std::string_view key : {"addresses", "advertise"}) {
    if (!fields.Has(key)) continue;
    findings.AddError(fields.PositionOf(key), fmt::format("`{}` beside `zones`", key), "each zone has its own");
  }
  for (const Node& item : fields.List("zones")) {
    const Fields zone(item);
    LoadBalancerNode node{.zone = zone.Text("name"), .addresses = {}, .advertise = {}, .position = item.position};
    node.addresses = DecodeAddresses(zone, "addresses", out.ip_address_type, findings);
    node.advertise = DecodeAdvertised(zone, node.addresses, out.ip_address_type, findings);
    CheckNode(zone, node, out, findings);
    std::ranges::copy(node.addresses, std::back_inserter(out.addresses));
    std::ranges::copy(node.advertise, std::back_inserter(out.advertise));
    out.nodes.push_back(std::move(node));
  }
  if (out.nodes.size() > kNodesMax) {
    findings.AddError(fields.PositionOf("zones"), fmt::format("{} zones", out.nodes.size()),
                      fmt::format("at most {}", kNodesMax));
  }
}

void DecodeBinding(const Fields& fields, LoadBalancer& out, Findings& findings) {
  out.ip_address_type = fields.Choice("ip-address-type", kIpAddressTypeWords, IpAddressType::kDualstack);
  if (fields.Has("zones")) return DecodeNodes(fields, out, findings);
  out.addresses = DecodeAddresses(fields, "addresses", out.ip_address_type, findings);
  // Addresses that cannot be read are not the wildcards: they would collide with others.
  if (!fields.Has("addresses")) out.addresses = Wildcards(out.ip_address_type);
  out.advertise = DecodeAdvertised(fields, out.addresses, out.ip_address_type, findings);
}

LoadBalancerAttributes DecodeAttributes(const Fields& fields) {
  LoadBalancerAttributes out;
  if (const auto value = fields.Integer("idle_timeout.timeout_seconds"))
    out.idle_timeout = std::chrono::seconds(*value);
  if (const auto value = fields.Integer("client_keep_alive.seconds"))
    out.client_keep_alive = std::chrono::seconds(*value);
  out.desync_mitigation_mode =
      fields.Choice("routing.http.desync_mitigation_mode", kDesyncModeWords, out.desync_mitigation_mode);
  out.drop_invalid_header_fields = fields.Boolean("routing.http.drop_invalid_header_fields.enabled", false);
  out.preserve_host_header = fields.Boolean("routing.http.preserve_host_header.enabled", false);
  out.xff_client_port = fields.Boolean("routing.http.xff_client_port.enabled", false);
  out.xff_processing = fields.Choice("routing.http.xff_header_processing.mode", kXffModeWords, out.xff_processing);
  out.http2 = fields.Boolean("routing.http2.enabled", true);
  out.tls_version_and_cipher_suite = fields.Boolean("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", false);
  out.cross_zone = fields.Boolean("load_balancing.cross_zone.enabled", true);
  out.zonal_shift = fields.Boolean("zonal_shift.config.enabled", false);
  out.makes_traceparent = fields.Boolean("weir.traceparent.enabled", false);
  return out;
}

// A field value that can be sent as it is; spec: alb.md section 3 for the two fields with a fixed vocabulary.
void CheckFieldValue(const Node& value, std::string_view field, Findings& findings) {
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (!std::ranges::all_of(value.text, is_plain)) {
    findings.AddError(value.position, fmt::format("the value of {} holds a character that cannot be sent", field),
                      "visible ASCII and spaces");
  }
  if (value.text.size() > kHeaderValueBytesMax) {
    findings.AddError(value.position,
                      fmt::format("the value of {} is longer than {} bytes", field, kHeaderValueBytesMax));
  }
  if (field == "X-Content-Type-Options" && value.text != "nosniff") {
    findings.AddError(value.position, fmt::format("X-Content-Type-Options cannot be {}", Quoted(value.text)),
                      "nosniff");
  }
  const bool frame = value.text == "DENY" || value.text == "SAMEORIGIN" || value.text.starts_with("ALLOW-FROM ");
  if (field == "X-Frame-Options" && !frame) {
    findings.AddError(value.position, fmt::format("X-Frame-Options cannot be {}", Quoted(value.text)),
                      "DENY, SAMEORIGIN or ALLOW-FROM URI");
  }
}

// Blocks with commas between; a blank may follow each.
std::vector<CidrBlock> DecodeSenders(const Node& list, Findings& findings) {
  std::vector<CidrBlock> out;
  std::string_view rest = list.text;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    std::string_view item = rest.substr(0, comma);
    more = comma != std::string_view::npos;
    rest = more ? rest.substr(comma + 1) : std::string_view();
    item = TrimBlanks(item);
    if (const auto block = CidrBlock::Parse(item)) {
      out.push_back(*block);
    } else {
      findings.AddError(list.position,
                        fmt::format("{} is no network of a sender: {}", Quoted(item), block.error().message),
                        "blocks with commas between, 10.0.0.0/8, 2001:db8::/32");
    }
  }
  return out;
}

// Whoever may send the header may say that a request comes from anywhere.
void DecodeProxyProtocol(const Fields& fields, ListenerAttributes& out, Findings& findings) {
  out.proxy_protocol = fields.Boolean("weir.proxy_protocol.enabled", false);
  const Node* const senders = fields.Scalar("weir.proxy_protocol.senders");
  if (senders != nullptr) out.proxy_senders = DecodeSenders(*senders, findings);
  if (!out.proxy_protocol || fields.Has("weir.proxy_protocol.senders")) return;
  findings.AddError(fields.PositionOf("weir.proxy_protocol.enabled"),
                    "weir.proxy_protocol.enabled needs weir.proxy_protocol.senders",
                    "the networks of those who may say whose a connection is; 0.0.0.0/0, ::/0 for everybody");
}

ListenerAttributes DecodeListenerAttributes(const Fields& fields, Findings& findings) {
  ListenerAttributes out;
  out.server_header_enabled = fields.Boolean("routing.http.response.server.enabled", true);
  for (const ResponseAttribute& attribute : kResponseAttributes) {
    const Node* const value = fields.Scalar(fmt::format("routing.http.response.{}.header_value", attribute.key));
    if (value == nullptr || value->text.empty()) continue;
    CheckFieldValue(*value, attribute.field, findings);
    out.response_fields.emplace_back(attribute.field, value->text);
  }
  const auto rename = [&fields](std::string_view field, std::string& name) {
    const std::string given = fields.Text(fmt::format("routing.http.request.{}.header_name", field));
    if (!given.empty()) name = given;
  };
  rename("x_amzn_tls_version", out.tls_version_field);
  rename("x_amzn_tls_cipher_suite", out.tls_cipher_suite_field);
  rename("x_amzn_mtls_clientcert_serial_number", out.mtls_fields.serial_number);
  rename("x_amzn_mtls_clientcert_issuer", out.mtls_fields.issuer);
  rename("x_amzn_mtls_clientcert_subject", out.mtls_fields.subject);
  rename("x_amzn_mtls_clientcert_validity", out.mtls_fields.validity);
  rename("x_amzn_mtls_clientcert_leaf", out.mtls_fields.leaf);
  rename("x_amzn_mtls_clientcert", out.mtls_fields.chain);
  DecodeProxyProtocol(fields, out, findings);
  out.http2_cleartext = fields.Boolean("weir.http2.cleartext.enabled", false);
  out.http2_extended_connect = fields.Boolean("weir.http2.extended_connect.enabled", false);
  return out;
}

}  // namespace

Rule DecodeRule(const Node& node, Decoding& decoding) {
  const Fields fields(node);
  Rule rule;
  rule.position = node.position;
  rule.name = fields.Text("name");
  rule.priority = static_cast<std::uint32_t>(fields.Integer("priority").value_or(0));
  const Node* const conditions = node.Find("conditions");
  if (!node.is_map() || (conditions != nullptr && !conditions->is_list())) {
    // What cannot be read is no rule that takes everything: no value, no request.
    rule.conditions.push_back({.position = node.position});
  } else {
    rule.conditions = DecodeConditions(fields.List("conditions"), decoding);
  }
  rule.transforms = DecodeTransforms(fields, decoding.findings);
  DecodeActions(fields, "actions", decoding, rule);
  if (!rule.transforms.empty() && !std::holds_alternative<ForwardAction>(rule.action)) {
    decoding.findings.AddWarning(fields.PositionOf("transforms"), "nothing is transformed where nothing is forwarded");
  }
  return rule;
}

namespace {

// Priorities and names are what rules are told apart by.
void CheckRules(const Listener& listener, std::span<const Node> nodes, Findings& findings) {
  const bool unique = std::ranges::is_sorted(listener.rules, std::ranges::less_equal(), &Rule::priority);
  const bool named = std::ranges::any_of(listener.rules, [](const auto& rule) { return !rule->name.empty(); });
  if (unique && !named) return;
  std::unordered_map<std::uint32_t, Position> priorities;
  std::unordered_map<std::string_view, Position> names;
  for (std::size_t i = 0; i < listener.rules.size(); ++i) {
    const Rule& rule = *listener.rules[i];
    const auto position_of = [&](std::string_view key) {
      Tree tree;
      const Node node = Unpacked(nodes[i], tree);
      return Fields(node).PositionOf(key);
    };
    if (const auto [at, fresh] = priorities.emplace(rule.priority, rule.position); !fresh && rule.priority != 0) {
      findings.AddError(position_of("priority"), fmt::format("a second rule with priority {}", rule.priority),
                        fmt::format("the first is {}; priorities are unique in a listener", LineText(at->second)));
    }
    if (rule.name.empty()) continue;
    if (const auto [at, fresh] = names.emplace(rule.name, rule.position); !fresh) {
      findings.AddError(position_of("name"), fmt::format("a second rule named {} in this listener", Quoted(rule.name)),
                        fmt::format("the first is {}", LineText(at->second)));
    }
  }
}

Listener DecodeListener(const Node& node, RulePlace place, const LoadBalancerAttributes& balancer, Decoding& decoding) {
  const Fields fields(node);
  Listener out;
  out.position = fields.PositionOf("port");
  out.port = fields.Port("port").value_or(0);
  DecodeListenerTls(fields, decoding, out);
  if (const Node* const attributes = fields.Map("attributes")) {
    out.attributes = DecodeListenerAttributes(Fields(*attributes), decoding.findings);
    if (out.attributes.http2_cleartext && out.protocol != ListenerProtocol::kHttp) {
      decoding.findings.AddError(Fields(*attributes).PositionOf("weir.http2.cleartext.enabled"),
                                 "`weir.http2.cleartext.enabled` has no meaning for an HTTPS listener",
                                 "HTTPS listeners offer HTTP/2 by `routing.http2.enabled` of the load balancer");
    }
    if (out.attributes.http2_extended_connect && !TakesHttp2(balancer, out)) {
      decoding.findings.AddError(Fields(*attributes).PositionOf("weir.http2.extended_connect.enabled"),
                                 "`weir.http2.extended_connect.enabled` has no meaning without HTTP/2",
                                 out.protocol == ListenerProtocol::kHttps
                                     ? "the load balancer has `routing.http2.enabled: false`"
                                     : "HTTP listeners take HTTP/2 with `weir.http2.cleartext.enabled`");
    }
  }
  const bool speaks_http = out.protocol == ListenerProtocol::kHttp;
  const auto rules = fields.List("rules");
  out.rules.reserve(rules.size());
  place.listener_port = out.port;
  place.listener_speaks_http = speaks_http;
  for (const Node& rule : rules) {
    out.rules.push_back(TakeRule(rule, place, decoding));
    ++place.rule;
  }
  CheckRules(out, rules, decoding.findings);
  std::ranges::stable_sort(out.rules, {}, &Rule::priority);
  out.default_rule.position = fields.PositionOf("default-actions");
  DecodeActions(fields, "default-actions", decoding, out.default_rule);
  if (speaks_http) CheckSecureRedirect(fields, "default-actions", out.port, decoding.findings);
  CheckLeadingActions(fields, "default-actions", speaks_http, decoding.findings);
  return out;
}

}  // namespace

LoadBalancer DecodeLoadBalancer(const Node& node, std::size_t index, Decoding& decoding) {
  const Fields fields(node);
  LoadBalancer out;
  out.position = fields.PositionOf("name");
  out.name = fields.Text("name");
  DecodeBinding(fields, out, decoding.findings);
  if (const Node* const attributes = fields.Map("attributes")) out.attributes = DecodeAttributes(Fields(*attributes));
  DecodeLogs(fields, decoding, out);
  for (const Node& listener : fields.List("listeners")) {
    const RulePlace first{.load_balancer = static_cast<std::uint32_t>(index),
                          .listener = static_cast<std::uint32_t>(out.listeners.size())};
    out.listeners.push_back(DecodeListener(listener, first, out.attributes, decoding));
  }
  const Node* const listeners = node.Find("listeners");
  const bool none = listeners == nullptr || (listeners->is_list() && listeners->children.empty());
  if (none && !out.name.empty()) {
    decoding.findings.AddWarning(out.position, fmt::format("load balancer {} has no listener", Quoted(out.name)),
                                 "it takes no requests");
  }
  return out;
}

}  // namespace weir::config
