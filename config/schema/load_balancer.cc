// Load balancers, listeners, rules, conditions and actions. Names and defaults: spec alb.md 2-5.

#include "config/schema/conditions.h"
#include "config/schema/schema.h"

#include <array>

namespace weir::config {
namespace {

using enum FieldType;
using std::string_view;

constexpr std::int64_t kDaySeconds = 86'400;

constexpr auto kLoadBalancerTypes = std::to_array<string_view>({"application"});
constexpr auto kLaterLoadBalancerTypes = std::to_array<string_view>({"network", "gateway"});
constexpr auto kIpAddressTypes =
    std::to_array<string_view>({"ipv4", "ipv6", "dualstack", "dualstack-without-public-ipv4"});
constexpr auto kLogFormats = std::to_array<string_view>({"alb", "json"});
constexpr auto kListenerProtocols = std::to_array<string_view>({"HTTP", "HTTPS"});
constexpr auto kLaterListenerProtocols =
    std::to_array<string_view>({"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC", "GENEVE"});
constexpr auto kDesyncModes = std::to_array<string_view>({"monitor", "defensive", "strictest"});
constexpr auto kXffModes = std::to_array<string_view>({"append", "preserve", "remove"});
constexpr auto kRedirectProtocols = std::to_array<string_view>({"HTTP", "HTTPS", "#{protocol}"});
constexpr auto kRedirectStatuses = std::to_array<string_view>({"HTTP_301", "HTTP_302"});
constexpr auto kClientRoutingPolicies = std::to_array<string_view>({"any_availability_zone"});
constexpr auto kLaterClientRoutingPolicies =
    std::to_array<string_view>({"partial_availability_zone_affinity", "availability_zone_affinity"});

// spec: alb.md 18.2; what they mean is in net/tls_policy.cc.
constexpr auto kSslPolicies = std::to_array<string_view>({
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Ext2-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-1-2021-06",
    "ELBSecurityPolicy-TLS13-1-0-2021-06",
    "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09",
    "ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
    "ELBSecurityPolicy-TLS-1-2-2017-01",
    "ELBSecurityPolicy-TLS-1-1-2017-01",
    "ELBSecurityPolicy-2016-08",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-3-RFC9151-FIPS-2023-07",
    "ELBSecurityPolicy-TLS13-1-2-RFC9151-FIPS-2023-07",
    "ELBSecurityPolicy-TLS13-1-2-Ext0-RFC9151-FIPS-2023-07",
    "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07",
    "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07",
    "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07",
    "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07",
    "ELBSecurityPolicy-FS-1-2-Res-2020-10",
    "ELBSecurityPolicy-FS-1-2-Res-2019-08",
    "ELBSecurityPolicy-FS-1-2-2019-08",
    "ELBSecurityPolicy-FS-1-1-2019-08",
    "ELBSecurityPolicy-FS-2018-06",
});

// A boolean attribute of a feature that this version does not have.
constexpr Field LaterBalancerSwitch(string_view key, string_view fallback) {
  return {.key = key, .type = kBoolean, .support = Support::kLaterUnlessDefault, .fallback = fallback};
}
constexpr Field LaterText(string_view key) { return {.key = key, .support = Support::kLaterUnlessDefault}; }

constexpr auto kLoadBalancerAttributes = std::to_array<Field>({
    {.key = "idle_timeout.timeout_seconds",
     .type = kInteger,
     .minimum = 1,
     .maximum = kDaySeconds,
     .fallback = "60",
     .doc = "Seconds without a byte after which a connection to a client or a target is closed."},
    {.key = "client_keep_alive.seconds",
     .type = kInteger,
     .minimum = 1,
     .maximum = 365 * kDaySeconds,
     .fallback = "3600",
     .doc = "Seconds a client connection may live; it is closed after the response that passes it."},
    {.key = "routing.http.desync_mitigation_mode",
     .type = kWord,
     .words = kDesyncModes,
     .fallback = "defensive",
     .doc = "What is done with requests that parsers may read differently."},
    {.key = "routing.http.drop_invalid_header_fields.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Drop request header fields whose name holds anything but letters, digits and hyphens."},
    {.key = "routing.http.preserve_host_header.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Send the client's Host field to the target unchanged."},
    {.key = "routing.http.xff_client_port.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Write the client's port into X-Forwarded-For."},
    {.key = "routing.http.xff_header_processing.mode",
     .type = kWord,
     .words = kXffModes,
     .fallback = "append",
     .doc = "What happens to X-Forwarded-For."},
    {.key = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Tell targets what was agreed on with the client: `X-Amzn-Tls-Version`, `X-Amzn-Tls-Cipher-Suite`."},
    {.key = "routing.http2.enabled",
     .type = kBoolean,
     .fallback = "true",
     .doc = "HTTPS listeners offer HTTP/2 to clients."},
    {.key = "load_balancing.cross_zone.enabled",
     .type = kBoolean,
     .fallback = "true",
     .doc = "Nodes use targets of all zones; `false`: each those of its own zone. Target groups may say otherwise."},
    {.key = "access_logs.s3.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Requests are logged: there is no S3 here, they go to `access-log`, else to `access.log` beside this file; "
            "a warning says so."},
    {.key = "access_logs.s3.bucket", .doc = "Of AWS alone."},
    {.key = "access_logs.s3.prefix", .doc = "Of AWS alone."},
    {.key = "connection_logs.s3.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "The same of connections: `connection-log`, else `connections.log`."},
    {.key = "connection_logs.s3.bucket", .doc = "Of AWS alone."},
    {.key = "connection_logs.s3.prefix", .doc = "Of AWS alone."},
    {.key = "health_check_logs.s3.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "The same of health checks: `health-check-log`, else `health-checks.log`."},
    {.key = "health_check_logs.s3.bucket", .doc = "Of AWS alone."},
    {.key = "health_check_logs.s3.prefix", .doc = "Of AWS alone."},
    LaterBalancerSwitch("deletion_protection.enabled", "false"),
    LaterBalancerSwitch("ipv6.deny_all_igw_traffic", "false"),
    LaterBalancerSwitch("waf.fail_open.enabled", "false"),
    {.key = "zonal_shift.config.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "`weir zonal-shift` may lead requests away from one of its `zones`."},
    {.key = "weir.traceparent.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Requests without `traceparent` (W3C Trace Context) get one, of the trace that `X-Amzn-Trace-Id` names; "
            "one that a client sends goes on as it is. Not of AWS."},
    {.key = "dns_record.client_routing_policy",
     .type = kWord,
     .support = Support::kLaterUnlessDefault,
     .words = kClientRoutingPolicies,
     .later_words = kLaterClientRoutingPolicies,
     .fallback = "any_availability_zone"},
    {.key = "secondary_ips.auto_assigned.per_subnet",
     .type = kInteger,
     .support = Support::kLaterUnlessDefault,
     .maximum = 7,
     .fallback = "0"},
});

constexpr Field ResponseField(string_view key, string_view doc) { return {.key = key, .doc = doc}; }
constexpr Field RequestField(string_view key, string_view doc) { return {.key = key, .doc = doc}; }

constexpr auto kListenerAttributes = std::to_array<Field>({
    {.key = "routing.http.response.server.enabled",
     .type = kBoolean,
     .fallback = "true",
     .doc = "Add the Server field to responses that the load balancer makes."},
    ResponseField("routing.http.response.strict_transport_security.header_value", "Strict-Transport-Security"),
    ResponseField("routing.http.response.access_control_allow_origin.header_value", "Access-Control-Allow-Origin"),
    ResponseField("routing.http.response.access_control_allow_methods.header_value", "Access-Control-Allow-Methods"),
    ResponseField("routing.http.response.access_control_allow_headers.header_value", "Access-Control-Allow-Headers"),
    ResponseField("routing.http.response.access_control_allow_credentials.header_value",
                  "Access-Control-Allow-Credentials"),
    ResponseField("routing.http.response.access_control_expose_headers.header_value", "Access-Control-Expose-Headers"),
    ResponseField("routing.http.response.access_control_max_age.header_value", "Access-Control-Max-Age"),
    ResponseField("routing.http.response.content_security_policy.header_value", "Content-Security-Policy"),
    ResponseField("routing.http.response.x_content_type_options.header_value", "X-Content-Type-Options"),
    ResponseField("routing.http.response.x_frame_options.header_value", "X-Frame-Options"),
    RequestField("routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
                 "Another name for `X-Amzn-Mtls-Clientcert-Serial-Number`; HTTPS listeners only."),
    RequestField("routing.http.request.x_amzn_mtls_clientcert_issuer.header_name",
                 "Another name for `X-Amzn-Mtls-Clientcert-Issuer`; HTTPS listeners only."),
    RequestField("routing.http.request.x_amzn_mtls_clientcert_subject.header_name",
                 "Another name for `X-Amzn-Mtls-Clientcert-Subject`; HTTPS listeners only."),
    RequestField("routing.http.request.x_amzn_mtls_clientcert_validity.header_name",
                 "Another name for `X-Amzn-Mtls-Clientcert-Validity`; HTTPS listeners only."),
    RequestField("routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
                 "Another name for `X-Amzn-Mtls-Clientcert-Leaf`; HTTPS listeners only."),
    RequestField("routing.http.request.x_amzn_mtls_clientcert.header_name",
                 "Another name for `X-Amzn-Mtls-Clientcert`; HTTPS listeners only."),
    RequestField("routing.http.request.x_amzn_tls_version.header_name",
                 "Another name for `X-Amzn-Tls-Version`; HTTPS listeners only."),
    RequestField("routing.http.request.x_amzn_tls_cipher_suite.header_name",
                 "Another name for `X-Amzn-Tls-Cipher-Suite`; HTTPS listeners only."),
    {.key = "tcp.idle_timeout.seconds",
     .type = kInteger,
     .support = Support::kLaterUnlessDefault,
     .minimum = 60,
     .maximum = 6000,
     .fallback = "350"},
    LaterBalancerSwitch("send_tcp_reset.on_idle_timeout.enabled", "false"),
    {.key = "weir.http2.cleartext.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "HTTP listeners only: clients may speak HTTP/2 from the first byte on, without TLS. Not of AWS."},
    {.key = "weir.http2.extended_connect.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Clients of HTTP/2 may open WebSockets as streams of their connection (RFC 8441). Not of AWS."},
    {.key = "weir.proxy_protocol.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Connections begin with a PROXY header, version 1 or 2, which says whose they are. Needs the senders."},
    {.key = "weir.proxy_protocol.senders",
     .doc = "Who may send it: blocks with commas between, `10.0.0.0/8, 2001:db8::/32`; others are refused."},
});

constexpr auto kRotationFields = std::to_array<Field>({
    {.key = "size-mb",
     .type = kInteger,
     .minimum = 1,
     .maximum = 1'000'000,
     .doc = "Megabytes (of a million bytes) from which on the file is put aside."},
    {.key = "interval",
     .type = kSeconds,
     .minimum = 10,
     .maximum = kDaySeconds,
     .doc = "It is put aside at multiples of this, in UTC: `5m` as ALB, `1h`, `1d`."},
    {.key = "keep",
     .type = kInteger,
     .minimum = 1,
     .maximum = 100'000,
     .doc = "How many files put aside stay; default: all."},
    {.key = "compress", .type = kBoolean, .fallback = "false", .doc = "What is put aside becomes a gzip file."},
});
constexpr Object kRotationObject{
    .name = "rotation",
    .doc = "When a log is put aside as `PATH.20261130T130000Z`; `size-mb`, `interval` or both.",
    .fields = kRotationFields};

constexpr auto kLogFields = std::to_array<Field>({
    {.key = "path", .required = true, .doc = "File to append to, relative to this file; `-` is standard output."},
    {.key = "format", .type = kWord, .words = kLogFormats, .fallback = "alb", .doc = "ALB's line or one JSON object."},
    {.key = "rotate",
     .type = kObject,
     .object = &kRotationObject,
     .doc = "Absent: the file grows until somebody renames it and sends SIGUSR1."},
});
constexpr Object kAccessLogObject{.name = "access-log", .doc = "Where requests are logged.", .fields = kLogFields};
constexpr Object kConnectionLogObject{
    .name = "connection-log", .doc = "Where connections are logged.", .fields = kLogFields};
constexpr Object kHealthCheckLogObject{
    .name = "health-check-log", .doc = "Where checks of its groups' targets are logged.", .fields = kLogFields};

constexpr auto kWeightedGroupFields = std::to_array<Field>({
    {.key = "name", .required = true, .doc = "Name of a target group."},
    {.key = "weight",
     .type = kInteger,
     .maximum = 999,
     .fallback = "1",
     .doc = "Its share is weight over the sum; 0 takes no new requests. Required when there are several groups."},
});
constexpr Object kWeightedGroupObject{
    .name = "weighted-target-group", .doc = "One of a forward action's target groups.", .fields = kWeightedGroupFields};

constexpr auto kGroupStickinessFields = std::to_array<Field>({
    {.key = "enabled", .type = kBoolean, .fallback = "false", .doc = "By cookies `AWSALBTG` and `AWSALBTGCORS`."},
    {.key = "duration",
     .type = kSeconds,
     .minimum = 1,
     .maximum = kStickinessSecondsMax,
     .doc = "How long a client stays after its last response; required when enabled."},
});
constexpr Object kGroupStickinessObject{.name = "forward-stickiness",
                                        .doc = "A client stays with the target group that was drawn for it.",
                                        .fields = kGroupStickinessFields};

constexpr Object kCanaryLogObject{
    .name = "canary-log", .doc = "Where a canary's requests are logged.", .fields = kLogFields};
constexpr auto kCanaryFields = std::to_array<Field>({
    {.key = "target-group", .required = true, .name = true, .doc = "The one of the two that is on trial."},
    {.key = "access-log",
     .type = kObject,
     .object = &kCanaryLogObject,
     .doc = "Default: the load balancer's file and `.canary`; what is on standard output stays there."},
});
constexpr Object kCanaryObject{
    .name = "canary",
    .doc =
        "Sees two target groups as a stage and its canary, as API Gateway does: the canary's requests have a log of "
        "their own, and `weir canary` shifts, promotes and ends it.",
    .fields = kCanaryFields};
constexpr auto kForwardFields = std::to_array<Field>({
    {.key = "target-group", .doc = "Name of the target group, when it is one."},
    {.key = "target-groups",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kWeightedGroupObject,
     .doc = "Several target groups with weights."},
    {.key = "stickiness",
     .type = kObject,
     .object = &kGroupStickinessObject,
     .doc = "Required with several groups when one of them is sticky."},
    {.key = "canary",
     .type = kObject,
     .object = &kCanaryObject,
     .doc = "Which of two groups is on trial. Not of AWS.",
     .addition = "weights alone, and one access log"},
});
constexpr Object kForwardObject{
    .name = "forward", .doc = "Sends the request to a target group.", .fields = kForwardFields};

constexpr auto kRedirectFields = std::to_array<Field>({
    {.key = "protocol", .type = kWord, .words = kRedirectProtocols, .fallback = "#{protocol}"},
    {.key = "host", .fallback = "#{host}", .doc = "May hold `#{host}`."},
    {.key = "port", .fallback = "#{port}", .doc = "1-65535 or `#{port}`."},
    {.key = "path", .fallback = "/#{path}", .doc = "Starts with `/`; may hold `#{host}`, `#{path}`, `#{port}`."},
    {.key = "query", .fallback = "#{query}", .doc = "Without `?`; may hold every placeholder."},
    {.key = "status-code", .type = kWord, .required = true, .words = kRedirectStatuses},
});
constexpr Object kRedirectObject{
    .name = "redirect",
    .doc = "Answers with a Location. At least one of protocol, host, port and path has to change.",
    .fields = kRedirectFields};

constexpr auto kFixedResponseFields = std::to_array<Field>({
    {.key = "status-code",
     .type = kInteger,
     .required = true,
     .minimum = 200,
     .maximum = 599,
     .doc = "2xx, 4xx or 5xx."},
    {.key = "content-type", .doc = "Default: text/plain when there is a body, else no field."},
    {.key = "message-body", .doc = "At most 1024 characters."},
});
constexpr Object kFixedResponseObject{
    .name = "fixed-response", .doc = "Answers at once.", .fields = kFixedResponseFields};

constexpr auto kUnauthenticatedChoices = std::to_array<string_view>({"deny", "allow", "authenticate"});
constexpr auto kPkceMethods = std::to_array<string_view>({"S256"});

// What both authenticate actions have.
constexpr Field kSessionCookieName{.key = "session-cookie-name",
                                   .fallback = "AWSELBAuthSessionCookie",
                                   .doc = "The session is in cookies of this name, with -0 to -3 behind it."};
constexpr Field kScope{
    .key = "scope", .fallback = "openid", .doc = "Words with spaces between; without `openid` nobody can sign in."};
constexpr Field kSessionTimeout{.key = "session-timeout",
                                .type = kSeconds,
                                .minimum = 1,
                                .maximum = 36'500 * kDaySeconds,
                                .fallback = "604800s",
                                .doc = "How long a session lasts, from the login on; 1 s at least."};
constexpr Field kOnUnauthenticated{.key = "on-unauthenticated-request",
                                   .type = kWord,
                                   .words = kUnauthenticatedChoices,
                                   .fallback = "authenticate",
                                   .doc =
                                       "What is done with users who have not signed in: 401, or the request goes "
                                       "on without claims, or they are sent to the provider."};
constexpr Field kExtraParams{.key = "authentication-request-extra-params",
                             .type = kTextMap,
                             .doc = "Query parameters of the request to the authorization endpoint, at most 10."};
constexpr Field kNonce{.key = "weir.nonce",
                       .type = kBoolean,
                       .fallback = "false",
                       .doc = "Send a `nonce`, which the ID token has to repeat.",
                       .addition = "leave it out"};
constexpr Field kPkce{.key = "weir.pkce",
                      .type = kWord,
                      .words = kPkceMethods,
                      .doc = "Prove with each code who asked for it (RFC 7636).",
                      .addition = "leave it out"};
constexpr Field kProviderAuthorities{.key = "weir.ca-bundle",
                                     .type = kPath,
                                     .doc =
                                         "PEM: whom to trust at the provider's endpoints; default: the system's "
                                         "authorities.",
                                     .addition = "leave it out: certificates there are publicly trusted"};

constexpr auto kAuthenticateOidcFields = std::to_array<Field>({
    {.key = "issuer", .required = true, .doc = "An https URL; ID tokens have to name it."},
    {.key = "authorization-endpoint", .required = true, .doc = "An https URL, to which users are sent."},
    {.key = "token-endpoint", .required = true, .doc = "An https URL, asked by weir."},
    {.key = "user-info-endpoint", .required = true, .doc = "An https URL, asked by weir."},
    {.key = "client-id", .required = true},
    {.key = "client-secret", .type = kSecret, .required = true, .doc = "Of a file without the line end."},
    kSessionCookieName,
    kScope,
    kSessionTimeout,
    kOnUnauthenticated,
    kExtraParams,
    kNonce,
    kPkce,
    kProviderAuthorities,
});
constexpr Object kAuthenticateOidcObject{.name = "authenticate-oidc",
                                         .doc =
                                             "Signs users in at an OpenID Connect provider before the next action. "
                                             "Of HTTPS listeners; [how it works](authentication.md).",
                                         .fields = kAuthenticateOidcFields};

constexpr auto kAuthenticateCognitoFields = std::to_array<Field>({
    {.key = "user-pool-arn", .required = true, .doc = "`arn:aws:cognito-idp:REGION:ACCOUNT:userpool/POOL`."},
    {.key = "user-pool-client-id", .required = true},
    {.key = "user-pool-domain",
     .required = true,
     .doc = "The prefix of a domain of Cognito's, or a whole domain, which has a dot."},
    {.key = "issuer",
     .doc = "Another provider's, as of authenticate-oidc; default: `https://cognito-idp.REGION.amazonaws.com/POOL`.",
     .addition = "leave it out: it follows from the pool"},
    {.key = "authorization-endpoint",
     .doc = "Default: `https://DOMAIN/oauth2/authorize`.",
     .addition = "leave it out: it follows from the domain"},
    {.key = "token-endpoint",
     .doc = "Default: `https://DOMAIN/oauth2/token`.",
     .addition = "leave it out: it follows from the domain"},
    {.key = "user-info-endpoint",
     .doc = "Default: `https://DOMAIN/oauth2/userInfo`.",
     .addition = "leave it out: it follows from the domain"},
    {.key = "client-secret",
     .type = kSecret,
     .doc = "Of the client, which AWS asks Cognito for; without one it is a public client.",
     .addition = "leave it out: AWS asks Cognito for it"},
    kSessionCookieName,
    kScope,
    kSessionTimeout,
    kOnUnauthenticated,
    kExtraParams,
    kNonce,
    kPkce,
    kProviderAuthorities,
});
constexpr Object kAuthenticateCognitoObject{.name = "authenticate-cognito",
                                            .doc = "The same at a user pool of Amazon Cognito, or at any provider.",
                                            .fields = kAuthenticateCognitoFields};

constexpr auto kJwtClaimFormats =
    std::to_array<string_view>({"single-string", "string-array", "space-separated-values"});
constexpr auto kJwtAlgorithms = std::to_array<string_view>(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"});

constexpr auto kJwtClaimFields = std::to_array<Field>({
    {.key = "name",
     .required = true,
     .doc = "Of the claim; not `exp`, `iss`, `nbf` or `iat`, which are checked anyway."},
    {.key = "values",
     .arity = Arity::kList,
     .required = true,
     .doc = "1 to 10, at most 256 characters each. A `single-string` is the one, a `string-array` has one of them, "
            "`space-separated-values` have all of them."},
    {.key = "format", .type = kWord, .required = true, .words = kJwtClaimFormats, .doc = "How the claim is written."},
});
constexpr Object kJwtClaimObject{
    .name = "jwt-claim", .doc = "A claim that a token must have.", .fields = kJwtClaimFields};

constexpr auto kJwtValidationFields = std::to_array<Field>({
    {.key = "jwks-endpoint",
     .required = true,
     .doc = "An https URL of at most 256 characters, where the keys are (RFC 7517): 5 s, 150 KB, 10 keys at most."},
    {.key = "issuer", .required = true, .doc = "What `iss` is; at most 256 characters."},
    {.key = "additional-claims",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kJwtClaimObject,
     .doc = "What a token must say besides; at most 10."},
    {.key = "weir.jwt.algorithms",
     .type = kWord,
     .arity = Arity::kList,
     .words = kJwtAlgorithms,
     .doc = "How tokens may be signed; default: RS256 alone.",
     .addition = "tokens are signed by RS256"},
    {.key = "weir.ca-bundle",
     .type = kPath,
     .doc = "PEM: whom to trust at the endpoint; default: the system's authorities.",
     .addition = "leave it out: certificates there are publicly trusted"},
});
constexpr Object kJwtValidationObject{.name = "jwt-validation",
                                      .doc =
                                          "Lets requests go on that bear one good token in `Authorization: Bearer`; "
                                          "others are answered 401. Of HTTPS listeners.",
                                      .fields = kJwtValidationFields};

constexpr auto kActionFields = std::to_array<Field>({
    {.key = "forward", .type = kObject, .object = &kForwardObject, .doc = "Send to a target group."},
    {.key = "redirect", .type = kObject, .object = &kRedirectObject, .doc = "Answer with a redirect."},
    {.key = "fixed-response", .type = kObject, .object = &kFixedResponseObject, .doc = "Answer with this."},
    {.key = "authenticate-oidc",
     .type = kObject,
     .object = &kAuthenticateOidcObject,
     .doc = "First: sign users in at an OpenID Connect provider."},
    {.key = "authenticate-cognito",
     .type = kObject,
     .object = &kAuthenticateCognitoObject,
     .doc = "First: the same with the names of Cognito."},
    {.key = "jwt-validation",
     .type = kObject,
     .object = &kJwtValidationObject,
     .doc = "First: let only requests with a good token go on."},
});

constexpr auto kRewriteFields = std::to_array<Field>({
    {.key = "regex", .required = true, .doc = "RE2, at most 1024 characters; what it matches first is replaced."},
    {.key = "replace",
     .required = true,
     .doc = "At most 1024 characters; `$1` to `$9` are what the groups captured, `$0` is all that matched."},
});
constexpr Object kRewriteObject{
    .name = "rewrite", .doc = "What stands for what an expression matches.", .fields = kRewriteFields};

constexpr auto kTransformFields = std::to_array<Field>({
    {.key = "host-header-rewrite",
     .type = kObject,
     .object = &kRewriteObject,
     .doc = "Of the Host field without its port, in any case."},
    {.key = "url-rewrite",
     .type = kObject,
     .object = &kRewriteObject,
     .doc = "Of path and query, as the client sent them."},
});
constexpr Object kTransformObject{.name = "transform",
                                  .doc =
                                      "Changes a request after its rule has matched, and never which one does. "
                                      "A result that is no host, or no path, is answered 500.",
                                  .fields = kTransformFields,
                                  .single = true};

constexpr auto kRuleFields = std::to_array<Field>({
    {.key = "name", .name = true, .doc = "Shown by explain, logs and metrics."},
    {.key = "priority",
     .type = kInteger,
     .required = true,
     .minimum = 1,
     .maximum = 50'000,
     .doc = "Unique in the listener; the lowest is looked at first."},
    {.key = "conditions",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kConditionObject,
     .doc = "All of them must hold; without any, every request matches."},
    {.key = "actions",
     .type = kObject,
     .arity = Arity::kList,
     .required = true,
     .object = &kActionObject,
     .doc = "Exactly one action that answers; before it, on an HTTPS listener, one that lets requests go on."},
    {.key = "transforms",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kTransformObject,
     .doc = "What is changed of a request that the rule forwards; at most one of each kind."},
});

constexpr auto kListenerCertificateFields = std::to_array<Field>({
    {.key = "certificate",
     .type = kPath,
     .required = true,
     .doc = "PEM: the certificate, then those of its issuers, in order."},
    {.key = "key", .type = kPath, .required = true, .doc = "PEM: its private key."},
    {.key = "passphrase", .type = kSecret, .doc = "Of an encrypted key; of a file without the line end."},
    {.key = "ocsp-response",
     .type = kPath,
     .doc = "What the authority says of the certificate (RFC 6960), DER, for clients that ask. An addition to ALB.",
     .addition = "leave it out"},
});
constexpr Object kListenerCertificateObject{.name = "listener-certificate",
                                            .doc = "A certificate of an HTTPS listener and its key.",
                                            .fields = kListenerCertificateFields};

constexpr auto kListenerFields = std::to_array<Field>({
    {.key = "port", .type = kInteger, .required = true, .maximum = 65'535, .doc = "0 takes a free port."},
    {.key = "protocol",
     .type = kWord,
     .words = kListenerProtocols,
     .later_words = kLaterListenerProtocols,
     .fallback = "HTTP"},
    {.key = "attributes", .type = kObject, .object = &kListenerAttributesObject, .doc = "ALB's listener attributes."},
    {.key = "rules", .type = kObject, .arity = Arity::kList, .object = &kRuleObject, .doc = "In any order."},
    {.key = "default-actions",
     .type = kObject,
     .arity = Arity::kList,
     .required = true,
     .object = &kActionObject,
     .doc = "As those of a rule; taken when no rule matches."},
    {.key = "ssl-policy",
     .type = kWord,
     .words = kSslPolicies,
     .fallback = "ELBSecurityPolicy-2016-08",
     .doc = "AWS's [security policies](tls.md#security-policies): versions and suites of an HTTPS listener."},
    {.key = "certificates",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kListenerCertificateObject,
     .doc = "Of an HTTPS listener: the first is the default, the others are chosen by name."},
    {.key = "mutual-authentication",
     .type = kObject,
     .object = &kMutualAuthenticationObject,
     .doc = "Of an HTTPS listener: certificates of clients."},
    {.key = "alpn-policy", .support = Support::kLater},
});

constexpr auto kZoneNodeFields = std::to_array<Field>({
    {.key = "name", .required = true, .name = true, .doc = "The zone, as targets name it."},
    {.key = "addresses",
     .type = kAddress,
     .arity = Arity::kList,
     .required = true,
     .doc = "What this node binds: no wildcards, no address of another node."},
    {.key = "advertise",
     .type = kAddress,
     .arity = Arity::kList,
     .doc = "What DNS aliases answer for it; default: the bound addresses."},
});
constexpr Object kZoneNodeObject{.name = "load-balancer-zone",
                                 .doc = "A node of a load balancer in one availability zone.",
                                 .fields = kZoneNodeFields};

constexpr auto kLoadBalancerFields = std::to_array<Field>({
    {.key = "name", .required = true, .name = true, .doc = "Unique among load balancers."},
    {.key = "type",
     .type = kWord,
     .words = kLoadBalancerTypes,
     .later_words = kLaterLoadBalancerTypes,
     .fallback = "application"},
    {.key = "ip-address-type",
     .type = kWord,
     .words = kIpAddressTypes,
     .fallback = "dualstack",
     .doc = "Which families are bound and advertised; `dualstack-without-public-ipv4` binds both, advertises IPv6."},
    {.key = "addresses",
     .type = kAddress,
     .arity = Arity::kList,
     .doc = "What to bind; default: the wildcards of `ip-address-type`."},
    {.key = "advertise",
     .type = kAddress,
     .arity = Arity::kList,
     .doc = "What DNS aliases answer; default: the bound addresses that are not wildcards."},
    {.key = "attributes",
     .type = kObject,
     .object = &kLoadBalancerAttributesObject,
     .doc = "ALB's load balancer attributes."},
    {.key = "access-log", .type = kObject, .object = &kAccessLogObject, .doc = "Absent: no access log."},
    {.key = "connection-log", .type = kObject, .object = &kConnectionLogObject, .doc = "Absent: no connection log."},
    {.key = "health-check-log", .type = kObject, .object = &kHealthCheckLogObject, .doc = "Absent: no such log."},
    {.key = "listeners",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kListenerObject,
     .doc = "What it listens on."},
    {.key = "zones",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kZoneNodeObject,
     .doc = "A node in each of these availability zones, instead of `addresses` and `advertise`; at most 8."},
});

}  // namespace

constexpr Object kLoadBalancerAttributesObject{.name = "load-balancer-attributes",
                                               .doc = "ALB's keys; the unit is part of the key.",
                                               .fields = kLoadBalancerAttributes,
                                               .attributes = true};
constexpr Object kListenerAttributesObject{
    .name = "listener-attributes",
    .doc =
        "ALB's keys. A `header_value` sets that field on every response of the listener; an empty text sets nothing.",
    .fields = kListenerAttributes,
    .attributes = true};
constexpr Object kActionObject{
    .name = "action", .doc = "What is done with a request.", .fields = kActionFields, .single = true};
constexpr Object kRuleObject{.name = "rule", .doc = "A rule of a listener.", .fields = kRuleFields};
constexpr Object kListenerObject{.name = "listener", .doc = "A port that takes requests.", .fields = kListenerFields};
constexpr Object kLoadBalancerObject{
    .name = "load-balancer", .doc = "An application load balancer.", .fields = kLoadBalancerFields};

constexpr std::span<const string_view> kUnauthenticatedWords = kUnauthenticatedChoices;
constexpr std::span<const string_view> kPkceWords = kPkceMethods;
constexpr std::span<const string_view> kJwtClaimFormatWords = kJwtClaimFormats;
constexpr std::span<const string_view> kJwtAlgorithmWords = kJwtAlgorithms;
constexpr std::span<const string_view> kIpAddressTypeWords = kIpAddressTypes;
constexpr std::span<const string_view> kLogFormatWords = kLogFormats;
constexpr std::span<const string_view> kListenerProtocolWords = kListenerProtocols;
constexpr std::span<const string_view> kSslPolicyWords = kSslPolicies;
constexpr std::span<const string_view> kDesyncModeWords = kDesyncModes;
constexpr std::span<const string_view> kXffModeWords = kXffModes;
constexpr std::span<const string_view> kRedirectProtocolWords = kRedirectProtocols;
constexpr std::span<const string_view> kRedirectStatusWords = kRedirectStatuses;

}  // namespace weir::config
