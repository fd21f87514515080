#pragma once

#include "base/counters.h"
#include "base/enumerators.h"
#include "base/ip_address.h"
#include "http/http2_allowance.h"
#include "net/tls_facts.h"
#include "net/tls_policy.h"
#include "proxy/balancing/sticky_verdict.h"
#include "proxy/counters_by.h"
#include "proxy/error.h"
#include "proxy/exemplars.h"
#include "proxy/routing/transform_status.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::proxy {

// Responses by class, as counted for clients (what the load balancer answered) and for targets (what the target
// answered).
struct ResponseCounters {
  Counter class_1xx, class_2xx, class_3xx, class_4xx, class_5xx;
  void Add(std::uint16_t status);
  // By index in kResponseClasses.
  [[nodiscard]] const Counter& OfClass(std::size_t index) const;
};
// As metrics print them.
inline constexpr std::array<std::string_view, 5> kResponseClasses = {"1xx", "2xx", "3xx", "4xx", "5xx"};

// Statuses of answers of the load balancer itself that are counted apart, with their text.
inline constexpr std::array<std::pair<std::uint16_t, std::string_view>, 4> kCountedServerErrors = {
    {{500, "500"}, {502, "502"}, {503, "503"}, {504, "504"}}};

// TLS of one listener, or towards the targets of one group.
struct TlsCounters {
  Counter handshakes_active;  // of a listener
  // Those that went through: by version, the oldest first, and full or resumed.
  std::array<std::array<Counter, 2>, 4> handshakes;
  std::array<Counter, net::kTlsSuiteCount> suites;  // by index of net::TlsSuiteAt
  // Those that did not: by the alert that was sent; `received` from the peer; without any: closed, too late, no TLS.
  std::array<Counter, 128> alerts_sent;
  std::array<Counter, 128> alerts_received;
  Counter failed_without_alert;
  // Those that failed by the client's certificate: by cause.
  std::array<Counter, net::kClientCertificateFaults> certificate_faults;

  void Note(const net::TlsFacts& agreed);
  void Note(const net::TlsFailure& failure);
  // Handshakes that failed.
  [[nodiscard]] std::uint64_t Failures() const;
};

// Why a connection that was to begin with a PROXY header was closed.
enum class ProxyHeaderFault : std::uint8_t { kSender, kMalformed, kTooLong, kChecksum, kTimeout, kClosed };
inline constexpr std::size_t kProxyHeaderFaults = CountEnumerators<ProxyHeaderFault>();
// As metrics print it: `Sender`.
[[nodiscard]] std::string_view ToString(ProxyHeaderFault fault);
// HTTP/2 of one listener.
struct Http2Counters {
  Counter connections;
  Counter connections_active;
  Counter requests;
  Counter malformed_requests;  // by HTTP/2's own rules: their streams were reset
  Counter goaways;             // connections told to go: 10,000 requests, keep-alive limit, idle, drain
  Counter connection_errors;   // connections ended for what their client did, floods among them
  std::array<Counter, http::kHttp2FloodCount> floods;
};

// Users who sign in on one listener. Those who could not are among its errors.
struct AuthenticationCounters {
  Counter successes;         // logins that went through
  Counter refreshes;         // sessions that got new tokens
  Counter failed_refreshes;  // those that did not, and were over
  Counter invalid_cookies;   // requests with a session cookie that is none of ours
  LatencyHistogram latency;  // what the provider took for tokens and claims, also where that failed
};

struct ListenerCounters {
  Counter connections_accepted;
  Counter connections_active;
  Counter requests;
  Counter bytes_received;  // from clients, heads included
  Counter bytes_sent;
  ResponseCounters responses;            // everything sent to clients
  ResponseCounters generated_responses;  // those that weir made itself: errors, redirects, fixed responses
  std::array<Counter, kCountedServerErrors.size()> server_errors;  // answers that weir made itself
  Counter rule_evaluations;               // rules up to the one that matched, default rules not counted
  Counter fixed_responses;                // requests that such an action answered
  Counter redirects;                      // the same
  Counter forwarded_invalid_field_names;  // requests to targets with a name not of letters, digits and hyphens
  Counter dropped_invalid_field_names;    // the same where such fields are dropped
  Counter desync_requests;                // requests that were not Compliant
  // Requests by what became of the transforms of their rule; those of kNone are not counted.
  std::array<Counter, kTransformStatuses> transforms;
  LatencyHistogram exchange_duration;  // first byte of the request to last byte of the response, or to a tunnel
  Exemplars exemplars;                 // of that, of requests that were sent to a target
  std::array<Counter, kErrorCodeCount> errors;         // exchanges that failed, by ErrorCode
  std::array<Counter, kStickyVerdicts> group_cookies;  // AWSALBTG cookies that chose nothing, by fault
  Counter websockets;                                  // tunnels that were opened
  Counter websockets_active;
  Counter fail_open_requests;            // sent while fewer targets were healthy than required
  std::array<Counter, 2> proxy_headers;  // by version
  std::array<Counter, kProxyHeaderFaults> proxy_header_faults;
  TlsCounters tls;
  Http2Counters http2;
  AuthenticationCounters authentication;

