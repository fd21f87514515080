#pragma once

// What requests are matched against: load balancers, listeners and compiled rules of one configuration revision.
// Immutable.

#include "base/ip_address.h"
#include "config/model.h"
#include "functions/function_targets.h"
#include "http/message.h"
#include "net/cookie_cipher.h"
#include "net/signing_key.h"
#include "net/tls_ticket_keys.h"
#include "proxy/actions/kinds.h"
#include "proxy/counters.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {
struct TlsClientPlan;
struct TlsServerPlan;
class TlsTrustStore;
}  // namespace weir::net

namespace weir::proxy {

class JwksEndpoint;  // actions/jwt/jwks_endpoint.h
class TlsCredentialStore;

// What the conditions of a rule look at. Views live as long as the request head. spec: alb.md 4.2.
struct RequestFacts {
  std::string_view method;
  std::string_view host;   // of the Host field or the absolute-form target, without the port, any case
  std::string_view path;   // normalised (http::NormalizePath)
  std::string_view query;  // raw, without `?`
  const std::vector<http::Field>* fields = nullptr;
  IpAddress client;  // the TCP peer
};

class CompiledCondition;  // conditions.h
class RequestTransforms;  // transforms.h

// Requests of a rule that are logged apart: those that its canary gets.
struct CanaryTraffic {
  std::uint32_t group = 0;  // by index
  config::LogFile log;
};

// An action before the last one, and what it made of requests.
struct CountedAction {
  std::shared_ptr<const LeadingAction> action;
  std::shared_ptr<LeadingActionCountersTable> counters;
};

struct Rule {
  std::uint32_t priority = 0;  // 0: the default rule
  // Rules that a request goes past until this one matches: those before it and itself, the default rule not counted.
  std::uint32_t evaluations = 0;
  std::string_view name;  // may be empty; owned by the table's model
  // Asked in their order, then `action`, which answers or forwards.
  Rare<std::vector<CountedAction>> leading_actions;
  RuleAction action;
  std::vector<std::shared_ptr<const CompiledCondition>> conditions;
  std::shared_ptr<const RequestTransforms> transforms;  // of what is forwarded; null: none
  std::shared_ptr<RuleCountersTable> counters;
  std::shared_ptr<const CanaryTraffic> canary;  // null: none
  bool weights_overridden = false;
  bool is_sticky = false;  // it, or a group that it forwards to, has stickiness
  [[nodiscard]] bool is_default() const { return priority == 0; }
};

class LoginCallback;  // actions/authenticate/callback.h

class RuleMatcher;  // matcher.h: host -> path -> candidates in priority order

struct Listener {
  std::string load_balancer;                                   // name
  std::uint16_t port = 0;                                      // as configured; 0 when a free one was asked for
  std::uint32_t index = 0;                                     // of the listener in its load balancer
  const config::LoadBalancer* load_balancer_config = nullptr;  // attributes, access log; owned by the table's model
  const config::Listener* listener_config = nullptr;
  std::vector<Rule> rules;  // by priority; the default rule is last
  std::shared_ptr<const RuleMatcher> matcher;
  std::shared_ptr<const ListenerCountersTable> counters;
  std::shared_ptr<const net::TlsServerPlan> tls;  // null: plain HTTP
  bool logs_requests = false;                     // of all its rules, or of some canary
  std::string trust_store;                        // the name of that which verifies clients; empty: none does
  // Takes the answers of identity providers; null: no rule signs users in.
  std::shared_ptr<const LoginCallback> login_callback;

