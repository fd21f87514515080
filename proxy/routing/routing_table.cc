#include "proxy/routing/routing_table.h"

#include "config/forwarding.h"
#include "config/same_conditions.h"
#include "config/schema/schema.h"
#include "net/key_secret.h"
#include "net/tls_server.h"
#include "proxy/actions/authenticate/callback.h"
#include "proxy/actions/leading.h"
#include "proxy/balancing/sticky_cookie.h"
#include "proxy/routing/conditions.h"
#include "proxy/routing/matcher.h"
#include "proxy/routing/transforms.h"
#include "proxy/tls/credential_store.h"
#include "proxy/tls/key_files.h"
#include "proxy/tls/listener_tls.h"
#include "proxy/tls/target_tls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <utility>
#include <variant>

namespace weir::proxy {

const Rule& Listener::Match(const RequestFacts& facts) const { return rules[matcher->Match(rules, facts)]; }

std::size_t RoutingTable::node_zones() const {
  const auto keeps_zones = [](const TargetGroupRoute& group) { return !group.config->node_zones.empty(); };
  return std::ranges::any_of(groups_, keeps_zones) ? model_->availability_zones.size() : 0;
}

std::string_view TargetGroupRoute::protocol_version() const {
  if (config->function) return {};
  return config::kProtocolVersionWords[std::to_underlying(config->protocol_version)];
}

const Listener* RoutingTable::FindListener(std::string_view load_balancer, std::uint32_t index) const {
  const auto found = std::ranges::find_if(listeners_, [&](const auto& listener) {
    return listener->load_balancer == load_balancer && listener->index == index;
  });
  return found == listeners_.end() ? nullptr : found->get();
}

namespace {

bool HasErrors(const std::vector<config::Diagnostic>& findings) {
  return std::ranges::find(findings, config::Severity::kError, &config::Diagnostic::severity) != findings.end();
}

// Turns the model into listeners; keeps what all of them share while it does.
class TableBuilder {
 public:
  TableBuilder(const config::Model& model, const std::vector<WeightOverride>& overrides, CounterRegistry& counters,
               TlsCredentialStore& credentials, const RoutingTable* previous)
      : model_(model),
        overrides_(overrides),
        counters_(counters),
        credentials_(credentials),
        previous_(previous),
        jwks_endpoints_(counters.workers(), previous == nullptr ? std::vector<std::shared_ptr<JwksEndpoint>>()
                                                                : previous->jwks_endpoints()),
        trust_stores_(LoadTrustStores(model, credentials, SystemClock().WallNow(), findings_)) {}

  std::shared_ptr<const Listener> BuildListener(std::size_t load_balancer_index, std::size_t listener_index);
  std::vector<TargetGroupRoute> BuildGroups();
  std::vector<config::Diagnostic>& findings() { return findings_; }
  [[nodiscard]] std::uint32_t draws() const { return draws_; }
  [[nodiscard]] const TrustStores& trust_stores() const { return trust_stores_; }
  [[nodiscard]] const JwksEndpoints& jwks_endpoints() const { return jwks_endpoints_; }

 private:
  // What goes into each rule of a listener.
  struct RuleBuilding {
    const Listener& listener;
    std::string key;             // of its counters
    std::string path;            // of the listener in the file
    bool same_counters = false;  // as the same listener of the table before
  };
  // `known`: the same rule of the table before; null without one.
  Rule BuildRule(const config::Rule& rule, const RuleBuilding& building, std::size_t index, const Rule* known);
  void BuildRules(const config::Listener& config, RuleBuilding building, Listener& listener);
  [[nodiscard]] const Listener* FindPrevious(const Listener& listener) const;
  void BuildConditions(const config::Rule& rule, const std::string& path, Rule& built);
  void ApplyOverride(const Listener& listener, Rule& rule) const;
  [[nodiscard]] bool IsSticky(const RuleAction& action) const;

