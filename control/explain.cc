#include "control/explain.h"

#include "base/text.h"
#include "config/http_versions.h"
#include "dns/explain.h"
#include "dns/wire/types.h"
#include "dns/zone/zone_set.h"
#include "net/tls_certificate.h"
#include "net/tls_choice.h"
#include "proxy/routing/explain.h"
#include "proxy/routing/protocol_version.h"
#include "proxy/routing/request_facts.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::control {
namespace {

namespace json = boost::json;

template <class Range, class Write>
json::array Array(const Range& range, Write write) {
  json::array out;
  out.reserve(range.size());
  for (const auto& item : range) out.push_back(write(item));
  return out;
}

json::array Texts(const std::vector<std::string>& texts) {
  return Array(texts, [](const std::string& text) { return json::value(text); });
}

// ---- requests

json::value Priority(std::uint32_t priority) {
  if (priority == 0) return "default";
  return priority;
}

json::value Write(const proxy::RuleExplanation& rule) {
  return json::object{{"priority", Priority(rule.priority)},
                      {"name", rule.name},
                      {"matched", rule.matched},
                      {"conditions", Array(rule.conditions, [](const proxy::ConditionExplanation& condition) {
                         return json::object{{"condition", condition.label},
                                             {"matched", condition.matched},
                                             {"reason", condition.reason}};
                       })}};
}

json::value Write(const proxy::TargetExplanation& target) {
  json::object out{{"id", target.id},
                   {"zone", target.zone},
                   {"state", ToString(target.state)},
                   {"reason", ToString(target.reason)},
                   {"description", target.description},
                   {"admin-state", ToString(target.admin_state)},
                   {"routable", target.routable},
                   {"share-percent", target.share_percent},
                   {"slow-start", target.slow_start},
                   {"weight", target.weight},
                   {"anomaly", Describe(target.anomaly)},
                   {"requests-under-way", target.outstanding}};
  if (target.zonal_override != health::ZonalOverride::kNone) {
    out["administrative-override"] = ToString(target.zonal_override);
  }
  return out;
}

json::value Write(const proxy::NodeExplanation& node) {
  return json::object{{"name", node.zone},
                      {"healthy", node.healthy},
                      {"registered", node.registered},
                      {"fail-open", node.fail_open},
                      {"answers", node.answers}};
}

json::value Write(const proxy::StickinessExplanation& stickiness) {
  return json::object{{"cookie", stickiness.cookie},
                      {"holds", stickiness.verdict == proxy::StickyVerdict::kHolds},
                      {"fault", ToString(stickiness.verdict)},
                      {"chosen", stickiness.chosen},
                      {"expires", stickiness.expires}};
}

json::value Write(const proxy::GroupExplanation& group) {
  json::object out{
      {"name", group.name},     {"protocol", group.protocol},           {"protocol-version", group.protocol_version},
      {"weight", group.weight}, {"share-percent", group.share_percent}, {"algorithm", group.algorithm}};
  if (group.is_function) out["target-type"] = "lambda";
  if (!group.versions.empty()) out["versions"] = group.versions;
  if (!group.refusal.empty()) out["refusal"] = group.refusal;
  if (!group.policy.empty()) out["ssl-policy"] = group.policy;
  if (!group.stickiness.cookie.empty()) out["stickiness"] = Write(group.stickiness);
  if (!group.hash.key.empty()) {
    out["hash"] = json::object{{"key", group.hash.key},
                               {"has-key", group.hash.has_key},
                               {"chosen", group.hash.chosen},
                               {"overloaded", group.hash.overloaded}};
  }
  if (group.health_known) {
    out["fail-open"] = group.fail_open;
    out["healthy"] = group.healthy;
    out["registered"] = group.registered;
    if (!group.nodes.empty()) out["zones"] = Array(group.nodes, [](const auto& node) { return Write(node); });
    out["targets"] = Array(group.targets, [](const auto& target) { return Write(target); });
  }
  return out;
}

json::value MutualAuthentication(const proxy::RequestExplanation& found) {
  switch (found.mutual_authentication) {
    case config::MutualAuthenticationMode::kOff:
      return json::object{{"mode", "off"}};
    case config::MutualAuthenticationMode::kPassthrough:
      return json::object{{"mode", "passthrough"}};
    case config::MutualAuthenticationMode::kVerify:
      return json::object{{"mode", "verify"}, {"trust-store", found.trust_store}};
  }
  std::unreachable();
}

json::value Write(const proxy::CertificateExplanation& certificate) {
  return json::object{
      {"certificate", certificate.file},  {"key-type", certificate.key_type},
      {"key-bits", certificate.key_bits}, {"not-after", net::FormatCertificateTime(certificate.not_after)},
      {"chosen", certificate.chosen},     {"reason", certificate.reason}};
}

json::value Write(const proxy::TlsExplanation& tls) {
  json::array signatures;
  if (tls.takes_ecdsa) signatures.emplace_back("ecdsa");
  if (tls.takes_rsa) signatures.emplace_back("rsa");
  json::object out{{"ssl-policy", tls.policy},
                   {"ssl-policy-is-default", tls.policy_is_default},
                   {"version-min", tls.version_min},
                   {"version-max", tls.version_max},
                   {"signatures", std::move(signatures)},
                   {"certificates", Array(tls.certificates, [](const auto& item) { return Write(item); })}};
  if (!tls.server_name.empty()) out["server-name"] = tls.server_name;
  return out;
}

// A literal address is no name (RFC 6066 section 3).
std::string NameOfUrl(const proxy::UrlRequest& request) {
  const std::string& host = request.url_host();
  return host.starts_with('[') || IpAddress::Parse(host) ? std::string() : host;
}

Result<net::TlsClientOffer> OfferOf(const HttpQuestion& question) {
  if (question.signatures.empty()) return net::TlsClientOffer{};
  net::TlsClientOffer offer{.takes_rsa = false, .takes_ecdsa = {false, false, false}};
  for (const std::string& signature : question.signatures) {
    if (EqualsIgnoreCase(signature, "rsa")) {
      offer.takes_rsa = true;
    } else if (EqualsIgnoreCase(signature, "ecdsa")) {
      offer.takes_ecdsa.fill(true);
    } else {
      return Failure("`" + signature + "` is no kind of signature", "ecdsa or rsa");
    }
  }
  return offer;
}

// What is asked of TLS; absent for a listener without.
Result<std::optional<proxy::TlsExplanation>> FindTlsExplanation(const proxy::Listener& listener,
                                                                const proxy::UrlRequest& request,
                                                                const HttpQuestion& question) {
  const auto offer = OfferOf(question);
  if (!offer) return std::unexpected(offer.error());
  if (listener.tls == nullptr) {
    if (!question.server_name && question.signatures.empty()) return std::nullopt;
    return Failure("listener " + listener.load_balancer + "/" + std::to_string(listener.port) +
                       " speaks HTTP: its clients send no name and verify no certificate",
                   "leave out the name and the signatures");
  }
  return proxy::ExplainTls(listener, question.server_name.value_or(NameOfUrl(request)), *offer,
                           SystemClock().WallNow());
}

bool TakesHttp2(const proxy::Listener& listener) {
  return config::TakesHttp2(listener.load_balancer_config->attributes, *listener.listener_config);
}

// What is asked for, else what clients choose that have the choice: by ALPN, or without TLS what everybody speaks.
Result<http::Version> VersionOf(const proxy::Listener& listener, const std::string& name) {
  if (name.empty()) {
    return listener.tls != nullptr && TakesHttp2(listener) ? http::Version::kHttp2 : http::Version::kHttp11;
  }
  for (const auto version : {http::Version::kHttp10, http::Version::kHttp11, http::Version::kHttp2}) {
    if (name != proxy::VersionName(version)) continue;
    if (version != http::Version::kHttp2 || TakesHttp2(listener)) return version;
    return Failure("listener " + listener.load_balancer + "/" + std::to_string(listener.port) + " takes no HTTP/2",
                   listener.tls != nullptr ? "routing.http2.enabled of the load balancer is false"
                                           : "listeners of HTTP take it with weir.http2.cleartext.enabled");
  }
  return Failure("`" + name + "` is no version of HTTP", "1.0, 1.1 or 2");
}

std::string RequestJson(const proxy::RequestExplanation& found, const std::string& text) {
  json::object out{
      {"text", text},
      {"load-balancer", found.load_balancer},
      {"port", found.port},
      {"http-version", proxy::VersionName(found.version)},
      {"mutual-authentication", MutualAuthentication(found)},
      {"rule", json::object{{"priority", Priority(found.matched().priority)}, {"name", found.matched().name}}},
      {"rules", Array(found.rules, [](const auto& rule) { return Write(rule); })},
      {"leading-actions", Texts(found.leading_actions)},
      {"action", ToString(found.action)}};
  if (found.tls) out["tls"] = Write(*found.tls);
  if (found.status) out["status-code"] = *found.status;
  if (found.transform_status != proxy::TransformStatus::kNone) {
    out["transform"] = json::object{{"status", ToString(found.transform_status)},
                                    {"host", found.transformed_host},
                                    {"target", found.transformed_target}};
  }
  switch (found.action) {
    case proxy::ActionKind::kForward:
      out["target-groups"] = Array(found.groups, [](const auto& group) { return Write(group); });
      if (!found.stickiness.cookie.empty()) out["stickiness"] = Write(found.stickiness);
      out["weights-overridden"] = found.weights_overridden;
      break;
    case proxy::ActionKind::kRedirect:
      out["location"] = found.location;
      break;
    case proxy::ActionKind::kFixedResponse:
      out["content-type"] = found.content_type;
      out["message-body"] = found.body;
      break;
  }
  return json::serialize(out);
}

// `shop/8080, api/8081`.
std::string ListenerNames(const proxy::RoutingTable& table) {
  std::string out;
  for (const auto& listener : table.listeners()) {
    out += (out.empty() ? "" : ", ") + listener->load_balancer + "/" + std::to_string(listener->port);
  }
  return out;
}

bool BindsAddress(const proxy::Listener& listener, const IpAddress& address) {
  const auto& bound = listener.load_balancer_config->addresses;
  return std::ranges::find(bound, address) != bound.end();
}

// The listener that a connection to the URL would reach: by port, then by address when the URL has one and several
// listeners share the port.
Result<const proxy::Listener*> FindListener(const View& view, const proxy::UrlRequest& request,
                                            const std::string& load_balancer) {
  std::vector<const proxy::Listener*> found;
  bool name_known = load_balancer.empty();
  for (const auto& listener : view.routing->listeners()) {
    if (!load_balancer.empty() && listener->load_balancer != load_balancer) continue;
    name_known = true;
    if (listener->port == request.port()) found.push_back(listener.get());
  }
  if (!name_known)
    return Failure("there is no load balancer `" + load_balancer + "`", "listeners: " + ListenerNames(*view.routing));
  if (found.empty()) {
    return Failure("no listener has port " + std::to_string(request.port()),
                   "put the port into the URL; listeners: " + ListenerNames(*view.routing));
  }
  std::string_view host = request.url_host();
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (const auto address = IpAddress::Parse(host); address && found.size() > 1) {
    for (const auto* listener : found) {
      if (BindsAddress(*listener, *address)) return listener;
    }
  }
  if (found.size() > 1) {
    return Failure("several load balancers listen on port " + std::to_string(request.port()),
                   "name one with --load-balancer, or use its address in the URL with a Host header");
  }
  return found.front();
}

// ---- queries

json::value Write(const dns::HealthExplanation& health) {
  json::object out{{"subject", health.subject}, {"healthy", health.healthy}, {"reason", health.reason}};
  if (!health.children.empty())
    out["children"] = Array(health.children, [](const auto& child) { return Write(child); });
  return out;
}

json::value Write(const dns::CandidateExplanation& candidate) {
  json::object out{
      {"set", candidate.set},           {"healthy", candidate.health.healthy}, {"health", Write(candidate.health)},
      {"eligible", candidate.eligible}, {"chosen", candidate.chosen},          {"figure", candidate.figure},
      {"reason", candidate.reason}};
  if (candidate.share) out["share"] = *candidate.share;
  if (candidate.milliseconds) out["milliseconds"] = *candidate.milliseconds;
  if (candidate.kilometres) out["kilometres"] = *candidate.kilometres;
  if (candidate.block) out["block"] = candidate.block->ToString();
  if (!candidate.alias.empty()) out["alias"] = candidate.alias;
  out["values"] = Texts(candidate.values);
  if (candidate.ttl_seconds) out["ttl"] = *candidate.ttl_seconds;
  return out;
}

json::value Write(const dns::DecisionExplanation& decision) {
  return json::object{{"name", decision.name},
                      {"type", RecordTypeName(decision.type)},
                      {"policy", dns::PolicyName(decision.policy)},
                      {"fail-open", decision.fail_open},
                      {"reason", decision.reason},
                      {"candidates", Array(decision.candidates, [](const auto& item) { return Write(item); })}};
}

std::string QueryJson(const dns::Explanation& found, const std::string& text) {
  json::object out{{"text", text},
                   {"name", found.name},
                   {"type", RecordTypeName(found.type)},
                   {"client", found.client},
                   {"zone", found.zone},
                   {"decisions", Array(found.decisions, [](const auto& decision) { return Write(decision); })},
                   {"rcode", dns::RcodeName(found.rcode)},
                   {"outcome", found.outcome},
                   {"values", Texts(found.values)},
                   {"answer", Texts(found.answer)}};
  if (found.ttl_seconds) out["ttl"] = *found.ttl_seconds;
  if (found.client_scope_bits) out["client-scope-bits"] = *found.client_scope_bits;
  return json::serialize(out);
}

}  // namespace