  // The first rule, by priority, whose conditions all hold; the default rule when none does. Never fails. Allocates
  // nothing.
  [[nodiscard]] const Rule& Match(const RequestFacts& facts) const;
};

// What requests of a group invoke, and where that is counted.
struct FunctionRoute {
  std::shared_ptr<const functions::FunctionTarget> target;
  std::shared_ptr<GroupCountersTable> counters;
};

struct TargetGroupRoute {
  std::string name;
  const config::TargetGroup* config = nullptr;
  std::shared_ptr<GroupCountersTable> counters;
  std::shared_ptr<const ResponseTimesTable> response_times;
  std::shared_ptr<TlsCountersTable> tls_counters;  // of an HTTPS group; null: plain HTTP
  // How TLS is spoken to its targets, by requests where the group is one of HTTPS, and by health checks; null: nothing
  // is by HTTPS.
  std::shared_ptr<const net::TlsClientPlan> tls;
  std::uint64_t sticky_id = 0;                              // StickyGroupId
  std::shared_ptr<const FunctionRoute> function = nullptr;  // of a group of a function, where it can be invoked
  [[nodiscard]] bool is_https() const { return config->protocol == config::TargetProtocol::kHttps; }
  // As the file spells them; empty of a function.
  [[nodiscard]] std::string_view protocol() const { return config->function ? "" : is_https() ? "HTTPS" : "HTTP"; }
  [[nodiscard]] std::string_view protocol_version() const;
};

// Weights set through the admin API: they replace those of one rule until removed.
struct WeightOverride {
  std::string load_balancer;
  std::uint16_t port = 0;
  std::uint32_t priority = 0;                    // 0: the default rule
  std::map<std::string, std::uint16_t> weights;  // by target group name; exactly the groups of the rule
};

class RoutingTable {
 public:
  // Compiles the model. Findings that only compiling makes (a regular expression that RE2 refuses) come back with their
  // place. An override whose rule is gone, or whose groups differ, is left out. Certificates and trust stores
  // come from `credentials`, or are read anew without. Conditions that `previous` has compiled for the same rule are
  // taken over from it; null: none are. `own_stickiness_keys` serve where the model has none; empty: one is
  // made. `functions` are what groups invoke; without them a table is only looked at. Thread: control.
  [[nodiscard]] static std::expected<std::shared_ptr<const RoutingTable>, std::vector<config::Diagnostic>> Build(
      std::shared_ptr<const config::Model> model, std::uint64_t revision, const std::vector<WeightOverride>& overrides,
      CounterRegistry& counters, TlsCredentialStore* credentials = nullptr, const RoutingTable* previous = nullptr,
      const net::CookieKeySet& own_stickiness_keys = {}, const functions::FunctionTargetList& functions = {});

  // The findings of Build for a model that has errors of other kinds, and that Build therefore cannot take. Thread:
  // any.
  [[nodiscard]] static std::vector<config::Diagnostic> CheckValues(const config::Model& model);

  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const Listener>>& listeners() const { return listeners_; }
  [[nodiscard]] const std::vector<TargetGroupRoute>& groups() const { return groups_; }
  // What is worth a warning and only building shows: certificates, trust stores.
  [[nodiscard]] const std::vector<config::Diagnostic>& warnings() const { return warnings_; }
  // Of `tls-ticket-keys`; empty: none are given.
  [[nodiscard]] const std::vector<net::TlsTicketKey>& ticket_keys() const { return ticket_keys_; }
  // Of `stickiness-keys`, or our own; never empty.
  [[nodiscard]] const net::CookieKeySet& stickiness_keys() const { return stickiness_keys_; }
  // What signs claims of users for targets: the first one does, all are given to those who verify. Made of
  // stickiness_keys(), in their order; empty where no rule signs users in.
  [[nodiscard]] const std::vector<std::shared_ptr<const net::SigningKey>>& claim_keys() const { return claim_keys_; }
  // Of `trust-stores`, in their order.
  [[nodiscard]] const std::vector<std::shared_ptr<const net::TlsTrustStore>>& trust_stores() const {
    return trust_stores_;
  }
  // Where the keys of jwt-validation come from, each once.
  [[nodiscard]] const std::vector<std::shared_ptr<JwksEndpoint>>& jwks_endpoints() const { return jwks_endpoints_; }
  // How many numbers a worker keeps for the draws: the sum of the choices of every forward action.
  [[nodiscard]] std::uint32_t draws() const { return draws_; }
  // How many zones there are whose nodes use only their own targets of some group.
  [[nodiscard]] std::size_t node_zones() const;
  // Null when there is none. With several listeners on port 0, `index` tells them apart.
  [[nodiscard]] const Listener* FindListener(std::string_view load_balancer, std::uint32_t index) const;

 private:
  std::shared_ptr<const config::Model> model_;
  std::uint64_t revision_ = 0;
  std::vector<std::shared_ptr<const Listener>> listeners_;
  std::vector<TargetGroupRoute> groups_;
  std::vector<config::Diagnostic> warnings_;
  std::vector<net::TlsTicketKey> ticket_keys_;
  net::CookieKeySet stickiness_keys_;
  std::vector<std::shared_ptr<const net::SigningKey>> claim_keys_;
  std::vector<std::shared_ptr<const net::TlsTrustStore>> trust_stores_;
  std::vector<std::shared_ptr<JwksEndpoint>> jwks_endpoints_;
  std::uint32_t draws_ = 0;
};

}  // namespace weir::proxy
