#pragma once

// The checked configuration: plain values, every default filled in, every reference an index. What the rest of the
// program is built from. config.md of the project's contract is docs/configuration.md; names follow AWS (Elastic Load
// Balancing v2, Route 53). Thread: any (const after Load).

#include "base/enumerators.h"
#include "base/ip_address.h"
#include "base/rare.h"
#include "config/diagnostic.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weir::config {

// A text of the file and where it stands, for checks that later stages make (regular expressions, record data).
struct LocatedText {
  std::string text;
  Position position;
};

// ---- load balancers
// -------------------------------------------------------------------------------------------------------------

struct NodeIdentity {
  std::string name;    // default: the host name
  std::string region;  // may be empty
  std::string zone;    // may be empty
};

struct Region {
  std::string name;
  double latitude = 0;   // degrees, -90..90
  double longitude = 0;  // degrees, -180..180
};

enum class IpAddressType : std::uint8_t {
  kIpv4,
  kIpv6,
  kDualstack,
  kDualstackWithoutPublicIpv4,  // binds both families, aliases answer IPv6 alone
};
enum class LogFormat : std::uint8_t { kAlb, kJson };

// When a log file is put aside and a new one begun: by size or by time, whichever comes first.
struct LogRotation {
  std::uint64_t bytes = 0;           // 0: whatever its size
  std::chrono::seconds interval{0};  // at multiples of it since 1970; 0: whatever its age
  std::uint32_t keep = 0;            // files put aside that are kept; 0: all
  bool compress = false;             // they are made gzip files

  friend bool operator==(const LogRotation&, const LogRotation&) = default;
};

// Where one kind of log goes.
struct LogFile {
  std::string path;  // absolute or relative to the working directory after resolution; "-" is standard output
  LogFormat format = LogFormat::kAlb;
  std::optional<LogRotation> rotation = {};  // absent: by others, and SIGUSR1
  Position position = {};                    // of `path`
};

// A secret as the file gives it: the text, or the file that holds it. One of the two is set. Never printed.
struct Secret {
  std::string text;
  std::string file;
  Position position;
};

enum class DesyncMitigationMode : std::uint8_t { kMonitor, kDefensive, kStrictest };
enum class XffProcessing : std::uint8_t { kAppend, kPreserve, kRemove };

// spec: alb.md section 2.
struct LoadBalancerAttributes {
  std::chrono::seconds idle_timeout{60};         // idle_timeout.timeout_seconds
  std::chrono::seconds client_keep_alive{3600};  // client_keep_alive.seconds
  DesyncMitigationMode desync_mitigation_mode = DesyncMitigationMode::kDefensive;
  bool drop_invalid_header_fields = false;
  bool preserve_host_header = false;
  bool xff_client_port = false;
  XffProcessing xff_processing = XffProcessing::kAppend;
  bool http2 = true;                          // routing.http2.enabled: HTTPS listeners offer it
  bool tls_version_and_cipher_suite = false;  // routing.http.x_amzn_tls_version_and_cipher_suite.enabled
  bool cross_zone = true;                     // load_balancing.cross_zone.enabled
  bool zonal_shift = false;                   // zonal_shift.config.enabled
  bool makes_traceparent = false;             // weir.traceparent.enabled
};

// What targets are told of a client's certificate, by the names of the fields. spec: alb.md section 3, 18.3.
struct MtlsFieldNames {
  std::string serial_number = "X-Amzn-Mtls-Clientcert-Serial-Number";
  std::string issuer = "X-Amzn-Mtls-Clientcert-Issuer";
  std::string subject = "X-Amzn-Mtls-Clientcert-Subject";
  std::string validity = "X-Amzn-Mtls-Clientcert-Validity";
  std::string leaf = "X-Amzn-Mtls-Clientcert-Leaf";
  std::string chain = "X-Amzn-Mtls-Clientcert";
};

