#pragma once

#include "base/clock.h"
#include "health/status.h"
#include "proxy/actions/redirect.h"
#include "proxy/balancing/sticky_verdict.h"
#include "proxy/routing/protocol_version.h"
#include "proxy/routing/routing_table.h"
#include "proxy/routing/transform_status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {
struct TlsClientOffer;
}

namespace weir::proxy {

struct ConditionExplanation {
  std::string label;   // `path-pattern`, `http-header X-Beta`
  std::string reason;  // `"/cart" does not match "/cart/*"`
  bool matched = false;
};

struct RuleExplanation {
  std::uint32_t priority = 0;  // 0: the default rule
  std::string name;            // may be empty
  bool matched = false;
  std::vector<ConditionExplanation> conditions;  // all of them, in the order of the file
  // `default`, `10` or `10 (beta)`.
  [[nodiscard]] std::string Title() const;
};

struct TargetExplanation {
  std::string id;  // 127.0.0.1:9001
  std::string zone;
  health::HealthState state = health::HealthState::kInitial;
  health::HealthReason reason = health::HealthReason::kNone;
  std::string description;
  health::AdminState admin_state = health::AdminState::kMeasured;
  health::ZonalOverride zonal_override = health::ZonalOverride::kNone;
  bool routable = false;
  double share_percent = 0;       // of all requests that the rule takes; 0 where it is not known beforehand
  std::uint64_t outstanding = 0;  // requests under way, over all workers
  bool slow_start = false;        // its share still grows
  std::uint16_t weight = 1;
  health::Anomaly anomaly;
};

// What the client's cookie chooses among targets or groups that are sticky.
struct StickinessExplanation {
  std::string_view cookie;  // AWSALB, AWSALBAPP or AWSALBTG; empty: nothing is sticky
  StickyVerdict verdict = StickyVerdict::kNoCookie;
  std::string chosen;   // with kHolds: the id of a target, or the name of a group
  std::string expires;  // when the session ends, where the cookie could be read
};

// What consistent hashing makes of a request.
struct HashExplanation {
  std::string key;         // `the client's address`, `header X-User`; empty: the group does not hash
  bool has_key = true;     // the request has it
  std::string chosen;      // id of a target
  std::string overloaded;  // that of the one that the key prefers, where it has too many requests under way
};

// What a node uses of a group with cross-zone off.
struct NodeExplanation {
  std::string zone;
  std::uint32_t healthy = 0;
  std::uint32_t registered = 0;
  bool fail_open = false;
  bool answers = true;  // false: it has no target, 503
};

struct GroupExplanation {
  std::string name;
  std::string_view protocol;          // HTTP or HTTPS: between weir and the targets
  std::string_view protocol_version;  // HTTP1, HTTP2, GRPC
  std::string_view policy;            // of HTTPS: the security policy towards the targets
  bool is_function = false;
  std::string versions;  // of a function: `1: 75 %, 2: 25 %`; empty: it has none
  std::string refusal;   // why it takes no such request (464): `takes no HTTP/1.1`; empty: it takes it
  std::uint16_t weight = 0;
  double share_percent = 0;          // of all requests that the rule takes
  std::string_view algorithm;        // by which a target is chosen, as the file spells it
  bool goes_by_outstanding = false;  // it looks at requests under way: targets have no shares beforehand
  StickinessExplanation stickiness;
  HashExplanation hash;
  bool health_known = false;  // the fields below mean something
  bool fail_open = false;
  std::uint32_t healthy = 0;
  std::uint32_t registered = 0;
  std::vector<NodeExplanation> nodes;  // cross-zone off: shares of targets are of what comes in at their zone's node
  std::vector<TargetExplanation> targets;
};

struct CertificateExplanation {
  std::string file;
  std::string_view key_type;  // ECDSA or RSA
  std::uint16_t key_bits = 0;
  WallTime not_after;
  bool chosen = false;
  std::string reason;  // `it is for other names`
};

// How a client is answered before it asks for anything. spec: alb.md 18.1.
struct TlsExplanation {
  std::string_view policy;
  bool policy_is_default = false;  // the file names none
  std::string_view version_min;    // TLSv1.2
  std::string_view version_max;
  std::string server_name;  // that the client sends; empty: none
  bool takes_ecdsa = true;  // certificates that the client verifies
  bool takes_rsa = true;
  std::vector<CertificateExplanation> certificates;  // in the order of the file
};

// Why a request goes where it goes: every rule that was asked, in the order of priority, the last being the one that
// matches. Plain fields, so that a command prints them and the admin API turns them into JSON.
struct RequestExplanation {
  std::string load_balancer;
  std::uint16_t port = 0;
  http::Version version = http::Version::kHttp11;  // of the request
  std::optional<TlsExplanation> tls;               // of an HTTPS listener
  // What clients have to show before they are asked for a request.
  config::MutualAuthenticationMode mutual_authentication = config::MutualAuthenticationMode::kOff;
  std::string trust_store;  // of kVerify: its name
  std::vector<RuleExplanation> rules;
  // What is done first, in words; of a running appliance with what came of it so far.
  std::vector<std::string> leading_actions;
  ActionKind action = ActionKind::kForward;
  // What transforms make of the request that is forwarded; empty: what it is.
  TransformStatus transform_status = TransformStatus::kNone;
  std::string transformed_host;
  std::string transformed_target;
  // forward
  std::vector<GroupExplanation> groups;
  StickinessExplanation stickiness;
  bool weights_overridden = false;
  // redirect and fixed-response; of a forward 464 where no group takes the version, 503 where nothing can be chosen;
  // absent when a target answers
  std::optional<std::uint16_t> status;
  std::string location;  // redirect; empty when it is too long (status is 507 then)
  std::string content_type;
  std::string body;

  [[nodiscard]] const RuleExplanation& matched() const { return rules.back(); }
};

// What is explained to an action (its Explain fills in what it decides).
struct ExplainedRequest {
  const RoutingTable& table;
  const health::StatusTable* status;  // null: nothing is known about targets
  const RequestTargetParts& parts;    // with the listener's port
  const std::vector<http::Field>& fields;
  const IpAddress& client;
  VersionedRequest versioned;
  const config::LoadBalancer& load_balancer;
};

// `listener` speaks HTTPS. Thread: any.
[[nodiscard]] TlsExplanation ExplainTls(const Listener& listener, std::string_view server_name,
                                        const net::TlsClientOffer& offer, WallTime now);

// `status` may be null: then nothing is said about targets. It must be of the table's revision. `parts` are what a
// redirect is built from; its port is replaced by the listener's unless that is 0. `version`: one that the listener
// takes. Thread: any.
[[nodiscard]] RequestExplanation ExplainRequest(const RoutingTable& table, const Listener& listener,
                                                const RequestFacts& facts, const RequestTargetParts& parts,
                                                const health::StatusTable* status,
                                                http::Version version = http::Version::kHttp11);

// For people: one line for each rule and failed condition, then the action. Ends with a line end.
[[nodiscard]] std::string RenderExplanation(const RequestExplanation& explanation);

}  // namespace weir::proxy