  const config::Model& model_;
  const std::vector<WeightOverride>& overrides_;
  CounterRegistry& counters_;
  TlsCredentialStore& credentials_;
  const RoutingTable* previous_;
  JwksEndpoints jwks_endpoints_;
  std::vector<config::Diagnostic> findings_;
  TrustStores trust_stores_;
  std::uint32_t draws_ = 0;
  // Rules of one host, of which there are often many, share its condition. By HostKey.
  std::map<std::string, std::shared_ptr<const CompiledCondition>, std::less<>> host_conditions_;
};

bool SameConditions(const std::shared_ptr<const config::Rule>& a, const std::shared_ptr<const config::Rule>& b) {
  return a == b || config::SameConditions(a->conditions, b->conditions);
}

// What makes two host conditions the same; empty for other conditions.
std::string HostKey(const config::Condition& condition) {
  std::string key;
  if (condition.kind != config::ConditionKind::kHostHeader) return key;
  for (const auto& value : condition.values) key += fmt::format("text {} {}", value.text.size(), value.text);
  for (const auto& value : condition.regex_values) key += fmt::format("regex {} {}", value.text.size(), value.text);
  return key;
}

void TableBuilder::BuildConditions(const config::Rule& rule, const std::string& path, Rule& built) {
  built.conditions.reserve(rule.conditions.size());
  for (std::size_t i = 0; i < rule.conditions.size(); ++i) {
    const std::string key = HostKey(rule.conditions[i]);
    if (const auto known = host_conditions_.find(key); known != host_conditions_.end()) {
      built.conditions.push_back(known->second);
      continue;
    }
    auto condition = CompiledCondition::Build(rule.conditions[i], fmt::format("{}.conditions[{}]", path, i));
    if (condition) {
      if (!key.empty()) host_conditions_.emplace(key, *condition);
      built.conditions.push_back(std::move(*condition));
    } else {
      std::ranges::move(condition.error(), std::back_inserter(findings_));
    }
  }
}

// An override speaks of exactly the groups of the rule; one that does not was made for another configuration.
void TableBuilder::ApplyOverride(const Listener& listener, Rule& rule) const {
  auto* forward = std::get_if<Forward>(&rule.action);
  if (forward == nullptr) return;
  for (const WeightOverride& change : overrides_) {
    if (change.load_balancer != listener.load_balancer || change.port != listener.port ||
        change.priority != rule.priority || change.weights.size() != forward->choices.size()) {
      continue;
    }
    const auto weight_of = [&](const ForwardChoice& choice) {
      return change.weights.find(model_.target_groups[choice.group].name);
    };
    if (!std::ranges::all_of(forward->choices, [&](const auto& c) { return weight_of(c) != change.weights.end(); })) {
      continue;
    }
    for (ForwardChoice& choice : forward->choices) choice.weight = weight_of(choice)->second;
    forward->SumWeights();
    rule.weights_overridden = true;
  }
}

bool TableBuilder::IsSticky(const RuleAction& action) const {
  const auto* const forward = std::get_if<Forward>(&action);
  if (forward == nullptr) return false;
  return forward->is_sticky() || std::ranges::any_of(forward->choices, [this](const ForwardChoice& choice) {
           return model_.target_groups[choice.group].stickiness.enabled;
         });
}

Rule TableBuilder::BuildRule(const config::Rule& rule, const RuleBuilding& building, std::size_t index,
                             const Rule* known) {
  Rule built;
  built.priority = rule.priority;
  built.name = rule.name;
  for (const config::LeadingAction& action : rule.leading_actions) {
    auto& actions = built.leading_actions.edit();
    const std::string key = fmt::format("{}/{}/{}/{}", building.key, rule.priority, actions.size(), action.index());
    actions.push_back({.action = BuildLeadingAction(action, {.jwks_endpoints = jwks_endpoints_,
                                                             .credentials = credentials_,
                                                             .load_balancer = building.listener.load_balancer,
                                                             .region = model_.node.region,
                                                             .findings = findings_}),
                       .counters = counters_.LeadingAction(key)});
  }
  built.action = BuildRuleAction(rule.action, draws_);
  if (!rule.transforms.empty()) {
    const bool same = known != nullptr && known->transforms != nullptr && known->transforms->IsOf(rule.transforms);
    const std::string path = fmt::format("{}.rules[{}].transforms", building.path, index);
    built.transforms = same ? known->transforms : RequestTransforms::Build(rule.transforms, path, findings_);
  }
  if (known != nullptr) {
    built.conditions = known->conditions;
  } else {
    BuildConditions(rule, fmt::format("{}.rules[{}]", building.path, index), built);
  }
  if (known != nullptr && building.same_counters) {
    built.counters = known->counters;
  } else {
    built.counters = counters_.Rule(rule.is_default() ? building.key + "/default"
                                                      : fmt::format("{}/{}", building.key, rule.priority));
  }
  ApplyOverride(building.listener, built);
  built.is_sticky = IsSticky(built.action);
  const auto* const forward = std::get_if<config::ForwardAction>(&rule.action);
  if (forward != nullptr && forward->canary) {
    if (auto log = config::CanaryLog(*building.listener.load_balancer_config, *forward)) {
      built.canary = std::make_shared<const CanaryTraffic>(
          CanaryTraffic{.group = forward->canary->target_group, .log = std::move(*log)});
    }
  }
  return built;
}

// Null when no rule signs users in.
std::shared_ptr<const LoginCallback> CallbackOf(const std::vector<Rule>& rules) {
  std::vector<std::pair<std::shared_ptr<const Authenticate>, std::size_t>> actions;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (const CountedAction& counted : rules[i].leading_actions) {
      if (auto authenticate = std::dynamic_pointer_cast<const Authenticate>(counted.action)) {
        actions.emplace_back(std::move(authenticate), i);
      }
    }
  }
  return actions.empty() ? nullptr : std::make_shared<const LoginCallback>(std::move(actions));
}

const Listener* TableBuilder::FindPrevious(const Listener& listener) const {
  if (previous_ == nullptr) return nullptr;
  const auto found = std::ranges::find_if(previous_->listeners(), [&](const auto& before) {
    return before->load_balancer == listener.load_balancer &&
           (listener.port == 0 ? before->index == listener.index : before->port == listener.port);
  });
  return found == previous_->listeners().end() ? nullptr : found->get();
}

// Rules of a decoded configuration are sorted by priority, and so are those of every table, with the default rule last.
void TableBuilder::BuildRules(const config::Listener& config, RuleBuilding building, Listener& listener) {
  const Listener* const before = FindPrevious(listener);
  building.same_counters = before != nullptr && before->counters == listener.counters;
  const std::size_t before_count = before == nullptr ? 0 : before->listener_config->rules.size();
  bool same_conditions = before != nullptr && before_count == config.rules.size();
  listener.rules.reserve(config.rules.size() + 1);
  std::size_t at = 0;
  for (std::size_t i = 0; i < config.rules.size(); ++i) {
    const config::Rule& rule = *config.rules[i];
    while (at < before_count && before->rules[at].priority < rule.priority) ++at;
    const bool known = at < before_count && before->rules[at].priority == rule.priority &&
                       before->listener_config->rules[at]->priority == rule.priority &&
                       SameConditions(before->listener_config->rules[at], config.rules[i]);
    same_conditions = same_conditions && known;
    listener.rules.push_back(BuildRule(rule, building, i, known ? &before->rules[at] : nullptr));
  }
  if (!std::ranges::is_sorted(listener.rules, {}, &Rule::priority)) {
    std::ranges::sort(listener.rules, {}, &Rule::priority);
    same_conditions = false;
  }
  listener.rules.push_back(
      BuildRule(config.default_rule, building, 0, before == nullptr ? nullptr : &before->rules.back()));
  for (std::uint32_t i = 0; i < listener.rules.size(); ++i) listener.rules[i].evaluations = i + 1;
  --listener.rules.back().evaluations;
  if (HasErrors(findings_)) return;
  listener.login_callback = CallbackOf(listener.rules);
  listener.matcher = same_conditions ? before->matcher : std::make_shared<const RuleMatcher>(listener.rules);
}

std::shared_ptr<const Listener> TableBuilder::BuildListener(std::size_t load_balancer_index,
                                                            std::size_t listener_index) {
  const config::LoadBalancer& load_balancer = model_.load_balancers[load_balancer_index];
  const config::Listener& config = load_balancer.listeners[listener_index];
  auto listener = std::make_shared<Listener>();
  listener->load_balancer = load_balancer.name;
  listener->port = config.port;
  listener->index = static_cast<std::uint32_t>(listener_index);
  listener->load_balancer_config = &load_balancer;
  listener->listener_config = &config;
  const std::string key = fmt::format("{}/{}", load_balancer.name, config.port == 0 ? listener_index : config.port);
  listener->counters = counters_.Listener(key, load_balancer.addresses);
  listener->tls = BuildTlsPlan(load_balancer, config, listener_index, credentials_, trust_stores_,
                               SystemClock().WallNow(), findings_);
  if (const auto store = config.mutual_authentication.trust_store) {
    listener->trust_store = model_.trust_stores[*store].name;
  }

  BuildRules(config,
             {.listener = *listener,
              .key = key,
              .path = fmt::format("load-balancers[{}].listeners[{}]", load_balancer_index, listener_index)},
             *listener);
  listener->logs_requests = load_balancer.access_log || std::ranges::any_of(listener->rules, [](const Rule& rule) {
                              return rule.canary != nullptr;
                            });
  return listener;
}

// Those of its targets, each once.
std::vector<std::string> ZonesOf(const config::TargetGroup& group) {
  std::vector<std::string> out;
  for (const config::Target& target : group.targets) {
    if (out.empty() || out.back() != target.zone) out.push_back(target.zone);
  }
  std::ranges::sort(out);
  const auto rest = std::ranges::unique(out);
  out.erase(rest.begin(), rest.end());
  return out;
}

std::vector<TargetGroupRoute> TableBuilder::BuildGroups() {
  std::vector<TargetGroupRoute> groups;
  groups.reserve(model_.target_groups.size());
  const WallTime now = SystemClock().WallNow();
  for (std::size_t i = 0; i < model_.target_groups.size(); ++i) {
    const config::TargetGroup& group = model_.target_groups[i];
    const bool is_https = group.protocol == config::TargetProtocol::kHttps;
    groups.push_back({.name = group.name,
                      .config = &group,
                      .counters = counters_.Group(group.name),
                      .response_times = counters_.ResponseTimes(group.name, ZonesOf(group)),
                      .tls_counters = is_https ? counters_.GroupTls(group.name) : nullptr,
                      .tls = BuildTargetTls(model_, static_cast<std::uint32_t>(i), credentials_, now, findings_),
                      .sticky_id = StickyGroupId(group.name)});
  }
  return groups;
}

}  // namespace

