// Target groups, their targets, health checks and attributes. Names and defaults: spec alb.md 7 and 11.

#include "config/schema/schema.h"

#include <array>

namespace weir::config {
namespace {

using enum FieldType;
using std::string_view;

constexpr std::int64_t kDayMilliseconds = 86'400'000;

constexpr auto kGroupProtocols = std::to_array<string_view>({"HTTP", "HTTPS"});
constexpr auto kLaterGroupProtocols =
    std::to_array<string_view>({"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC", "GENEVE"});
constexpr auto kTargetTypes = std::to_array<string_view>({"ip", "lambda"});
constexpr auto kLaterTargetTypes = std::to_array<string_view>({"instance", "alb"});
constexpr auto kRuntimes = std::to_array<string_view>({"python", "node"});
constexpr auto kProtocolVersions = std::to_array<string_view>({"HTTP1", "HTTP2", "GRPC"});
constexpr auto kProbeProtocols = std::to_array<string_view>({"HTTP", "HTTPS", "TCP"});
constexpr auto kTrafficPort = std::to_array<string_view>({"traffic-port"});
constexpr auto kOff = std::to_array<string_view>({"off"});
constexpr auto kStickinessTypes = std::to_array<string_view>({"lb_cookie", "app_cookie"});
constexpr auto kProxyProtocols = std::to_array<string_view>({"off", "v1", "v2"});
constexpr auto kLaterStickinessTypes =
    std::to_array<string_view>({"source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"});
constexpr auto kAlgorithms = std::to_array<string_view>({"round_robin", "least_outstanding_requests", "weighted_random",
                                                         "weir.power_of_two_choices", "weir.consistent_hash"});
constexpr auto kOffOn = std::to_array<string_view>({"off", "on"});
constexpr auto kHashSources = std::to_array<string_view>({"client_address", "header", "cookie", "uri"});
constexpr auto kCrossZone = std::to_array<string_view>({"use_load_balancer_configuration", "true", "false"});
constexpr auto kInspection = std::to_array<string_view>({"inspect_immediately"});
constexpr auto kLaterInspection = std::to_array<string_view>({"inspect_after_sufficient_data"});
constexpr auto kTargetFailover = std::to_array<string_view>({"no_rebalance"});
constexpr auto kLaterTargetFailover = std::to_array<string_view>({"rebalance"});

constexpr Field LaterSwitch(string_view key, string_view fallback) {
  return {.key = key, .type = kBoolean, .support = Support::kLaterUnlessDefault, .fallback = fallback};
}
constexpr Field LaterNumber(string_view key, std::int64_t maximum, string_view fallback) {
  return {
      .key = key, .type = kInteger, .support = Support::kLaterUnlessDefault, .maximum = maximum, .fallback = fallback};
}
constexpr Field LaterWord(string_view key, std::span<const string_view> words, std::span<const string_view> later) {
  return {.key = key,
          .type = kWord,
          .support = Support::kLaterUnlessDefault,
          .words = words,
          .later_words = later,
          .fallback = words[0]};
}

constexpr auto kAttributes = std::to_array<Field>({
    {.key = "deregistration_delay.timeout_seconds",
     .type = kInteger,
     .maximum = 86'400,
     .fallback = "300",
     .doc = "Seconds that requests in flight may go on at a target that was taken out."},
    {.key = "load_balancing.algorithm.type",
     .type = kWord,
     .words = kAlgorithms,
     .fallback = "round_robin",
     .doc =
         "In turn; the target with the fewest requests under way; any, by chance; the less busy of two that are drawn "
         "by chance; the one that `weir.consistent_hash.key` leads to. The last two are not of AWS."},
    {.key = "load_balancing.algorithm.anomaly_mitigation",
     .type = kWord,
     .words = kOffOn,
     .fallback = "off",
     .doc = "With `weighted_random`: a target that fails more often than its peers gets less until it is well."},
    {.key = "slow_start.duration_seconds",
     .type = kInteger,
     .maximum = 900,
     .fallback = "0",
     .doc = "With `round_robin`: seconds in which the share of a target grows that became healthy beside others; ALB "
            "takes "
            "30 to 900, or 0."},
    {.key = "stickiness.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "A client stays at its target, by a cookie; not with `weighted_random`."},
    {.key = "stickiness.type",
     .type = kWord,
     .words = kStickinessTypes,
     .later_words = kLaterStickinessTypes,
     .fallback = "lb_cookie",
     .doc = "Cookies `AWSALB` and `AWSALBCORS` on every response; `AWSALBAPP-0` beside the application's own cookie."},
    {.key = "stickiness.lb_cookie.duration_seconds",
     .type = kInteger,
     .minimum = 1,
     .maximum = kStickinessSecondsMax,
     .fallback = "86400",
     .doc = "How long a client stays after its last response."},
    {.key = "stickiness.app_cookie.duration_seconds",
     .type = kInteger,
     .minimum = 1,
     .maximum = kStickinessSecondsMax,
     .fallback = "86400",
     .doc = "How long a client stays after the application last set its cookie."},
    {.key = "stickiness.app_cookie.cookie_name",
     .doc =
         "The application's cookie, for `app_cookie`; not `AWSALB…`, and not in a forward action with several groups."},
    {.key = "target_group_health.dns_failover.minimum_healthy_targets.count",
     .type = kIntegerOrWord,
     .minimum = 1,
     .words = kOff,
     .fallback = "1",
     .doc = "With fewer healthy targets DNS aliases see the group as unhealthy."},
    {.key = "target_group_health.dns_failover.minimum_healthy_targets.percentage",
     .type = kIntegerOrWord,
     .minimum = 1,
     .maximum = 100,
     .words = kOff,
     .fallback = "off",
     .doc = "The same as a share of the registered targets."},
    {.key = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
     .type = kInteger,
     .minimum = 1,
     .fallback = "1",
     .doc = "With fewer healthy targets requests go to all targets."},
    {.key = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
     .type = kIntegerOrWord,
     .minimum = 1,
     .maximum = 100,
     .words = kOff,
     .fallback = "off",
     .doc = "The same as a share of the registered targets."},
    {.key = "weir.consistent_hash.key",
     .type = kWord,
     .words = kHashSources,
     .fallback = "client_address",
     .doc = "With `weir.consistent_hash`: requests in which this is the same go to the same target."},
    {.key = "weir.consistent_hash.name", .doc = "Of the `header` or `cookie`, which need it."},
    {.key = "weir.proxy_protocol.version",
     .type = kWord,
     .words = kProxyProtocols,
     .fallback = "off",
     .doc = "Connections to targets begin with a PROXY header of this version, and carry one request each; those of "
            "health checks with one that names nobody."},
    {.key = "load_balancing.cross_zone.enabled",
     .type = kWord,
     .words = kCrossZone,
     .fallback = "use_load_balancer_configuration",
     .doc = "`false`: a node uses only the targets of its own zone, and thresholds count by zone."},
    {.key = "lambda.multi_value_headers.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Of functions: events and responses have `multiValueHeaders` and `multiValueQueryStringParameters`; else "
            "the last of several values counts."},
    {.key = "routing.http2.rst_stream_error_forwarding.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Of `HTTP2` and `GRPC`: what a target resets with REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM or "
            "INTERNAL_ERROR is "
            "reset so for the client; else it is 502."},
    {.key = "weir.http1_requests.enabled",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Of `HTTP2`: requests of HTTP/1.x are sent by HTTP/2, too; else they are answered 464."},
    LaterWord("waf.http2.traffic_inspection_behavior", kInspection, kLaterInspection),
    LaterSwitch("deregistration_delay.connection_termination.enabled", "false"),
    LaterSwitch("preserve_client_ip.enabled", "false"),
    LaterSwitch("proxy_protocol_v2.enabled", "false"),
    LaterSwitch("target_health_state.unhealthy.connection_termination.enabled", "true"),
    LaterNumber("target_health_state.unhealthy.draining_interval_seconds", 360'000, "0"),
    LaterWord("target_failover.on_deregistration", kTargetFailover, kLaterTargetFailover),
    LaterWord("target_failover.on_unhealthy", kTargetFailover, kLaterTargetFailover),
    LaterSwitch("send_tcp_reset.on_unhealthy.enabled", "false"),
    LaterSwitch("send_tcp_reset.on_deregistration.enabled", "false"),
});

constexpr auto kTargetFields = std::to_array<Field>({
    {.key = "address", .type = kAddress, .doc = "Either this or `host`."},
    {.key = "host", .doc = "A name that is resolved again as its DNS TTL ends; every address is a target."},
    {.key = "port", .type = kInteger, .required = true, .minimum = 1, .maximum = 65'535},
    {.key = "zone", .name = true, .doc = "The availability zone it stands in."},
    {.key = "weight",
     .type = kInteger,
     .minimum = 1,
     .maximum = 999,
     .fallback = "1",
     .doc = "How much it takes beside the others of its group; one that is to take nothing is drained. Not of AWS.",
     .addition = "every target of a group takes the same"},
});
constexpr Object kTargetObject{.name = "target", .doc = "A member of a target group.", .fields = kTargetFields};

constexpr auto kTargetHealthCheckFields = std::to_array<Field>({
    {.key = "enabled",
     .type = kBoolean,
     .doc = "Of functions alone, and off by default there: each probe is an invocation. Targets are always probed."},
    {.key = "protocol",
     .type = kWord,
     .words = kProbeProtocols,
     .doc = "Default: the group's. `TCP` only connects; `HTTPS` obeys the group's `tls`."},
    {.key = "port",
     .type = kIntegerOrWord,
     .minimum = 1,
     .maximum = 65'535,
     .words = kTrafficPort,
     .fallback = "traffic-port",
     .doc = "`traffic-port` is the target's own."},
    {.key = "path",
     .fallback = "/",
     .doc = "Path and query of the request; default of `GRPC`: `/AWS.ALB/healthcheck`."},
    {.key = "interval",
     .type = kDuration,
     .minimum = kProbeIntervalMinMilliseconds,
     .maximum = kDayMilliseconds,
     .fallback = "30s",
     .doc = "From the start of one probe to the start of the next; default of functions: 35s."},
    {.key = "timeout",
     .type = kDuration,
     .minimum = 10,
     .maximum = kDayMilliseconds,
     .fallback = "5s",
     .doc = "At most the interval; default: 5s, of functions 30s, or the interval, whichever is shorter."},
    {.key = "healthy-threshold",
     .type = kInteger,
     .minimum = 1,
     .maximum = 1'000,
     .fallback = "5",
     .doc = "Successes in a row that make an unhealthy target healthy."},
    {.key = "unhealthy-threshold",
     .type = kInteger,
     .minimum = 1,
     .maximum = 1'000,
     .fallback = "2",
     .doc = "Failures in a row that make a healthy target unhealthy."},
    {.key = "matcher",
     .fallback = "200",
     .doc = "Status codes of success: `200`, `200,202`, `200-299`; 100-599. Of `GRPC` its own, 0-99; default: 12."},
});
constexpr Object kTargetHealthCheckObject{
    .name = "target-health-check", .doc = "How targets are probed.", .fields = kTargetHealthCheckFields};

constexpr auto kTargetTlsFields = std::to_array<Field>({
    {.key = "verify",
     .type = kBoolean,
     .fallback = "false",
     .doc = "Refuse targets whose certificate is not for their name, not valid or of nobody that is trusted."},
    {.key = "ca-bundle",
     .type = kPath,
     .doc = "PEM: the authorities to trust with `verify`; default: those of the system."},
    {.key = "server-name",
     .doc = "Sent as SNI and verified; default: the target's `host`, of an address none is sent."},
    {.key = "certificate",
     .type = kPath,
     .doc = "Shown to targets that ask for one. PEM: the certificate, then those of its issuers, in order."},
    {.key = "key", .type = kPath, .doc = "PEM: its private key."},
    {.key = "passphrase", .type = kSecret, .doc = "Of an encrypted key; of a file without the line end."},
});
constexpr Object kTargetTlsObject{.name = "target-tls",
                                  .doc = "TLS towards targets beyond ALB's, which verifies nothing.",
                                  .fields = kTargetTlsFields};

// What a function is, or one version of it.
constexpr std::int64_t kHourMilliseconds = 3'600'000;
constexpr Field kCommand{.key = "command",
                         .arity = Arity::kList,
                         .doc =
                             "A custom runtime that speaks the Lambda Runtime API: program and arguments, started "
                             "in `root`."};
constexpr Field kRuntime{
    .key = "runtime", .type = kWord, .words = kRuntimes, .doc = "A runtime that weir brings, for a handler of AWS."};
constexpr Field kInvoke{.key = "invoke",
                        .doc =
                            "URL that speaks Lambda's Invoke call, such as that of the runtime interface emulator: "
                            "`http://127.0.0.1:9000/2015-03-31/functions/function/invocations`."};
constexpr Field kHandlerName{.key = "handler", .doc = "`FILE.FUNCTION`; `runtime` needs it."};
constexpr Field kRoot{
    .key = "root", .type = kPath, .doc = "Where the code is; default: the folder of the configuration file."};
constexpr Field kTimeout{.key = "timeout",
                         .type = kDuration,
                         .minimum = 100,
                         .maximum = kHourMilliseconds,
                         .fallback = "30s",
                         .doc = "Of one invocation; Lambda takes 1s to 900s."};
constexpr Field kConcurrency{
    .key = "concurrency",
    .type = kInteger,
    .minimum = 1,
    .maximum = 10'000,
    .doc = "Invocations at a time, each in an instance of its own; default: 10, with `invoke` 1000."};
constexpr Field kEnvironment{.key = "environment", .type = kTextMap, .doc = "Variables of the instances."};

constexpr auto kFunctionVersionFields = std::to_array<Field>({
    {.key = "name", .required = true, .name = true, .doc = "As Lambda's `1`; responses say it."},
    {.key = "weight",
     .type = kNumber,
     .maximum = 1,
     .doc = "Its share of the requests; one version may leave it out and gets the rest."},
    kCommand,
    kRuntime,
    kInvoke,
    kHandlerName,
    kRoot,
    kTimeout,
    kConcurrency,
    kEnvironment,
});
constexpr Object kFunctionVersionObject{
    .name = "function-version",
    .doc = "What an alias can lead to. What it does not say is as the function says.",
    .fields = kFunctionVersionFields};
constexpr auto kFunctionFields = std::to_array<Field>({
    kCommand,
    kRuntime,
    kInvoke,
    kHandlerName,
    kRoot,
    kTimeout,
    kConcurrency,
    kEnvironment,
    {.key = "alias", .name = true, .doc = "The name that leads to the versions."},
    {.key = "versions",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kFunctionVersionObject,
     .doc = "Of the alias, at most 10; each request draws one by weight, by itself. Lambda takes 2."},
});
constexpr Object kFunctionObject{.name = "function",
                                 .doc = "A Lambda function as the target: one of `command`, `runtime` and `invoke`.",
                                 .fields = kFunctionFields};

constexpr auto kTargetGroupFields = std::to_array<Field>({
    {.key = "name", .required = true, .name = true, .doc = "Unique among target groups."},
    {.key = "protocol",
     .type = kWord,
     .words = kGroupProtocols,
     .later_words = kLaterGroupProtocols,
     .fallback = "HTTP",
     .doc = "Between weir and the targets."},
    {.key = "protocol-version",
     .type = kWord,
     .words = kProtocolVersions,
     .fallback = "HTTP1",
     .doc =
         "`HTTP2` and `GRPC`: requests of HTTP/2 are sent by it, over TLS by ALPN, else with prior knowledge; others "
         "are answered 464."},
    {.key = "targets",
     .type = kObject,
     .arity = Arity::kList,
     .object = &kTargetObject,
     .doc = "IPv4 and IPv6 may be mixed."},
    {.key = "health-check",
     .type = kObject,
     .object = &kTargetHealthCheckObject,
     .doc = "Default: every default below."},
    {.key = "attributes",
     .type = kObject,
     .object = &kTargetGroupAttributesObject,
     .doc = "ALB's target group attributes."},
    {.key = "target-type",
     .type = kWord,
     .words = kTargetTypes,
     .later_words = kLaterTargetTypes,
     .fallback = "ip",
     .doc = "`lambda`: a `function` instead of `targets`, without protocol, TLS and attributes of connections."},
    {.key = "function", .type = kObject, .object = &kFunctionObject, .doc = "Of `lambda`."},
    {.key = "tls", .type = kObject, .object = &kTargetTlsObject, .doc = "Of an HTTPS group."},
});

}  // namespace

constexpr Object kTargetGroupAttributesObject{.name = "target-group-attributes",
                                              .doc = "ALB's keys; the unit is part of the key.",
                                              .fields = kAttributes,
                                              .attributes = true};
constexpr Object kTargetGroupObject{
    .name = "target-group", .doc = "Targets that take the same requests.", .fields = kTargetGroupFields};
constexpr std::span<const string_view> kAlgorithmWords = kAlgorithms;
constexpr std::span<const string_view> kHashSourceWords = kHashSources;
constexpr std::span<const string_view> kStickinessTypeWords = kStickinessTypes;
constexpr std::span<const string_view> kCrossZoneWords = kCrossZone;
constexpr std::span<const string_view> kTargetProtocolWords = kGroupProtocols;
constexpr std::span<const string_view> kTargetTypeWords = kTargetTypes;
constexpr std::span<const string_view> kFunctionRuntimeWords = kRuntimes;
constexpr std::span<const string_view> kProtocolVersionWords = kProtocolVersions;
constexpr std::span<const string_view> kProbeProtocolWords = kProbeProtocols;
constexpr std::span<const string_view> kProxyProtocolWords = kProxyProtocols;

}  // namespace weir::config
