#include "proxy/routing/explain.h"

#include "base/printable.h"
#include "net/tls_certificate.h"
#include "net/tls_server.h"
#include "proxy/actions/authenticate/plan.h"
#include "proxy/routing/conditions.h"
#include "proxy/routing/transforms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>

namespace weir::proxy {

std::string RuleExplanation::Title() const {
  if (priority == 0) return "default";
  return name.empty() ? fmt::format("{}", priority) : fmt::format("{} ({})", priority, name);
}

namespace {

RuleExplanation ExplainRule(const Rule& rule, const RequestFacts& facts) {
  RuleExplanation explained{
      .priority = rule.priority, .name = std::string(rule.name), .matched = true, .conditions = {}};
  for (const auto& condition : rule.conditions) {
    const bool matched = condition->Matches(facts);
    explained.matched = explained.matched && matched;
    explained.conditions.push_back(
        {.label = condition->label(), .reason = condition->Explain(facts), .matched = matched});
  }
  return explained;
}

void ExplainTransforms(const Rule& rule, const RequestTargetParts& parts, RequestExplanation& explanation) {
  if (rule.transforms == nullptr || explanation.action != ActionKind::kForward) return;
  TransformedRequest transformed;
  explanation.transform_status = rule.transforms->Apply(
      parts.host, parts.path, parts.query.empty() ? std::nullopt : std::optional(parts.query), transformed);
  explanation.transformed_host = std::move(transformed.host);
  explanation.transformed_target = std::move(transformed.target);
}

// What an action has done since the program started: `; so far it let 3 of 6 requests go on, answered 2, failed 1: 1
// JWTInvalidSignature`. Empty when it was asked nothing, as where nothing runs.
std::string WhatItDid(const LeadingActionCountersTable& counters) {
  const auto passed = counters.Sum([](const LeadingActionCounters& of) { return of.passed.value(); });
  const auto answered = counters.Sum([](const LeadingActionCounters& of) { return of.answered.value(); });
  std::uint64_t failed = 0;
  std::string reasons;
  for (std::size_t code = 0; code < kErrorCodeCount; ++code) {
    const auto count = counters.Sum([code](const LeadingActionCounters& of) { return of.failed[code].value(); });
    if (count == 0) continue;
    failed += count;
    reasons +=
        fmt::format("{} {} {}", reasons.empty() ? ":" : ",", count, TraitsOf(static_cast<ErrorCode>(code)).reason);
  }
  if (passed + answered + failed == 0) return {};
  return fmt::format("; so far it let {} of {} requests go on, answered {}, failed {}{}", passed,
                     passed + answered + failed, answered, failed, reasons);
}

}  // namespace

TlsExplanation ExplainTls(const Listener& listener, std::string_view server_name, const net::TlsClientOffer& offer,
                          WallTime now) {
  const net::TlsServerPlan& plan = *listener.tls;
  TlsExplanation out{.policy = plan.policy->name,
                     .policy_is_default = listener.listener_config->ssl_policy_is_default,
                     .version_min = net::ToString(plan.policy->version_min),
                     .version_max = net::ToString(plan.policy->version_max),
                     .server_name = std::string(server_name),
                     .takes_ecdsa = std::ranges::count(offer.takes_ecdsa, true) > 0,
                     .takes_rsa = offer.takes_rsa,
                     .certificates = {}};
  const auto explained = plan.choice->Explain(server_name, offer, now);
  const auto& credentials = plan.choice->credentials();
  for (std::size_t i = 0; i < credentials.size(); ++i) {
    const net::TlsCertificateFacts& facts = credentials[i]->facts();
    out.certificates.push_back({.file = credentials[i]->certificate_file(),
                                .key_type = facts.key_type == net::TlsKeyType::kRsa ? "RSA" : "ECDSA",
                                .key_bits = facts.key_bits,
                                .not_after = facts.not_after,
                                .chosen = explained.certificates[i].chosen,
                                .reason = explained.certificates[i].reason});
  }
  return out;
}

RequestExplanation ExplainRequest(const RoutingTable& table, const Listener& listener, const RequestFacts& facts,
                                  const RequestTargetParts& parts, const health::StatusTable* status,
                                  http::Version version) {
  RequestExplanation explanation;
  explanation.version = version;
  explanation.load_balancer = listener.load_balancer;
  explanation.mutual_authentication = listener.listener_config->mutual_authentication.mode;
  explanation.trust_store = listener.trust_store;
  explanation.port = listener.port;
  const Rule* matching = &listener.rules.back();
  for (const Rule& rule : listener.rules) {
    explanation.rules.push_back(ExplainRule(rule, facts));
    matching = &rule;
    if (explanation.rules.back().matched) break;
  }
  explanation.weights_overridden = matching->weights_overridden;
  explanation.action = KindOf(matching->action);
  RequestTargetParts here = parts;
  if (listener.port != 0) here.port = listener.port;
  if (listener.login_callback != nullptr && facts.path == kCallbackPath) {
    explanation.leading_actions.emplace_back(
        "what an identity provider sends back is taken here, before any rule is asked: its `state` says what follows");
  }
  for (const CountedAction& counted : matching->leading_actions) {
    explanation.leading_actions.push_back(counted.action->Explain() + WhatItDid(*counted.counters));
  }
  ExplainTransforms(*matching, parts, explanation);
  const ExplainedRequest request{
      .table = table,
      .status = status,
      .parts = here,
      .fields = *facts.fields,
      .client = facts.client,
      .versioned = {.version = version,
                    .method = facts.method,
                    .is_grpc = version == http::Version::kHttp2 && IsGrpcContent(*facts.fields)},
      .load_balancer = *listener.load_balancer_config};
  std::visit([&](const auto& action) { action.Explain(request, explanation); }, matching->action);
  if (explanation.transform_status > TransformStatus::kSuccess) explanation.status = 500;
  return explanation;
}

// ---- text

namespace {

// 80, 33.3: a digit behind the point where it says something.
std::string Percent(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text + "%";
}

void RenderTls(const TlsExplanation& tls, std::string& out) {
  out += fmt::format("policy: {}, {}, {}\n", tls.policy,
                     tls.policy_is_default ? "AWS's default because the file names none" : "as the file says",
                     tls.version_min == tls.version_max ? std::string(tls.version_max)
                                                        : fmt::format("{} to {}", tls.version_min, tls.version_max));
  const std::string name = tls.server_name.empty() ? "no name" : fmt::format("the name {}", Printable(tls.server_name));
  const std::string_view kinds = !tls.takes_rsa ? "ECDSA" : tls.takes_ecdsa ? "ECDSA and RSA" : "RSA";
  out += fmt::format("client: sends {}, verifies {}\n", name, kinds);
  for (const CertificateExplanation& certificate : tls.certificates) {
    out += fmt::format("  {} certificate {} ({} {}, until {}): {}\n", certificate.chosen ? "->" : "  ",
                       Printable(certificate.file), certificate.key_type, certificate.key_bits,
                       net::FormatCertificateTime(certificate.not_after), certificate.reason);
  }
}

void RenderRule(const RuleExplanation& rule, std::string& out) {
  out += fmt::format("rule {}: {}\n", Printable(rule.Title()), rule.matched ? "matches" : "does not match");
  for (const ConditionExplanation& condition : rule.conditions) {
    if (rule.matched || !condition.matched) out += fmt::format("  {}: {}\n", condition.label, condition.reason);
  }
}

void RenderTarget(const TargetExplanation& target, bool by_outstanding, bool by_zone, std::string& out) {
  const std::string weight = target.weight == 1 ? "" : fmt::format(", weight {}", target.weight);
  out += fmt::format("    target {}: {}", target.id, health::ToString(target.state));
  if (target.reason != health::HealthReason::kNone) out += fmt::format(" ({})", health::ToString(target.reason));
  if (target.admin_state != health::AdminState::kMeasured) out += ", set by an operator";
  if (target.zonal_override != health::ZonalOverride::kNone) {
    out += fmt::format(", zonal shift away from {}", Printable(target.zone));
  }
  if (!target.routable) {
    out += ", takes no requests\n";
  } else if (by_outstanding) {
    out += fmt::format(", {} requests under way{}\n", target.outstanding, weight);
  } else {
    const std::string anomaly = Describe(target.anomaly);
    out += fmt::format(", share {}{}{}{}{}{}\n", Percent(target.share_percent),
                       by_zone ? fmt::format(" in zone {}", Printable(target.zone)) : std::string(), weight,
                       target.slow_start ? ", growing: slow start" : "", anomaly.empty() ? "" : ", ", anomaly);
  }
}

std::string WhyChosen(const StickinessExplanation& stickiness) {
  const auto because = [&]() -> std::string {
    switch (stickiness.verdict) {
      case StickyVerdict::kHolds:
        return fmt::format("chooses {}", Printable(stickiness.chosen));
      case StickyVerdict::kNoCookie:
        return "is not there: chosen anew";
      case StickyVerdict::kNoApplicationCookie:
        return "does not count without the application's own: chosen anew";
      case StickyVerdict::kInvalid:
        return "is none that these keys made: chosen anew";
      case StickyVerdict::kExpired:
        return "has expired: chosen anew";
      case StickyVerdict::kElsewhere:
        return "is of another target group: chosen anew";
      case StickyVerdict::kGone:
        return "names what takes no requests any more: chosen anew";
      case StickyVerdict::kUnhealthy:
        return "names a target that is unhealthy: chosen anew";
      case StickyVerdict::kDraining:
        return "names a target that is draining: chosen anew";
    }
    std::unreachable();
  };
  std::string out = fmt::format("sticky: the cookie {} {}", stickiness.cookie, because());
  if (!stickiness.expires.empty()) out += fmt::format(" ({})", stickiness.expires);
  return out + '\n';
}

std::string WhyHashed(const HashExplanation& hash) {
  if (!hash.has_key) return fmt::format("hash: the request has no {}: in turn\n", Printable(hash.key));
  if (hash.overloaded.empty()) return fmt::format("hash: {} chooses {}\n", Printable(hash.key), hash.chosen);
  return fmt::format("hash: {} prefers {}, which has more than 1.25 times its part of the requests under way: {}\n",
                     Printable(hash.key), hash.overloaded, hash.chosen);
}

void RenderGroup(const GroupExplanation& group, std::string& out) {
  out += fmt::format("  target group {}: weight {}, share {}", Printable(group.name), group.weight,
                     Percent(group.share_percent));
  if (group.is_function) {
    out += ", a function";
    if (!group.versions.empty()) out += fmt::format(", versions {}", Printable(group.versions));
  } else if (group.protocol_version != "HTTP1") {
    out += fmt::format(", {}", group.protocol_version);
  }
  if (!group.policy.empty()) out += fmt::format(", {} by {}", group.protocol, group.policy);
  if (group.algorithm != "round_robin") out += fmt::format(", target by {}", group.algorithm);
  if (group.health_known) out += fmt::format(", {} of {} healthy", group.healthy, group.registered);
  if (group.fail_open) out += ", fail-open: too few are healthy, so requests go to all";
  out += '\n';
  if (!group.refusal.empty()) {
    out += fmt::format("    {}: 464\n", group.refusal);
    return;
  }
  if (!group.stickiness.cookie.empty()) out += "    " + WhyChosen(group.stickiness);
  if (!group.hash.key.empty() && group.stickiness.chosen.empty()) out += "    " + WhyHashed(group.hash);
  const bool by_outstanding = group.goes_by_outstanding && group.stickiness.chosen.empty();
  for (const NodeExplanation& node : group.nodes) {
    out += fmt::format("    node in zone {}, which uses targets of its own zone: {} of {} healthy",
                       Printable(node.zone), node.healthy, node.registered);
    if (node.fail_open) out += ", fail-open: too few are healthy, so requests go to all of them";
    out += node.answers ? "\n" : ", no target takes requests: 503\n";
  }
  for (const TargetExplanation& target : group.targets) {
    RenderTarget(target, by_outstanding, !group.nodes.empty(), out);
  }
  if (group.health_known && group.weight > 0 && std::ranges::none_of(group.targets, &TargetExplanation::routable)) {
    out += "    no target takes requests: 503\n";
  }
}

// The rest of the line, and the lines, that only an action of this kind has.
void RenderKind(const RequestExplanation& explanation, std::string& out) {
  switch (explanation.action) {
    case ActionKind::kForward:
      out += explanation.weights_overridden ? " (weights set through the admin API)\n" : "\n";
      if (explanation.stickiness.chosen.empty() &&
          std::ranges::all_of(explanation.groups, [](const auto& group) { return group.weight == 0; })) {
        out += "  every weight is 0: no target group takes requests\n";
      }
      if (!explanation.stickiness.cookie.empty()) out += "  " + WhyChosen(explanation.stickiness);
      for (const GroupExplanation& group : explanation.groups) RenderGroup(group, out);
      return;
    case ActionKind::kRedirect:
      out += explanation.location.empty()
                 ? fmt::format(": the location would be longer than {} bytes\n", kLocationBytesMax)
                 : fmt::format(" to {}\n", explanation.location);
      return;
    case ActionKind::kFixedResponse:
      out += explanation.content_type.empty() ? "\n" : fmt::format(" {}\n", explanation.content_type);
      if (!explanation.body.empty()) out += fmt::format("  body: {}\n", Printable(explanation.body));
      return;
  }
  std::unreachable();
}

void RenderTransforms(const RequestExplanation& explanation, std::string& out) {
  if (!explanation.transformed_host.empty()) {
    out += fmt::format("transform: the host becomes {}\n", Printable(explanation.transformed_host));
  }
  if (!explanation.transformed_target.empty()) {
    out += fmt::format("transform: the URL becomes {}\n", Printable(explanation.transformed_target));
  }
  if (explanation.transform_status > TransformStatus::kSuccess) {
    out += fmt::format("transform: fails, {}\n", ToString(explanation.transform_status));
  }
}

void RenderAction(const RequestExplanation& explanation, std::string& out) {
  for (const std::string& action : explanation.leading_actions) out += fmt::format("first: {}\n", action);
  RenderTransforms(explanation, out);
  out += fmt::format("action: {}", ToString(explanation.action));
  if (explanation.status) out += fmt::format(" {}", *explanation.status);
  RenderKind(explanation, out);
}

}  // namespace

std::string RenderExplanation(const RequestExplanation& explanation) {
  std::string out = fmt::format("listener {}:{}\n", Printable(explanation.load_balancer), explanation.port);
  if (explanation.tls) RenderTls(*explanation.tls, out);
  switch (explanation.mutual_authentication) {
    case config::MutualAuthenticationMode::kOff:
      break;
    case config::MutualAuthenticationMode::kPassthrough:
      out += "clients: certificates are passed on, not verified\n";
      break;
    case config::MutualAuthenticationMode::kVerify:
      out += fmt::format("clients: certificates are verified by trust store {}\n", Printable(explanation.trust_store));
      break;
  }
  for (const RuleExplanation& rule : explanation.rules) RenderRule(rule, out);
  RenderAction(explanation, out);
  return out;
}

}  // namespace weir::proxy
