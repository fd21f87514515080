#include "proxy/routing/explain.h"

#include "base/overloaded.h"
#include "base/printable.h"
#include "proxy/routing/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <variant>

namespace weir::proxy {

std::string RuleExplanation::Title() const {
  if (priority == 0) return "default";
  return name.empty() ? fmt::format("{}", priority) : fmt::format("{} ({})", priority, name);
}

namespace {

RuleExplanation ExplainRule(const Rule& rule, const RequestFacts& facts) {
  RuleExplanation explained{.priority = rule.priority, .name = rule.name, .matched = true, .conditions = {}};
  for (const auto& condition : rule.conditions) {
    const bool matched = condition->Matches(facts);
    explained.matched = explained.matched && matched;
    explained.conditions.push_back(
        {.label = condition->label(), .reason = condition->Explain(facts), .matched = matched});
  }
  return explained;
}

TargetExplanation ExplainTarget(const health::TargetStatus& target) {
  TargetExplanation explained;
  explained.id = target.endpoint.ToString();
  explained.zone = target.zone;
  explained.state = target.state;
  explained.reason = target.reason;
  explained.description = target.description;
  explained.admin_state = target.admin_state;
  return explained;
}

void ExplainHealth(const health::GroupStatus& status, GroupExplanation& group) {
  group.health_known = true;
  group.fail_open = status.fail_open;
  group.healthy = status.healthy;
  group.registered = status.registered;
  std::ranges::transform(status.targets, std::back_inserter(group.targets), ExplainTarget);
  for (const std::uint32_t index : status.routable) {
    group.targets[index].routable = true;
    group.targets[index].share_percent = group.share_percent / static_cast<double>(status.routable.size());
  }
}

void ExplainForward(const RoutingTable& table, const Forward& forward, const health::StatusTable* status,
                    RequestExplanation& explanation) {
  for (const ForwardChoice& choice : forward.choices) {
    GroupExplanation group;
    group.name = table.groups()[choice.group].name;
    group.weight = choice.weight;
    if (forward.weight_total > 0) group.share_percent = 100.0 * choice.weight / forward.weight_total;
    if (status != nullptr && choice.group < status->groups.size()) ExplainHealth(status->groups[choice.group], group);
    explanation.groups.push_back(std::move(group));
  }
  // A draw stands: a group without targets answers 503 for its share only (spec: alb.md 5.1).
  const bool answers = std::ranges::any_of(explanation.groups, [](const GroupExplanation& group) {
    if (group.weight == 0) return false;
    return !group.health_known || std::ranges::any_of(group.targets, &TargetExplanation::routable);
  });
  if (!answers) explanation.status = 503;
}

void ExplainRedirect(const Redirect& redirect, const RequestTargetParts& parts, RequestExplanation& explanation) {
  if (auto location = BuildLocation(*redirect.templates, parts)) {
    explanation.status = redirect.templates->status_code;
    explanation.location = std::move(*location);
  } else {
    explanation.status = 507;
  }
}

void ExplainFixedResponse(const FixedResponse& fixed, RequestExplanation& explanation) {
  explanation.status = fixed.status;
  explanation.content_type = fixed.content_type;
  explanation.body = fixed.body;
}

}  // namespace

RequestExplanation ExplainRequest(const RoutingTable& table, const Listener& listener, const RequestFacts& facts,
                                  const RequestTargetParts& parts, const health::StatusTable* status) {
  RequestExplanation explanation;
  explanation.load_balancer = listener.load_balancer;
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
  std::visit(Overloaded{[&](const Forward& forward) { ExplainForward(table, forward, status, explanation); },
                        [&](const Redirect& redirect) { ExplainRedirect(redirect, here, explanation); },
                        [&](const FixedResponse& fixed) { ExplainFixedResponse(fixed, explanation); }},
             matching->action);
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

void RenderRule(const RuleExplanation& rule, std::string& out) {
  out += fmt::format("rule {}: {}\n", Printable(rule.Title()), rule.matched ? "matches" : "does not match");
  for (const ConditionExplanation& condition : rule.conditions) {
    if (rule.matched || !condition.matched) out += fmt::format("  {}: {}\n", condition.label, condition.reason);
  }
}

void RenderTarget(const TargetExplanation& target, std::string& out) {
  out += fmt::format("    target {}: {}", target.id, health::ToString(target.state));
  if (target.reason != health::HealthReason::kNone) out += fmt::format(" ({})", health::ToString(target.reason));
  if (target.admin_state != health::AdminState::kMeasured) out += ", set by an operator";
  out += target.routable ? fmt::format(", share {}\n", Percent(target.share_percent)) : ", takes no requests\n";
}

void RenderGroup(const GroupExplanation& group, std::string& out) {
  out += fmt::format("  target group {}: weight {}, share {}", Printable(group.name), group.weight,
                     Percent(group.share_percent));
  if (group.health_known) out += fmt::format(", {} of {} healthy", group.healthy, group.registered);
  if (group.fail_open) out += ", fail-open: too few are healthy, so requests go to all";
  out += '\n';
  for (const TargetExplanation& target : group.targets) RenderTarget(target, out);
  if (group.health_known && group.weight > 0 && std::ranges::none_of(group.targets, &TargetExplanation::routable)) {
    out += "    no target takes requests: 503\n";
  }
}

void RenderAction(const RequestExplanation& explanation, std::string& out) {
  out += fmt::format("action: {}", ToString(explanation.action));
  if (explanation.status) out += fmt::format(" {}", *explanation.status);
  if (!explanation.location.empty()) out += fmt::format(" to {}", explanation.location);
  if (explanation.action == ActionKind::kRedirect && explanation.location.empty()) {
    out += fmt::format(": the location would be longer than {} bytes", kLocationBytesMax);
  }
  if (!explanation.content_type.empty()) out += fmt::format(" {}", explanation.content_type);
  if (explanation.weights_overridden) out += " (weights set through the admin API)";
  out += '\n';
  if (!explanation.body.empty()) out += fmt::format("  body: {}\n", Printable(explanation.body));
  if (explanation.action == ActionKind::kForward &&
      std::ranges::all_of(explanation.groups, [](const auto& group) { return group.weight == 0; })) {
    out += "  every weight is 0: no target group takes requests\n";
  }
  for (const GroupExplanation& group : explanation.groups) RenderGroup(group, out);
}

}  // namespace

std::string RenderExplanation(const RequestExplanation& explanation) {
  std::string out = fmt::format("listener {}:{}\n", Printable(explanation.load_balancer), explanation.port);
  for (const RuleExplanation& rule : explanation.rules) RenderRule(rule, out);
  RenderAction(explanation, out);
  return out;
}

}  // namespace weir::proxy
