// The rules of the language: positions, hints, limits. One finding or more for each text.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weir::config {
namespace {

struct LanguageCase {
  const char* name;
  std::string text;
  const char* finding;  // a part of the output
};
void PrintTo(const LanguageCase& c, std::ostream* out) { *out << c.name; }
std::string CaseName(const ::testing::TestParamInfo<LanguageCase>& info) { return info.param.name; }

class LanguageTest : public ::testing::TestWithParam<LanguageCase> {};

TEST_P(LanguageTest, IsReported) {
  const std::string found = FindingsOf(GetParam().text);
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
  EXPECT_FALSE(LoadFor(GetParam().text).model);
}

INSTANTIATE_TEST_SUITE_P(
    Shape, LanguageTest,
    ::testing::Values(
        LanguageCase{"UnknownKey", "load-balancer: []\n",
                     "t.yaml:1:1: error: unknown key `load-balancer` in file; did you mean `load-balancers`?"},
        LanguageCase{"WrongType", "admin: {port: http}\n",
                     "t.yaml:1:15: error: `port` wants a whole number, found `http`; 0 to 65535"},
        LanguageCase{"QuotedNumber", "admin: {port: \"80\"}\n",
                     "`port` wants a whole number, found the text `80`; without the quotes"},
        LanguageCase{"QuotedTextForANumber", "admin: {port: \"http\"}\n",
                     "`port` wants a whole number, found the text `http`; 0 to 65535"},
        LanguageCase{"QuotedNumberOrWord", "target-groups: [{name: a, health-check: {port: \"80\"}}]\n",
                     "the text `80`; without the quotes"},
        LanguageCase{"OutOfRange", "admin: {port: 65536}\n",
                     "t.yaml:1:15: error: `port: 65536` is out of range; 0 to 65535"},
        LanguageCase{"BareDuration", "target-groups: [{name: a, health-check: {interval: 5}}]\n",
                     "`interval` wants a duration, found `5`; with its unit: 5s"},
        LanguageCase{"FractionOfASecond", "zones: [{name: a.test, name-servers: [n], ns-ttl: 1500ms}]\n",
                     "no whole number of seconds"},
        LanguageCase{"ListForText", "node: {name: [a]}\n", "`name` wants a text, found a list"},
        LanguageCase{"TextForList", "target-groups: [{name: a, targets: x}]\n", "`targets` wants a list, found `x`"},
        LanguageCase{"MapForList", "target-groups: {name: a}\n", "`target-groups` wants a list, found a map"},
        LanguageCase{"TextForMap", "admin: x\n", "`admin` wants a map, found `x`"},
        LanguageCase{"NoValue", "admin:\n", "t.yaml:1:1: error: `admin` has no value; give it a map, or leave it out"},
        LanguageCase{"EmptyItem", "target-groups:\n  -\n", "an empty item in `target-groups`"},
        LanguageCase{"MissingKey", "target-groups: [{targets: []}]\n", "target-group without `name`; add `name: ...`"},
        LanguageCase{"MisspeltWord", "load-balancers: [{name: a, ip-address-type: dualstak}]\n",
                     "`ip-address-type` cannot be `dualstak`; did you mean `dualstack`?"},
        LanguageCase{"BadAddress", "admin: {address: 1.2.3}\n",
                     "`address` wants an IPv4 or IPv6 address, found `1.2.3`"},
        LanguageCase{"DuplicateKey", "admin: {port: 1}\nnode: {name: a}\nadmin: {port: 2}\n",
                     "t.yaml:3:1: error: key `admin` stands twice in one map; the first is at line 1"},
        LanguageCase{"DuplicateName", "target-groups: [{name: a}, {name: a}]\n",
                     "t.yaml:1:35: error: a second target group named `a`; the first is at line 1"},
        LanguageCase{"RootIsNoMap", "- a\n", "a configuration is a map of sections"}),
    CaseName);

INSTANTIATE_TEST_SUITE_P(
    Yaml, LanguageTest,
    ::testing::Values(
        LanguageCase{"Syntax", "a: [1\n", "t.yaml:2:1: error: not YAML: did not find expected ',' or ']'"},
        LanguageCase{"Tab", "a:\n\t- b\n", "t.yaml:2:1: error: not YAML"},
        LanguageCase{"Binary", std::string("\x01\x02\xFF\x00garbage", 11),
                     "t.yaml:1:1: error: not YAML text: control characters are not allowed"},
        LanguageCase{"InvalidUtf8", "a: b\nc: \xC3(\n",
                     "t.yaml:2:5: error: not YAML text: invalid trailing UTF-8 octet"},
        LanguageCase{"SecondDocument", "node: {name: a}\n---\nnode: {name: b}\n", "a second YAML document starts here"},
        LanguageCase{"UnknownAnchor", "node: *x\n", "t.yaml:1:7: error: no anchor `&x` before this place"},
        LanguageCase{"AliasInsideItself", "node: &x {name: *x}\n", "alias `*x` stands inside what it names"},
        LanguageCase{"MergeOfText", "node: {<<: x}\n", "only a map can be merged"},
        LanguageCase{"UnknownTag", "node: {name: !secret a}\n", "tag `!secret` has no meaning here"},
        LanguageCase{"KeyIsNoText", "{[a]: b}\n", "a key has to be text"},
        LanguageCase{"DepthBomb", std::string(5'000, '['), "nested deeper than 64 levels"},
        LanguageCase{"Ipv6InFlowNeedsQuotes", "load-balancers: [{name: a, addresses: [::1]}]\n", "quotes are needed"}),
    CaseName);

std::string OneListener(std::string_view key) {
  return std::string("load-balancers: [{name: a, listeners: [{port: 1, ")
      .append(key)
      .append(", default-actions: [{fixed-response: {status-code: 200}}]}]}]\n");
}

INSTANTIATE_TEST_SUITE_P(
    ProxyProtocol, LanguageTest,
    ::testing::Values(
        LanguageCase{
            "WithoutSenders", OneListener("attributes: {weir.proxy_protocol.enabled: true}"),
            "t.yaml:1:92: error: weir.proxy_protocol.enabled needs weir.proxy_protocol.senders; the networks of those"},
        LanguageCase{"NoNetwork", OneListener("attributes: {weir.proxy_protocol.senders: '10.0.0.0/8, example.test'}"),
                     "t.yaml:1:92: error: `example.test` is no network of a sender"},
        LanguageCase{"HostBits", OneListener("attributes: {weir.proxy_protocol.senders: 10.0.0.1/8}"),
                     "`10.0.0.1/8` is no network of a sender"},
        LanguageCase{"Empty",
                     OneListener("attributes: {weir.proxy_protocol.enabled: true, weir.proxy_protocol.senders: ''}"),
                     "is no network of a sender"},
        LanguageCase{"Version", "target-groups: [{name: a, attributes: {weir.proxy_protocol.version: v3}}]\n",
                     "`weir.proxy_protocol.version` cannot be `v3`"}),
    CaseName);

INSTANTIATE_TEST_SUITE_P(
    Http2Targets, LanguageTest,
    ::testing::Values(
        LanguageCase{
            "ProxyHeader",
            "target-groups: [{name: a, protocol-version: HTTP2, attributes: {weir.proxy_protocol.version: v1}}]\n",
            "t.yaml:1:94: error: `weir.proxy_protocol.version` with `protocol-version: HTTP2`; the header names one"},
        LanguageCase{
            "GrpcProxyHeader",
            "target-groups: [{name: a, protocol-version: GRPC, attributes: {weir.proxy_protocol.version: v2}}]\n",
            "`weir.proxy_protocol.version` with `protocol-version: GRPC`"},
        LanguageCase{
            "Resets",
            "target-groups: [{name: a, attributes: {routing.http2.rst_stream_error_forwarding.enabled: true}}]\n",
            "`routing.http2.rst_stream_error_forwarding.enabled` needs targets that speak HTTP/2"},
        LanguageCase{"Http1Requests", "target-groups: [{name: a, attributes: {weir.http1_requests.enabled: true}}]\n",
                     "`weir.http1_requests.enabled` needs `HTTP2`; a group of HTTP1 takes them anyway"},
        LanguageCase{
            "Http1RequestsOfGrpc",
            "target-groups: [{name: a, protocol-version: GRPC, attributes: {weir.http1_requests.enabled: true}}]\n",
            "`weir.http1_requests.enabled` needs `HTTP2`; gRPC is HTTP/2 alone"},
        LanguageCase{"Word", "target-groups: [{name: a, protocol-version: HTTP3}]\n",
                     "`protocol-version` cannot be `HTTP3`"},
        LanguageCase{"GrpcMatcher",
                     "target-groups: [{name: a, protocol-version: GRPC, health-check: {matcher: 0-100}}]\n",
                     "`matcher` cannot be `0-100`; gRPC's codes from 0 to 99: 0, or 0,12, or 0-99"},
        LanguageCase{"Http2Matcher",
                     "target-groups: [{name: a, protocol-version: HTTP2, health-check: {matcher: '12'}}]\n",
                     "`matcher` cannot be `12`; status codes from 100 to 599"}),
    CaseName);

INSTANTIATE_TEST_SUITE_P(
    LaterVersions, LanguageTest,
    ::testing::Values(
        LanguageCase{"Tcp", OneListener("protocol: tcp"), "`protocol: tcp` is not supported in this version"},
        LanguageCase{"Network", "load-balancers: [{name: a, type: network}]\n",
                     "`type: network` is not supported in this version; only application"},
        LanguageCase{"GroupTls", "target-groups: [{name: a, protocol: TLS}]\n",
                     "`protocol: TLS` is not supported in this version"},
        LanguageCase{"CloudWatch", "health-checks: [{name: a, type: CLOUDWATCH_METRIC}]\n",
                     "`type: CLOUDWATCH_METRIC` is not supported in this version"},
        LanguageCase{
            "GeolocationOfNoCountry",
            WithRecords("      - {name: a, type: A, set: x, ttl: 1s, values: [1.1.1.1], geolocation: {country: X}}\n"),
            "`X` is no code of a country"},
        LanguageCase{
            "GeolocationOfNoContinent",
            WithRecords(
                "      - {name: a, type: A, set: x, ttl: 1s, values: [1.1.1.1], geolocation: {continent: eu}}\n"),
            "`eu` is no continent"},
        LanguageCase{"GeolocationOfTwoPlaces",
                     WithRecords("      - {name: a, type: A, set: x, ttl: 1s, values: [1.1.1.1], "
                                 "geolocation: {continent: EU, country: DE}}\n"),
                     "`continent` beside `country`"},
        LanguageCase{"SubdivisionOfEverybody",
                     WithRecords("      - {name: a, type: A, set: x, ttl: 1s, values: [1.1.1.1], "
                                 "geolocation: {country: \"*\", subdivision: WA}}\n"),
                     "a subdivision without its country"},
        LanguageCase{
            "GeoproximityWithoutAPlace",
            WithRecords("      - {name: a, type: A, set: x, ttl: 1s, values: [1.1.1.1], geoproximity: {bias: 5}}\n"),
            "a geoproximity without a place"},
        LanguageCase{"GeoproximityBias",
                     WithRecords("      - {name: a, type: A, set: x, ttl: 1s, values: [1.1.1.1], "
                                 "geoproximity: {coordinates: {latitude: 1, longitude: 1}, bias: 100}}\n"),
                     "100"},
        LanguageCase{
            "SlowStartOfAnotherAlgorithm",
            "target-groups: [{name: a, attributes: {slow_start.duration_seconds: 30, load_balancing.algorithm.type: "
            "weighted_random}}]\n",
            "error: `slow_start.duration_seconds` needs `round_robin`"},
        LanguageCase{"MitigationOfAnotherAlgorithm",
                     "target-groups: [{name: a, attributes: {load_balancing.algorithm.anomaly_mitigation: on}}]\n",
                     "error: `load_balancing.algorithm.anomaly_mitigation` needs `weighted_random`"},
        LanguageCase{"HashKeyOfAnotherAlgorithm",
                     "target-groups: [{name: a, attributes: {weir.consistent_hash.key: uri}}]\n",
                     "error: `weir.consistent_hash.key` needs `weir.consistent_hash`"},
        LanguageCase{"HashKeyWithoutItsName",
                     "target-groups: [{name: a, attributes: {load_balancing.algorithm.type: weir.consistent_hash, "
                     "weir.consistent_hash.key: header}}]\n",
                     "error: `header` without `weir.consistent_hash.name`"},
        LanguageCase{"HashKeyThatHasNoName",
                     "target-groups: [{name: a, attributes: {load_balancing.algorithm.type: weir.consistent_hash, "
                     "weir.consistent_hash.name: x}}]\n",
                     "error: `weir.consistent_hash.name` has no meaning for `client_address`"},
        LanguageCase{"HashKeyWithANameThatIsNone",
                     "target-groups: [{name: a, attributes: {load_balancing.algorithm.type: weir.consistent_hash, "
                     "weir.consistent_hash.key: cookie, weir.consistent_hash.name: a b}}]\n",
                     "error: `a b` is no name of a cookie"},
        LanguageCase{"TargetOfNoWeight",
                     "target-groups: [{name: a, targets: [{address: 127.0.0.1, port: 1, weight: 0}]}]\n", "weight"},
        LanguageCase{"UnknownAttribute", "target-groups: [{name: a, attributes: {slow_start.duration_second: 0}}]\n",
                     "did you mean `slow_start.duration_seconds`?"},
        LanguageCase{"MisspeltAlgorithm",
                     "target-groups: [{name: a, attributes: {load_balancing.algorithm.type: round_robbin}}]\n",
                     "did you mean `round_robin`?"}),
    CaseName);

// Keys and values that are refused by name, and nothing else is said of the file.
class LaterNameTest : public ::testing::TestWithParam<LanguageCase> {};

TEST_P(LaterNameTest, IsRefusedByNameAlone) {
  const auto result = LoadFor(GetParam().text);
  EXPECT_FALSE(result.model);
  const std::string found = result.diagnostics.FormatAll();
  EXPECT_NE(found.find(std::string("`") + GetParam().finding + "` is not supported in this version"), std::string::npos)
      << found;
  EXPECT_EQ(std::ranges::count(found, '\n'), 1) << found;
}

LanguageCase LaterSection(const char* name, const char* section, const char* value = "[]") {
  return {name, OneListener("protocol: HTTP").append(section).append(": ").append(value).append("\n"), section};
}
LanguageCase LaterKeyOf(const char* name, const char* key, std::string_view before, std::string_view after) {
  return {name, OneListener("protocol: HTTP").append(before).append(key).append(": {}").append(after).append("\n"),
          key};
}
LanguageCase LaterGroupKey(const char* name, const char* key, const char* value) {
  return {name,
          std::string(
              "load-balancers: [{name: a, listeners: [{port: 1, default-actions: [{forward: {target-group: b}}]}]}]\n")
              .append("target-groups: [{name: b, ")
              .append(value)
              .append("}]\n"),
          key};
}
LanguageCase LaterZoneKey(const char* name, const char* key, std::string_view more = ", name-servers: [ns1]") {
  return {
      name,
      std::string("dns: {port: 5353}\nzones: [{name: a.test, ").append(key).append(": {}").append(more).append("}]\n"),
      key};
}
LanguageCase LaterAttribute(const char* name, const char* key, const char* value) {
  return {name, OneListener(std::string("attributes: {").append(key).append("}")), value};
}

INSTANTIATE_TEST_SUITE_P(
    Names, LaterNameTest,
    ::testing::Values(
        LaterSection("TsigKeys", "tsig-keys"), LaterSection("Alarms", "alarms"),
        LaterSection("AwsApi", "aws-api", "{port: 4566}"), LaterSection("Shifts", "shifts"),
        LaterSection("AutoScalingGroups", "auto-scaling-groups"), LaterKeyOf("DnsTls", "tls", "dns: {", "}"),
        LaterKeyOf("DnsHttps", "https", "dns: {", "}"),
        LaterKeyOf("DnsResponseRateLimit", "response-rate-limit", "dns: {", "}"),
        LaterKeyOf("DnsQueryLog", "query-log", "dns: {", "}"), LaterKeyOf("AdminTokens", "tokens", "admin: {", "}"),
        LaterKeyOf("AdminCertificate", "certificate", "admin: {", "}"), LaterKeyOf("AdminKey", "key", "admin: {", "}"),
        LaterGroupKey("TargetType", "target-type: alb", "target-type: alb, targets: [{address: 127.0.0.1, port: 1}]"),
        LaterZoneKey("ZoneSecondary", "secondary", ""), LaterZoneKey("ZoneDnssec", "dnssec"),
        LaterZoneKey("ZoneTransfer", "transfer"),
        LanguageCase{"SoaSerial",
                     "dns: {port: 5353}\nzones: [{name: a.test, name-servers: [ns1], soa: {serial: auto}}]\n",
                     "serial: auto"},
        LaterKeyOf("Alarm", "alarm", "health-checks: [{name: h, type: TCP, address: 127.0.0.1, port: 1, ",
                   "}]\n"
                   "dns: {port: 5353}\nzones: [{name: a.test, name-servers: [ns1], records: [{name: x, type: A, ttl: "
                   "1s, values: [192.0.2.1], health-check: h}]}]"),
        LaterAttribute("TcpReset", "send_tcp_reset.on_idle_timeout.enabled: true",
                       "send_tcp_reset.on_idle_timeout.enabled: true")),
    CaseName);

TEST(LanguageFileTest, AnUnknownKeyIsNotToldToBeOneOfALaterVersion) {
  EXPECT_NE(
      FindingsOf("dns: {zzzzzz: 1}\n").find("unknown key `zzzzzz` in dns; one of addresses, port, nsid or cookies\n"),
      std::string::npos)
      << FindingsOf("dns: {zzzzzz: 1}\n");
  EXPECT_NE(FindingsOf("dns: {cokies: {}}\n").find("did you mean `cookies`?"), std::string::npos);
}

TEST(LanguageFileTest, DefaultsOfLaterAttributesAreAccepted) {
  const auto result = LoadFor(R"(
load-balancers:
  - name: a
    attributes: {load_balancing.cross_zone.enabled: "true", deletion_protection.enabled: false, waf.fail_open.enabled: false, ipv6.deny_all_igw_traffic: false}
    listeners: [{port: 80, attributes: {routing.http.response.x_frame_options.header_value: ""}, default-actions: [{forward: {target-group: b, stickiness: {enabled: false}}}]}]
target-groups:
  - name: b
    targets: [{address: 127.0.0.1, port: 1}]
    attributes: {stickiness.enabled: "false", slow_start.duration_seconds: "0", load_balancing.algorithm.type: round_robin, load_balancing.cross_zone.enabled: use_load_balancer_configuration}
)");
  EXPECT_TRUE(result.model);
  EXPECT_EQ(result.diagnostics.FormatAll(), "");
}

// spec: alb.md 7.1, 11.
TEST(LanguageFileTest, ProtocolVersionsOfTargetGroups) {
  const auto load = [](std::string_view rest) {
    auto loaded = LoadFor("target-groups: [{name: a, " + std::string(rest) + "}]\n");
    EXPECT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
    return loaded.model->target_groups.at(0);
  };
  using Ranges = decltype(CodeMatcher::ranges);
  const TargetGroup plain = load("targets: []");
  EXPECT_EQ(plain.protocol_version, TargetProtocolVersion::kHttp1);
  EXPECT_EQ(plain.health_check.path, "/");
  const TargetGroup http2 = load("protocol-version: HTTP2, attributes: {weir.http1_requests.enabled: true}");
  EXPECT_EQ(http2.protocol_version, TargetProtocolVersion::kHttp2);
  EXPECT_EQ(http2.health_check.version, TargetProtocolVersion::kHttp2);
  EXPECT_EQ(http2.health_check.matcher.ranges, (Ranges{{200, 200}}));
  EXPECT_TRUE(http2.takes_http1);
  EXPECT_FALSE(http2.forwards_resets);
  const TargetGroup grpc =
      load("protocol-version: GRPC, attributes: {routing.http2.rst_stream_error_forwarding.enabled: true}");
  EXPECT_EQ(grpc.health_check.path, "/AWS.ALB/healthcheck");
  EXPECT_EQ(grpc.health_check.matcher.ranges, (Ranges{{12, 12}}));
  EXPECT_TRUE(grpc.forwards_resets);
  const TargetGroup own = load("protocol-version: GRPC, health-check: {path: /a.B/C, matcher: '0,5-99'}");
  EXPECT_EQ(own.health_check.path, "/a.B/C");
  EXPECT_EQ(own.health_check.matcher.ranges, (Ranges{{0, 0}, {5, 99}}));
}

TEST(LanguageFileTest, Http2OfListeners) {
  constexpr std::string_view kActions = "default-actions: [{fixed-response: {status-code: 200}}]";
  const auto load = [&](std::string_view attributes, std::string_view listener) {
    return LoadFor("load-balancers: [{name: a, " + std::string(attributes) + " listeners: [{port: 80, " +
                   std::string(listener) + ", " + std::string(kActions) + "}]}]\n");
  };
  const auto plain = load("", "protocol: HTTP");
  ASSERT_TRUE(plain.model) << plain.diagnostics.FormatAll();
  EXPECT_TRUE(plain.model->load_balancers[0].attributes.http2);
  EXPECT_FALSE(plain.model->load_balancers[0].listeners[0].attributes.http2_cleartext);

  const auto cleartext = load("attributes: {routing.http2.enabled: false},",
                              "protocol: HTTP, attributes: {weir.http2.cleartext.enabled: true}");
  ASSERT_TRUE(cleartext.model) << cleartext.diagnostics.FormatAll();
  EXPECT_FALSE(cleartext.model->load_balancers[0].attributes.http2);
  EXPECT_TRUE(cleartext.model->load_balancers[0].listeners[0].attributes.http2_cleartext);

  EXPECT_FALSE(cleartext.model->load_balancers[0].listeners[0].attributes.http2_extended_connect);
  const auto sockets = load("",
                            "protocol: HTTP, attributes: {weir.http2.cleartext.enabled: true, "
                            "weir.http2.extended_connect.enabled: true}");
  ASSERT_TRUE(sockets.model) << sockets.diagnostics.FormatAll();
  EXPECT_TRUE(sockets.model->load_balancers[0].listeners[0].attributes.http2_extended_connect);
  const auto without = load("", "protocol: HTTP, attributes: {weir.http2.extended_connect.enabled: true}");
  EXPECT_NE(without.diagnostics.FormatAll().find("`weir.http2.extended_connect.enabled` has no meaning without HTTP/2"),
            std::string::npos)
      << without.diagnostics.FormatAll();

  const auto off = load("attributes: {routing.http2.enabled: false},",
                        "protocol: HTTPS, attributes: {weir.http2.extended_connect.enabled: true}");
  EXPECT_NE(off.diagnostics.FormatAll().find("has no meaning without HTTP/2; the load balancer has"), std::string::npos)
      << off.diagnostics.FormatAll();

  const auto secure = load("", "protocol: HTTPS, attributes: {weir.http2.cleartext.enabled: true}");
  EXPECT_NE(secure.diagnostics.FormatAll().find("`weir.http2.cleartext.enabled` has no meaning for an HTTPS listener"),
            std::string::npos)
      << secure.diagnostics.FormatAll();
}

TEST(LanguageFileTest, SevenMistakesGiveSevenLocatedErrors) {
  const auto result = LoadFor(R"(load-balancers:
  - name: shop
    listners: []
    listeners:
      - port: 80800
        rules:
          - priority: 5
            actions: [{forward: {target-group: gren}}]
          - priority: 5
            conditions: [{path-pattern: [/a]}]
            actions: [{fixed-response: {status-code: 302}}]
        default-actions: [{forward: {target-group: green}}]
target-groups:
  - name: green
    targets: [{address: 10.0.0.256, port: 80}]
    health-check: {interval: 2s, timeout: 3s}
)");
  EXPECT_FALSE(result.model);
  const auto& items = result.diagnostics.items;
  const auto at = [&](std::uint32_t line, std::uint32_t column) {
    return std::ranges::count_if(items, [&](const Diagnostic& d) {
      return d.severity == Severity::kError && d.position.line == line && d.position.column == column;
    });
  };
  const std::string found = result.diagnostics.FormatAll();
  EXPECT_EQ(at(3, 5), 1) << found;    // listners
  EXPECT_EQ(at(5, 15), 1) << found;   // 80800
  EXPECT_EQ(at(8, 48), 1) << found;   // gren
  EXPECT_EQ(at(9, 23), 1) << found;   // second priority 5
  EXPECT_EQ(at(11, 54), 1) << found;  // 302
  EXPECT_EQ(at(15, 25), 1) << found;  // 10.0.0.256
  EXPECT_EQ(at(16, 43), 1) << found;  // timeout over interval
  EXPECT_EQ(std::ranges::count(items, Severity::kError, &Diagnostic::severity), 7) << found;
  EXPECT_EQ(items[0].path, "load-balancers[0].listners");
  EXPECT_EQ(items[1].path, "load-balancers[0].listeners[0].port");
}

TEST(LanguageFileTest, AnchorsAndMergesWork) {
  const auto result = LoadFor(R"(target-groups:
  - &base
    name: a
    targets: [{address: 127.0.0.1, port: 1}]
    health-check: &health {path: /x, interval: 10s}
  - <<: *base
    name: b
    health-check: {<<: *health, path: /y}
)");
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  const TargetGroup& b = result.model->target_groups[1];
  EXPECT_EQ(b.name, "b");
  EXPECT_EQ(b.targets.size(), 1U);
  EXPECT_EQ(b.health_check.path, "/y");
  EXPECT_EQ(b.health_check.interval, std::chrono::seconds(10));
}

TEST(LanguageFileTest, AnAliasBombIsAnErrorInBoundedTime) {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  const std::string found = FindingsOf(text);
  EXPECT_NE(found.find("aliases expand to more than 2000000 nodes"), std::string::npos) << found;
}

TEST(LanguageFileTest, EnumerationsAreReadInAnyCase) {
  const auto result = LoadFor(
      "load-balancers: [{name: a, ip-address-type: IPv6, listeners: [{port: 1, protocol: http, default-actions: "
      "[{redirect: {protocol: https, status-code: http_302}}]}]}]\n");
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  const RedirectAction& redirect =
      std::get<Rare<RedirectAction>>(result.model->load_balancers[0].listeners[0].default_rule.action);
  EXPECT_EQ(redirect.protocol, "HTTPS");
  EXPECT_EQ(redirect.status_code, 302);
}

TEST(LanguageFileTest, EveryPrefixOfAFileIsAnAnswerAndNoCrash) {
  const std::string text = WithRules(
      "          - {priority: 1, conditions: [&c {path-pattern: [\"/a*\"]}], actions: [{redirect: {path: \"/b\", "
      "status-code: HTTP_301}}]}\n");
  for (std::size_t size = 0; size <= text.size(); ++size) (void)FindingsOf(text.substr(0, size));
  std::string flipped = text;
  for (char& c : flipped) {
    const char before = c;
    c = static_cast<char>(c ^ 0x11);
    (void)FindingsOf(flipped);
    c = before;
  }
}

TEST(LanguageFileTest, AnEmptyFileServesNothingAndSaysSo) {
  EXPECT_NE(FindingsOf("").find("warning: neither load balancers nor dns"), std::string::npos);
}

}  // namespace
}  // namespace weir::config