Result<proxy::RequestExplanation> FindRequestExplanation(const View& view, const HttpQuestion& question) {
  const auto client = IpAddress::Parse(question.from.empty() ? "127.0.0.1" : question.from);
  if (!client) return std::unexpected(client.error());
  const auto request = proxy::MakeFactsFromUrl(question.method, question.url, question.headers, *client);
  if (!request) return std::unexpected(request.error());
  const auto listener = FindListener(view, *request, question.load_balancer);
  if (!listener) return std::unexpected(listener.error());
  auto tls = FindTlsExplanation(**listener, *request, question);
  if (!tls) return std::unexpected(tls.error());
  const auto version = VersionOf(**listener, question.http_version);
  if (!version) return std::unexpected(version.error());
  auto explanation = proxy::ExplainRequest(*view.routing, **listener, request->facts(), request->target_parts(),
                                           view.health.get(), *version);
  explanation.tls = std::move(*tls);
  return explanation;
}

Result<dns::Explanation> FindQueryExplanation(const View& view, const DnsQuestion& question) {
  if (question.name.empty()) return Failure("the question has no name", "ask for a name such as example.test");
  const auto type = ParseRecordType(question.type);
  if (!type) {
    return Failure("`" + question.type + "` is no record type", "use a mnemonic such as A or AAAA, or TYPEnnn");
  }
  std::optional<CidrBlock> client;
  if (!question.from.empty()) {
    const auto block = CidrBlock::Parse(question.from);
    if (!block) return std::unexpected(block.error());
    client = *block;
  }
  return dns::ExplainQuery(view.zones, view.health, question.name, *type, client);
}

Result<ExplainAnswer> ExplainHttp(const View& view, const HttpQuestion& question) {
  const auto found = FindRequestExplanation(view, question);
  if (!found) return std::unexpected(found.error());
  std::string text = proxy::RenderExplanation(*found);
  std::string body = RequestJson(*found, text);
  return ExplainAnswer{std::move(text), std::move(body)};
}

Result<ExplainAnswer> ExplainDns(const View& view, const DnsQuestion& question) {
  const auto found = FindQueryExplanation(view, question);
  if (!found) return std::unexpected(found.error());
  std::string text = dns::RenderText(*found);
  std::string body = QueryJson(*found, text);
  return ExplainAnswer{std::move(text), std::move(body)};
}

}  // namespace weir::control