std::vector<config::Diagnostic> RoutingTable::CheckValues(const config::Model& model) {
  std::vector<config::Diagnostic> findings;
  TlsCredentialStore credentials;
  const WallTime now = SystemClock().WallNow();
  const TrustStores trust_stores = LoadTrustStores(model, credentials, now, findings);
  JwksEndpoints jwks_endpoints(1, {});
  const auto check_leading_actions = [&](const config::Rule& rule) {
    for (const config::LeadingAction& action : rule.leading_actions) {
      static_cast<void>(BuildLeadingAction(action, {.jwks_endpoints = jwks_endpoints,
                                                    .credentials = credentials,
                                                    .load_balancer = {},
                                                    .region = model.node.region,
                                                    .findings = findings}));
    }
  };
  for (const auto& load_balancer : model.load_balancers) {
    for (const auto& listener : load_balancer.listeners) {
      static_cast<void>(BuildTlsPlan(load_balancer, listener, 0, credentials, trust_stores, now, findings));
      for (const auto& rule : listener.rules) {
        for (const auto& condition : rule->conditions) {
          auto built = CompiledCondition::Build(condition, {});
          if (!built) std::ranges::move(built.error(), std::back_inserter(findings));
        }
        static_cast<void>(RequestTransforms::Build(rule->transforms, {}, findings));
        check_leading_actions(*rule);
      }
      check_leading_actions(listener.default_rule);
    }
  }
  for (std::uint32_t i = 0; i < model.target_groups.size(); ++i) {
    static_cast<void>(BuildTargetTls(model, i, credentials, SystemClock().WallNow(), findings));
  }
  static_cast<void>(ReadTicketKeys(model, findings));
  static_cast<void>(ReadStickinessKeys(model, findings));
  return findings;
}