  // The load balancer itself answered with this status.
  void NoteServerError(std::uint16_t status);
};
struct RuleCounters {
  Counter requests;
};
// What an action before the last one of a rule made of the requests that it was asked for.
struct LeadingActionCounters {
  Counter passed;                               // went on, with what it added
  Counter answered;                             // by the action: sent to sign in, sent back after that
  std::array<Counter, kErrorCodeCount> failed;  // by ErrorCode; the client's going away while it waited among them
};
struct GroupCounters {
  Counter requests;       // a target was chosen
  Counter no_target;      // 503: nothing to choose from
  Counter grpc_requests;  // the same, of gRPC to a group that speaks it
  Counter failures;       // a target was chosen, and the request answered 5xx by weir, or its response broken off
  Counter connection_errors;
  Counter retries;
  Counter fail_open_requests;  // sent while fewer targets were healthy than required
  // Of a sticky group: requests whose target was chosen anew, by its type; cookies that chose nothing, by fault.
  Counter non_sticky_requests;
  Counter app_cookie_non_sticky_requests;
  std::array<Counter, kStickyVerdicts> cookies;
  ResponseCounters responses;  // what targets answered
  // Of a function: failures by whose fault they were; events sent and responses received.
  Counter lambda_user_errors;
  Counter lambda_internal_errors;
  Counter lambda_bytes;
};

using RuleCountersTable = PerWorker<RuleCounters>;
using LeadingActionCountersTable = PerWorker<LeadingActionCounters>;
using GroupCountersTable = PerWorker<GroupCounters>;
using TlsCountersTable = PerWorker<TlsCounters>;

// The counters of one listener, by the address that it is bound to: a socket counts for its own address, whatever
// becomes of the zones, and the node of a zone has what its addresses have.
using ListenerCountersTable = CountersBy<IpAddress, ListenerCounters>;
// Request sent to response head received, by the zone of the target.
using ResponseTimesTable = CountersBy<std::string, LatencyHistogram>;

// Hands out the same counters for the same name, so that numbers go on through reloads. Keys: `shop/8080` for a
// listener, `blue` for a group; a rule's are its listener's key and its priority, 0 for the default rule; those of an
// action before the last one, its place in the rule and its kind behind that. Counters live
// as long as the registry or a routing table holds them. Thread: control.
class CounterRegistry {
 public:
  explicit CounterRegistry(std::size_t workers) : workers_(workers) {}
  [[nodiscard]] std::size_t workers() const { return workers_; }
  // Those of `addresses`, and of every address that the listener had before, so that sums never fall. The same table
  // as long as no address is new.
  [[nodiscard]] std::shared_ptr<const ListenerCountersTable> Listener(const std::string& key,
                                                                      std::span<const IpAddress> addresses);
  [[nodiscard]] std::shared_ptr<RuleCountersTable> Rule(std::string_view key);
  [[nodiscard]] std::shared_ptr<LeadingActionCountersTable> LeadingAction(const std::string& key);
  [[nodiscard]] std::shared_ptr<GroupCountersTable> Group(const std::string& key);
  // As for listeners, by zone.
  [[nodiscard]] std::shared_ptr<const ResponseTimesTable> ResponseTimes(const std::string& key,
                                                                        std::span<const std::string> zones);
  [[nodiscard]] std::shared_ptr<TlsCountersTable> GroupTls(const std::string& key);

 private:
  std::size_t workers_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const ListenerCountersTable>, std::less<>> listeners_;
  // By listener, and in the order of priority, 0 for the default rule: there may be tens of thousands, and a text or a
  // node for each would be most of what they cost.
  using RuleTables = std::vector<std::pair<std::uint32_t, std::shared_ptr<RuleCountersTable>>>;
  std::map<std::string, RuleTables, std::less<>> rules_;
  std::map<std::string, std::shared_ptr<LeadingActionCountersTable>, std::less<>> leading_actions_;
  std::map<std::string, std::shared_ptr<GroupCountersTable>, std::less<>> groups_;
  std::map<std::string, std::shared_ptr<const ResponseTimesTable>, std::less<>> response_times_;
  std::map<std::string, std::shared_ptr<TlsCountersTable>, std::less<>> group_tls_;
};

}  // namespace weir::proxy