// spec: alb.md section 3.
struct ListenerAttributes {
  bool server_header_enabled = true;
  // routing.http.response.*.header_value: field name and value set on every response; empty values are not listed.
  std::vector<std::pair<std::string, std::string>> response_fields;
  std::string tls_version_field = "X-Amzn-Tls-Version";  // routing.http.request.*.header_name
  std::string tls_cipher_suite_field = "X-Amzn-Tls-Cipher-Suite";
  MtlsFieldNames mtls_fields;
  bool proxy_protocol = false;           // weir.proxy_protocol.enabled
  std::vector<CidrBlock> proxy_senders;  // weir.proxy_protocol.senders; not empty where it is enabled
  bool http2_cleartext = false;  // weir.http2.cleartext.enabled: an HTTP listener takes HTTP/2 with prior knowledge
  bool http2_extended_connect = false;  // weir.http2.extended_connect.enabled: WebSocket over HTTP/2 (RFC 8441)
};

// What a condition asks. Each kind has a row in config/schema/conditions.cc, which says how it is written and compared,
// and a file in proxy/routing/conditions/.
enum class ConditionKind : std::uint8_t {
  kHostHeader,
  kPathPattern,
  kHttpHeader,
  kRequestMethod,
  kQueryString,
  kSourceIp,
};
inline constexpr std::size_t kConditionKinds = CountEnumerators<ConditionKind>();

// Alternatives: the key, where there is one, and the value are patterns.
struct QueryStringPair {
  std::optional<LocatedText> key;
  LocatedText value;
};
// Its values are alternatives. The form of its kind (config/schema/conditions.h) says which members it has; the others
// are empty. One without any value matches nothing.
struct Condition {
  ConditionKind kind = ConditionKind::kHostHeader;
  Rare<std::string> name = {};                       // of the field that is compared
  std::vector<LocatedText> values = {};              // texts or patterns with the wildcards * and ?
  Rare<std::vector<LocatedText>> regex_values = {};  // without values
  Rare<std::vector<QueryStringPair>> pairs = {};
  Rare<std::vector<CidrBlock>> blocks = {};
  Position position = {};
};

struct WeightedTargetGroup {
  std::uint32_t target_group = 0;  // index into Model::target_groups
  std::uint16_t weight = 1;        // 0-999; 1 when a single group is given without weight
};
// The view of a forward action to two groups as a stage with a canary; spec: resilience.md 4.1.
struct Canary {
  std::uint32_t target_group = 0;     // the one on trial, by index into Model::target_groups
  std::optional<LogFile> access_log;  // of the requests that it gets, which are in no other then
};
struct ForwardAction {
  std::vector<WeightedTargetGroup> target_groups;  // at least one, at most 100
  // How long a client stays with the group that was drawn for it, 1 to 604,800; absent: stickiness is off.
  std::optional<std::chrono::seconds> stickiness = {};
  std::shared_ptr<const Canary> canary = nullptr;  // null: none
};
// Texts hold #{protocol} #{host} #{port} #{path} #{query}; defaults are filled in (spec: alb.md 5.2).
struct RedirectAction {
  std::string protocol = "#{protocol}";  // HTTP, HTTPS or #{protocol}
  std::string host = "#{host}";
  std::string port = "#{port}";
  std::string path = "/#{path}";
  std::string query = "#{query}";
  std::uint16_t status_code = 301;  // 301 or 302
};
struct FixedResponseAction {
  std::uint16_t status_code = 200;  // 2xx, 4xx, 5xx
  std::string content_type;         // may be empty: no Content-Type unless there is a body, then text/plain
  std::string message_body;         // at most 1024 characters
};
// A redirect, which is large, is kept apart: the forward actions of ten thousand rules have no room for one.
using Action = std::variant<ForwardAction, Rare<RedirectAction>, FixedResponseAction>;

enum class OnUnauthenticatedRequest : std::uint8_t { kDeny, kAllow, kAuthenticate };