std::expected<std::shared_ptr<const RoutingTable>, std::vector<config::Diagnostic>> RoutingTable::Build(
    std::shared_ptr<const config::Model> model, std::uint64_t revision, const std::vector<WeightOverride>& overrides,
    CounterRegistry& counters, TlsCredentialStore* credentials, const RoutingTable* previous,
    const net::CookieKeySet& own_stickiness_keys, const functions::FunctionTargetList& functions) {
  auto table = std::make_shared<RoutingTable>();
  TlsCredentialStore own_credentials;
  TableBuilder builder(*model, overrides, counters, credentials == nullptr ? own_credentials : *credentials, previous);
  table->groups_ = builder.BuildGroups();
  for (std::size_t i = 0; i < functions.size(); ++i) {
    TargetGroupRoute& group = table->groups_[i];
    if (functions[i] == nullptr) continue;
    group.function = std::make_shared<const FunctionRoute>(FunctionRoute{functions[i], group.counters});
  }
  for (std::size_t i = 0; i < model->load_balancers.size(); ++i) {
    for (std::size_t j = 0; j < model->load_balancers[i].listeners.size(); ++j) {
      table->listeners_.push_back(builder.BuildListener(i, j));
    }
  }
  table->ticket_keys_ = ReadTicketKeys(*model, builder.findings());
  table->stickiness_keys_ = ReadStickinessKeys(*model, builder.findings());
  if (table->stickiness_keys_.empty()) table->stickiness_keys_ = own_stickiness_keys;
  if (table->stickiness_keys_.empty()) table->stickiness_keys_ = {net::CookieKey::From(net::MakeKeySecret())};
  const auto signs_in = [](const auto& listener) { return listener->login_callback != nullptr; };
  if (std::ranges::any_of(table->listeners_, signs_in)) {
    for (const net::CookieKey& key : table->stickiness_keys_) {
      table->claim_keys_.push_back(std::make_shared<const net::SigningKey>(net::SigningKey::From(key.cipher_key)));
    }
  }
  if (HasErrors(builder.findings())) return std::unexpected(std::move(builder.findings()));
  table->warnings_ = std::move(builder.findings());
  table->trust_stores_ = builder.trust_stores();
  table->jwks_endpoints_ = builder.jwks_endpoints().used();
  table->draws_ = builder.draws();
  table->revision_ = revision;
  table->model_ = std::move(model);
  return table;
}

}  // namespace weir::proxy
