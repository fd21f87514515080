#pragma once

#include "base/counters.h"
#include "control/appliance.h"
#include "control/view.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::control {

// Everything `weir status` and GET /v1/status show, as plain texts and numbers. Times are RFC 3339 texts in UTC.
struct WeightedGroup {
  std::string name;
  std::uint32_t weight = 0;
};
struct ActionReport {
  std::string type;                   // forward, redirect or fixed-response
  std::vector<WeightedGroup> groups;  // forward
  std::uint32_t status_code = 0;      // redirect and fixed-response
  std::string location;               // redirect: the template PROTOCOL://HOST:PORT/PATH?QUERY
};
struct RuleReport {
  std::uint32_t priority = 0;  // 0: the default rule
  std::string name;
  ActionReport action;
  std::uint64_t requests = 0;
  bool weights_overridden = false;
};
struct CertificateReport {
  std::string certificate;  // its file
  std::vector<std::string> names;
  std::string not_after;  // 2026-11-02T10:15:30Z
  bool valid = true;      // as of the report
};
struct ListenerReport {
  std::uint32_t port = 0;  // as bound
  std::string protocol;
  std::vector<std::string> bound;  // 0.0.0.0:8080
  std::uint64_t requests = 0;
  std::uint64_t active_connections = 0;
  std::string ssl_policy;                       // of HTTPS, as the next
  std::vector<CertificateReport> certificates;  // the default one first
  std::string mutual_authentication;            // passthrough or verify; empty: off
  std::string trust_store;                      // of verify: its name
  std::vector<RuleReport> rules;
};
// A node of a load balancer with zones.
struct NodeReport {
  std::string zone;
  std::vector<std::string> addresses;
  std::vector<std::string> advertise;
  bool healthy = true;
  bool shifted = false;  // a zonal shift leads away from it
  bool answers = true;   // DNS aliases answer its addresses
};
struct LoadBalancerReport {
  std::string name;
  bool healthy = true;  // as a DNS alias sees it
  std::vector<std::string> addresses;
  std::vector<NodeReport> nodes;
  std::vector<ListenerReport> listeners;
};
struct TargetReport {
  std::string id;  // 127.0.0.1:9001
  std::string host;
  std::string zone;
  std::string state;
  std::string reason;
  std::string description;
  std::string since;
  std::string admin_state;
  std::string measured_state;
  std::string zonal_override;  // ELBv2's administrative override: zonal_shift_active; empty: none
  bool deregistered = false;
  bool routable = false;
  std::uint32_t weight = 1;
  bool anomalous = false;  // it fails more often than its peers
  bool mitigated = false;  // and has less weight therefore
  std::string anomaly;     // in words; empty: nothing is wrong
  std::uint64_t requests = 0;
  std::uint64_t active_requests = 0;
};
struct UnresolvedHostReport {
  std::string host;
  std::uint32_t port = 0;
  std::string reason;
  std::uint32_t addresses_kept = 0;
};
// How often a target answered how fast: request sent to response head. `counts[i]` are those up to
// LatencyHistogram::kBoundsMicroseconds[i] and above the bound before it, the last those above every bound.
struct ResponseTimeReport {
  std::array<std::uint64_t, LatencyHistogram::kBoundsMicroseconds.size() + 1> counts{};
};
// What the node of one zone uses of a group with cross-zone off.
struct GroupZoneReport {
  std::string zone;
  std::uint32_t healthy = 0;
  std::uint32_t registered = 0;
  bool fail_open = false;
};
struct TargetGroupReport {
  std::string name;
  std::string protocol;          // HTTP or HTTPS: between weir and the targets
  std::string protocol_version;  // HTTP1, HTTP2, GRPC
  bool is_function = false;
  std::string versions;    // of a function: `1: 75 %, 2: 25 %`; empty: it has none
  std::string ssl_policy;  // of HTTPS: the security policy towards the targets
  std::string stickiness;  // lb_cookie or app_cookie; empty: off
  std::uint32_t healthy = 0;
  std::uint32_t registered = 0;
  bool fail_open = false;
  bool in_use = false;
  std::uint64_t requests = 0;
  std::uint64_t no_target = 0;               // answered 503, nothing to choose from; not in `requests`
  std::uint64_t failures = 0;                // answered 5xx by weir itself, or broken off, because of a target
  std::array<std::uint64_t, 5> responses{};  // of targets, 1xx to 5xx
  ResponseTimeReport response_time;
  std::vector<GroupZoneReport> zones;
  std::vector<TargetReport> targets;
  std::vector<UnresolvedHostReport> unresolved_hosts;
};
struct HealthCheckReport {
  std::string name;
  std::string type;
  std::string status;           // healthy or unhealthy
  std::string measured_status;  // before disabled, inverted and override
  std::string since;
  std::string last_result;
  std::string admin_state;
};
struct RecordReport {
  std::string name;
  std::string type;
  std::string set;
  std::string policy;
  std::string routing;       // `90`, `PRIMARY`, `eu-west`, `offices/hq`: what its policy goes by; may be empty
  std::string health_check;  // name; may be empty
  std::string alias;         // `load-balancer shop` or the record's name; may be empty
  std::string health;        // healthy or unhealthy; `-` when nothing governs it by itself
};
struct ZoneReport {
  std::string name;
  std::uint64_t record_count = 0;
  // Those with a routing policy, a health check or an alias, at most kRecordsShownMax.
  std::vector<RecordReport> records;
  std::uint64_t records_omitted = 0;
};
struct OverrideReport {
  std::string kind;   // target, health-check or weights
  std::string group;  // target: the group's name
  std::string id;     // target: ADDRESS:PORT; health-check: its name; weights: LB/PORT/PRIORITY
  std::string state;  // target and health-check
  std::vector<WeightedGroup> weights;
  std::string since;
};
// The last zonal shift.
struct ZonalShiftReport {
  std::string zone;
  std::string status;  // ACTIVE, EXPIRED or CANCELED
  std::string started;
  std::string expires;
  std::string comment;
  std::vector<std::string> load_balancers;  // that let themselves be shifted away from it
  bool survives = false;                    // a restart: there is a state directory
};
struct StatusReport {
  std::string version;
  std::uint64_t revision = 0;
  std::string file;
  std::string loaded_at;
  std::string started_at;
  std::string phase;  // starting, serving or draining
  std::uint64_t workers = 0;
  std::uint64_t reloads_refused = 0;
  std::string last_reload_error;
  std::uint64_t client_connections_max = 0;
  std::uint64_t client_waits = 0;
  bool clients_wait = false;
  std::string state_directory;  // empty: there is none
  std::string admin;
  std::vector<std::string> dns;
  std::vector<LoadBalancerReport> load_balancers;
  std::vector<TargetGroupReport> target_groups;
  std::vector<HealthCheckReport> health_checks;
  std::vector<ZoneReport> zones;
  std::vector<OverrideReport> overrides;
  std::optional<ZonalShiftReport> zonal_shift;  // absent: there was none
};

inline constexpr std::size_t kRecordsShownMax = 1'000;

// Puts the report together. Thread: any.
[[nodiscard]] StatusReport BuildStatusReport(const View& view, const Runtime& runtime, std::string_view version);

// The last zonal shift; absent: there was none. Thread: any.
[[nodiscard]] std::optional<ZonalShiftReport> DescribeZonalShift(const View& view, const Runtime& runtime);

// `default` for 0.
[[nodiscard]] std::string PriorityText(std::uint32_t priority);
// `HTTP_STR_MATCH` as Route 53 spells it.
[[nodiscard]] std::string_view ToString(config::HealthCheckType type);

}  // namespace weir::control