// Signs users in at an OpenID Connect provider; spec: alb.md 5.4. Of HTTPS listeners. What authenticate-cognito says is
// turned into the same.
struct AuthenticateOidcAction {
  bool cognito = false;  // it is written, and logged, as authenticate-cognito
  LocatedText issuer;
  LocatedText authorization_endpoint;  // https URLs
  LocatedText token_endpoint;
  LocatedText user_info_endpoint;
  std::string client_id;
  std::optional<Secret> client_secret;  // absent, of Cognito alone: a public client
  std::string session_cookie_name = "AWSELBAuthSessionCookie";
  std::string scope = "openid";
  std::chrono::seconds session_timeout{604'800};
  OnUnauthenticatedRequest on_unauthenticated_request = OnUnauthenticatedRequest::kAuthenticate;
  std::vector<std::pair<std::string, std::string>> extra_params = {};  // of the authentication request, at most 10
  bool nonce = false;                                                  // weir.nonce
  bool pkce = false;                                                   // weir.pkce: S256
  LocatedText ca_bundle = {};  // weir.ca-bundle: whom to trust at its endpoints; empty: the system's authorities
  Position position = {};
};

enum class JwtClaimFormat : std::uint8_t { kSingleString, kStringArray, kSpaceSeparatedValues };
struct JwtClaim {
  std::string name;
  JwtClaimFormat format = JwtClaimFormat::kSingleString;
  std::vector<std::string> values = {};  // 1 to 10
};
// Lets requests go on that bear a good token; spec: alb.md 5.5. Of HTTPS listeners.
struct JwtValidationAction {
  LocatedText jwks_endpoint;  // an https URL
  std::string issuer;
  std::vector<JwtClaim> additional_claims = {};  // at most 10
  std::vector<std::string> algorithms = {};      // weir.jwt.algorithms; empty: RS256
  LocatedText ca_bundle = {};  // weir.ca-bundle: whom to trust at the endpoint; empty: the system's authorities
  Position position = {};
};

// Stands before the action of a rule.
using LeadingAction = std::variant<AuthenticateOidcAction, JwtValidationAction>;

enum class TransformKind : std::uint8_t { kHostHeaderRewrite, kUrlRewrite };
inline constexpr std::size_t kTransformKinds = CountEnumerators<TransformKind>();

// Changes requests after their rule has matched; spec: alb.md 6.
struct Transform {
  TransformKind kind = TransformKind::kUrlRewrite;
  LocatedText regex;
  LocatedText replace;
};

struct Rule {
  Rare<std::string> name;                   // may be empty
  std::uint32_t priority = 0;               // 1-50000; 0 is the default rule
  std::vector<Condition> conditions;        // empty on the default rule
  Rare<std::vector<Transform>> transforms;  // at most one of each kind
  Rare<std::vector<LeadingAction>> leading_actions;
  Action action;
  Position position;
  [[nodiscard]] bool is_default() const { return priority == 0; }
};

enum class ListenerProtocol : std::uint8_t { kHttp, kHttps };

// A certificate, with those of its issuers behind it, and its key. Paths are resolved.
struct CertificateFiles {
  LocatedText certificate;
  LocatedText key;
  std::optional<Secret> passphrase;
  LocatedText ocsp_response = {};  // of listeners; empty: there is none
};

enum class MutualAuthenticationMode : std::uint8_t { kOff, kPassthrough, kVerify };

// Certificates of clients; spec: alb.md 18.3.
struct MutualAuthentication {
  MutualAuthenticationMode mode = MutualAuthenticationMode::kOff;
  std::optional<std::uint32_t> trust_store;  // of kVerify: index into Model::trust_stores
  bool ignores_expiry = false;               // ignore-client-certificate-expiry
  bool advertises_ca_names = false;          // advertise-trust-store-ca-names
  Position position;                         // of the name of the trust store, else of the key
};

struct Listener {
  std::uint16_t port = 0;  // 0 takes a free one
  ListenerProtocol protocol = ListenerProtocol::kHttp;
  LocatedText ssl_policy;                      // of HTTPS; the place of the protocol when it is the default
  bool ssl_policy_is_default = false;          // none is written
  std::vector<CertificateFiles> certificates;  // of HTTPS: the first is the default
  MutualAuthentication mutual_authentication;  // of HTTPS
  ListenerAttributes attributes;
  // Sorted by priority, lowest first, without the default rule. None is null; revisions share what an edit leaves
  // alone.
  std::vector<std::shared_ptr<const Rule>> rules;
  Rule default_rule;
  Position position;
};

// What a load balancer is in one availability zone; spec: alb.md 10.
struct LoadBalancerNode {
  std::string zone;
  std::uint32_t zone_index = 0;      // into Model::availability_zones
  std::vector<IpAddress> addresses;  // as those of the load balancer; no two nodes share one
  std::vector<IpAddress> advertise;
  Position position;
};

struct LoadBalancer {
  std::string name;
  IpAddressType ip_address_type = IpAddressType::kDualstack;
  std::vector<IpAddress> addresses;  // what to bind, after ip-address-type was applied; never empty
  std::vector<IpAddress> advertise;  // what DNS aliases answer; default: the bound addresses that are not wildcards
  // By zone, at most kNodesMax; `addresses` and `advertise` hold those of all. Empty: it stands in no zone.
  std::vector<LoadBalancerNode> nodes;
  LoadBalancerAttributes attributes;
  std::optional<LogFile> access_log;        // requests; spec: alb.md 16.1
  std::optional<LogFile> connection_log;    // connections; spec: alb.md 16.3
  std::optional<LogFile> health_check_log;  // checks of the targets of its groups; spec: alb.md 16.4
  std::vector<Listener> listeners;
  Position position;
};

// Authorities that sign certificates of clients, and what they revoked. Paths are resolved.
struct TrustStore {
  std::string name;
  LocatedText ca_bundle;
  std::vector<LocatedText> revocations;
  Position position;
};

// ---- target groups
// --------------------------------------------------------------------------------------------------------------

enum class TargetProtocol : std::uint8_t { kHttp, kHttps };

// What requests of a group are sent by, and which of them it takes; spec: alb.md 7.1.
enum class TargetProtocolVersion : std::uint8_t { kHttp1, kHttp2, kGrpc };

// What connections to targets by HTTPS have beyond ALB's. Paths are resolved.
struct TargetTls {
  bool verify = false;                          // chain, validity and name of the targets' certificates
  LocatedText ca_bundle;                        // whom to trust; empty: the system's authorities
  std::string server_name;                      // SNI, and what is verified; empty: the host of each target
  std::optional<CertificateFiles> certificate;  // shown to targets that ask for one
  Position position;
};

enum class ProbeProtocol : std::uint8_t { kHttp, kHttps, kTcp };

// Inclusive ranges of status codes, or of gRPC's.
struct CodeMatcher {
  std::vector<std::pair<std::uint16_t, std::uint16_t>> ranges{1, {200, 200}};
};

// spec: alb.md section 11.
struct TargetHealthCheck {
  bool enabled = true;  // always, but of functions
  ProbeProtocol protocol = ProbeProtocol::kHttp;
  std::optional<std::uint16_t> port;  // absent: traffic-port
  std::string path = "/";
  std::chrono::milliseconds interval{30'000};
  std::chrono::milliseconds timeout{5'000};
  std::uint32_t healthy_threshold = 5;
  std::uint32_t unhealthy_threshold = 2;
  CodeMatcher matcher;
  TargetProtocolVersion version = TargetProtocolVersion::kHttp1;  // the group's
};

// Exactly one of address and host is set.
struct Target {
  std::optional<IpAddress> address;
  std::string host;  // resolved again as its DNS TTL ends; every address is a target
  std::uint16_t port = 0;
  std::string zone;          // may be empty
  std::uint16_t weight = 1;  // how much it takes beside the others
  Position position;
};

// weir.proxy_protocol.version: how connections to targets begin.
enum class ProxyProtocol : std::uint8_t { kOff, kV1, kV2 };

// One of count and percentage may be off (absent); spec: alb.md 10.2.
struct MinimumHealthy {
  std::optional<std::uint32_t> count = 1;
  std::optional<std::uint32_t> percentage;  // of registered targets
};

// How a target of a group is chosen; spec: alb.md 8. The last two are additions.
enum class BalancingAlgorithm : std::uint8_t {
  kRoundRobin,
  kLeastOutstandingRequests,
  kWeightedRandom,
  kPowerOfTwoChoices,
  kConsistentHash
};

// What requests are told apart by, for kConsistentHash.
enum class HashSource : std::uint8_t { kClientAddress, kHeader, kCookie, kUri };
struct ConsistentHashKey {
  HashSource source = HashSource::kClientAddress;
  std::string name;  // of the header or cookie
};

// Which cookie keeps a client at its target; spec: alb.md 9.
enum class StickinessType : std::uint8_t { kLbCookie, kAppCookie };
struct TargetGroupStickiness {
  bool enabled = false;
  StickinessType type = StickinessType::kLbCookie;
  std::chrono::seconds duration{86'400};  // of the type
  std::string cookie_name;                // of kAppCookie: the application's own
  Position position = {};                 // of `stickiness.enabled`
};

// load_balancing.cross_zone.enabled of a target group.
enum class CrossZone : std::uint8_t { kUseLoadBalancerConfiguration, kTrue, kFalse };

enum class FunctionRuntime : std::uint8_t { kPython, kNode };

// What runs when a function is invoked. Exactly one of command, runtime and invoke is set.
struct FunctionCode {
  std::vector<std::string> command;        // a custom runtime over the Lambda Runtime API; started in `root`
  std::optional<FunctionRuntime> runtime;  // one that weir brings
  std::string invoke;                      // http or https URL of an endpoint that speaks Lambda's Invoke call
  std::string handler;                     // of command and runtime: `file.function`; with `runtime` never empty
  std::string root;                        // of command and runtime: where the code is, resolved
  std::chrono::milliseconds timeout{30'000};
  std::uint32_t concurrency = 10;                                  // invocations at a time, at least 1
  std::vector<std::pair<std::string, std::string>> environment{};  // of command and runtime
  friend bool operator==(const FunctionCode&, const FunctionCode&) = default;
};

// What an alias can lead to.
struct FunctionVersion {
  std::string name = "$LATEST";  // as responses say which version ran
  double weight = 1;             // 0.0-1.0: its share of the requests
  FunctionCode code = {};
  Position position = {};
};

// A target that is a function; spec: alb.md 7.4.
struct Function {
  std::string alias = {};                      // empty: none
  std::vector<FunctionVersion> versions = {};  // at least one; the weights add up to 1
  bool multi_value_headers = false;            // lambda.multi_value_headers.enabled
};

struct TargetGroup {
  std::string name;
  // Of `target-type: lambda`, which has no targets, and nothing of what connections have: its requests are invocations.
  std::optional<Function> function = {};
  TargetProtocol protocol = TargetProtocol::kHttp;
  TargetProtocolVersion protocol_version = TargetProtocolVersion::kHttp1;
  bool takes_http1 = false;      // weir.http1_requests.enabled: of HTTP2, which ALB answers 464
  bool forwards_resets = false;  // routing.http2.rst_stream_error_forwarding.enabled: of HTTP2 and GRPC
  TargetTls tls;                 // of HTTPS
  std::vector<Target> targets;
  TargetHealthCheck health_check;
  std::chrono::seconds deregistration_delay{300};
  BalancingAlgorithm algorithm = BalancingAlgorithm::kRoundRobin;
  ConsistentHashKey hash_key;          // of kConsistentHash
  bool anomaly_mitigation = false;     // of kWeightedRandom: targets that fail more than others get less; 8.3
  std::chrono::seconds slow_start{0};  // of round robin: how long the share of a new target grows; 0: it has it at once
  ProxyProtocol proxy_protocol = ProxyProtocol::kOff;
  TargetGroupStickiness stickiness;
  MinimumHealthy unhealthy_state_routing;  // fewer healthy than this: requests go to all targets
  MinimumHealthy dns_failover;             // fewer healthy than this: DNS aliases see the group as unhealthy
  CrossZone cross_zone = CrossZone::kUseLoadBalancerConfiguration;
  // Model::availability_zones where nodes of some load balancer use only targets of their own zone, else empty.
  std::vector<std::string> node_zones;
  // Those from which load balancers that forward to it may be shifted away, each once.
  std::vector<std::string> shift_zones;
  bool in_use = false;  // some rule forwards to it; its targets are `unused` and not probed otherwise
  Position position;
};

// What a function is called where targets are: `fn`, `fn:live`.
[[nodiscard]] inline std::string FunctionId(const TargetGroup& group) {
  return group.function->alias.empty() ? group.name : group.name + ":" + group.function->alias;
}

// Whether the nodes of a load balancer with these attributes use targets of all zones of the group; spec: alb.md 10.1.
[[nodiscard]] inline bool CrossesZones(const LoadBalancerAttributes& balancer, const TargetGroup& group) {
  if (group.function) return true;  // it stands in no zone
  if (group.cross_zone == CrossZone::kUseLoadBalancerConfiguration) return balancer.cross_zone;
  return group.cross_zone == CrossZone::kTrue;
}

// ---- DNS
// ------------------------------------------------------------------------------------------------------------------------

struct DnsListener {
  std::vector<IpAddress> addresses;
  std::uint16_t port = 53;
  std::optional<Secret> cookie_secret;  // of DNS cookies; absent: one is made at the start
  std::string nsid;  // the name server identifier (RFC 5001): `nsid`, else the node's name; empty: none is given
  Position position;
};

enum class HealthCheckType : std::uint8_t { kHttp, kHttps, kHttpStrMatch, kHttpsStrMatch, kTcp, kCalculated };

// Route 53 health check; spec: dns.md 2.2 and 4.
struct HealthCheck {
  std::string name;
  HealthCheckType type = HealthCheckType::kHttp;
  std::optional<IpAddress> address;  // absent: `host` is resolved
  std::string host;                  // Host field and SNI; may be empty when address is set
  std::uint16_t port = 0;
  std::string path = "/";
  std::string search_string;
  std::chrono::milliseconds request_interval{30'000};
  std::chrono::milliseconds timeout{4'000};  // to connect (HTTP, HTTPS), 10 s for TCP; see docs/configuration.md
  std::uint32_t failure_threshold = 3;
  bool inverted = false;
  bool disabled = false;
  bool enable_sni = true;
  std::vector<std::uint32_t> children;  // CALCULATED: indexes into Model::health_checks
  std::uint32_t health_threshold = 0;
  Position position;
};

struct LocatedBlock {
  CidrBlock block;
  Position position;
};

// Blocks of clients under one name; spec: dns.md 2, CIDR collection.
struct CidrLocation {
  std::string name;
  std::vector<LocatedBlock> blocks;  // at least one; no other location of the collection has the same
};
struct CidrCollection {
  std::string name;
  std::vector<CidrLocation> locations;  // at least one
  Position position;
};

// Whom a CIDR record answers.
struct CidrRoute {
  std::uint32_t collection = 0;           // index into Model::cidr_collections
  std::optional<std::uint32_t> location;  // index into CidrCollection::locations; absent: `*`, all other clients
};

// Whom a geolocation record answers (spec: dns.md 2, GeoLocation), in codes of upper case: a continent, or a country
// with or without a subdivision of it, or none of them.
struct GeoLocation {
  std::string continent;    // AF, AN, AS, EU, NA, OC, SA
  std::string country;      // ISO 3166-1
  std::string subdivision;  // ISO 3166-2, without the country
  // `*`: every client for whom no other record is.
  [[nodiscard]] bool is_default() const { return continent.empty() && country.empty(); }
  friend bool operator==(const GeoLocation&, const GeoLocation&) = default;
};

// Where a geoproximity record is, and how far it reaches (spec: dns.md 3.3, Geoproximity bias).
struct GeoProximity {
  std::optional<std::uint32_t> region = {};  // index into Model::regions, or
  double latitude = 0;                       // degrees
  double longitude = 0;
  int bias = 0;  // -99..99: a positive one draws clients from farther away
  friend bool operator==(const GeoProximity&, const GeoProximity&) = default;
};

struct Soa {
  std::string mname;  // absolute, lower case, with the final dot, like every name below
  std::string rname;
  std::uint32_t serial = 1;
  std::uint32_t refresh_seconds = 7'200;
  std::uint32_t retry_seconds = 900;
  std::uint32_t expire_seconds = 1'209'600;
  std::uint32_t minimum_seconds = 60;
  std::uint32_t ttl_seconds = 900;
};

enum class RoutingPolicy : std::uint8_t {
  kSimple,
  kWeighted,
  kFailover,
  kLatency,
  kMultivalue,
  kCidr,
  kGeolocation,
  kGeoproximity
};
enum class FailoverRole : std::uint8_t { kPrimary, kSecondary };

struct AliasTarget {
  std::optional<std::uint32_t> load_balancer;  // index into Model::load_balancers, or
  std::string record;                          // an absolute name of the same zone
  bool evaluate_target_health = false;
  Position position;  // of the name that `load-balancer` or `record` gives
};

struct RecordSet {
  std::string name;                          // absolute, as base/domain_name.h writes names; may begin with `*.`
  std::uint16_t type = 0;                    // RFC 1035 and later; TYPEnnn for others
  std::optional<std::uint32_t> ttl_seconds;  // absent only on aliases
  std::vector<LocatedText> values;           // presentation format; checked by dns::BuildZoneSet
  RoutingPolicy policy = RoutingPolicy::kSimple;
  std::string set;  // set identifier; empty for simple
  std::uint32_t weight = 0;
  FailoverRole failover = FailoverRole::kPrimary;
  std::uint32_t region = 0;                   // index into Model::regions
  std::optional<CidrRoute> cidr;              // set when `policy` is kCidr
  std::optional<GeoLocation> geolocation;     // set when `policy` is kGeolocation
  std::optional<GeoProximity> geoproximity;   // set when `policy` is kGeoproximity
  std::optional<std::uint32_t> health_check;  // index into Model::health_checks
  std::optional<AliasTarget> alias;
  Position position;
  // It always answers its values: no policy, no health, no alias.
  [[nodiscard]] bool is_plain() const { return policy == RoutingPolicy::kSimple && !health_check && !alias; }
};

struct Zone {
  std::string name;  // absolute, lower case, final dot
  Soa soa;
  std::vector<std::string> name_servers;  // absolute
  std::uint32_t ns_ttl_seconds = 172'800;
  std::vector<RecordSet> records;  // without the SOA and the apex NS
  // Plain records that are no longer in `records`, because they are compiled; see config/plain_records.h.
  std::size_t plain_record_count = 0;
  Position position;
};

// Where latency, geolocation and geoproximity records get their places. Paths are resolved against the file that names
// them.
struct Latency {
  LocatedText table;  // empty text: none
  LocatedText geoip;
};

// ---- the rest
// -------------------------------------------------------------------------------------------------------------------

struct Admin {
  IpAddress address = IpAddress::V4({127, 0, 0, 1});
  std::uint16_t port = 9900;
};

// One entry of `tests`: a request or a query that `weir test` decides without a socket.
struct RoutingTest {
  // Request: METHOD URL.
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  // Query: NAME TYPE.
  std::string query_name;  // as written, final dot optional
  std::string query_type;
  std::string from;  // client address or CIDR; may be empty
  std::vector<LocatedText>
      unhealthy;  // load balancers, target groups, targets (ADDRESS:PORT) and health checks that count as unhealthy

  struct Expectation {
    std::optional<std::string> rule;                 // rule name, or its priority, or `default`
    std::optional<std::string> target_group;         // the group drawn; with several, any of them with a weight
    std::optional<std::uint16_t> status;             // fixed response or redirect
    std::optional<std::string> location;             // redirect
    std::optional<std::string> body;                 // fixed response
    std::optional<std::vector<std::string>> values;  // DNS: the answer's values, in any order
    std::optional<std::string> rcode;                // DNS: NOERROR, NXDOMAIN, REFUSED …
    std::optional<std::uint32_t> ttl_seconds;        // DNS
  } expect;
  Position position;
  [[nodiscard]] bool is_query() const { return url.empty(); }
};

// What a check of a file with errors sees of it is decoded as far as it can be read.
struct Model {
  std::vector<std::string> files;  // what Position::file means; files[0] is the file that was given
  NodeIdentity node;
  std::vector<Region> regions;
  std::vector<std::string> availability_zones;  // in which load balancers have nodes, each once
  std::vector<LoadBalancer> load_balancers;
  std::vector<TargetGroup> target_groups;
  std::vector<TrustStore> trust_stores;
  std::optional<DnsListener> dns;
  std::vector<HealthCheck> health_checks;
  std::vector<CidrCollection> cidr_collections;
  std::vector<std::shared_ptr<const Zone>> zones;  // shared with the models before and after, where they are the same
  std::vector<LocatedText> tls_ticket_keys;        // paths; empty: keys are made
  std::vector<LocatedText> stickiness_keys;        // the same
  LocatedText state_directory;                     // a path; empty: nothing outlives the program
  Latency latency;
  Admin admin;
  std::vector<RoutingTest> tests;
  bool complete = true;  // false: a part of the file could not be read, so that what is missing may stand there
};

}  // namespace weir::config
