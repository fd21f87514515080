// What the model holds: values, defaults, and what only several keys together can get wrong.

#include "config/plain_records.h"
#include "tests/config/load_text.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

TEST(ModelTest, PlainRecordsAreLeftOutAndTheRestStays) {
  const auto loaded = LoadFor(WithRecords(R"(
      - {name: a, type: A, ttl: 60s, values: [192.0.2.1]}
      - {name: w, type: A, ttl: 60s, values: [192.0.2.2], weight: 1, set: one}
      - {name: b, type: A, ttl: 60s, values: [192.0.2.3]}
      - {name: c, type: A, alias: {record: a}}
      - {name: d, type: A, ttl: 60s, values: [192.0.2.4], health-check: h}
)",
                                          "health-checks: [{name: h, type: TCP, address: 192.0.2.1, port: 5}]\n"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  ASSERT_EQ(loaded.model->zones.size(), 1U);
  const auto reduced = WithoutPlainRecords(loaded.model->zones[0]);
  const auto serving = WithZones(loaded.model, {reduced});
  const Zone& zone = *serving->zones[0];
  ASSERT_EQ(zone.records.size(), 3U);
  EXPECT_EQ(zone.records[0].set, "one");
  EXPECT_EQ(zone.records[1].name, "c.example.test.");
  EXPECT_EQ(zone.records[2].name, "d.example.test.");
  EXPECT_EQ(zone.plain_record_count, 2U);
  EXPECT_EQ(zone.name_servers, loaded.model->zones[0]->name_servers);
  EXPECT_EQ(serving->health_checks.size(), 1U);
  EXPECT_EQ(serving->dns->port, loaded.model->dns->port);
  EXPECT_EQ(serving->files, loaded.model->files);
  EXPECT_EQ(loaded.model->zones[0]->records.size(), 5U) << "the model itself is left alone";
  EXPECT_EQ(WithoutPlainRecords(reduced), reduced) << "nothing is left to take out";
  EXPECT_EQ(WithZones(serving, {reduced}), serving) << "they are its own";
}

TEST(ModelTest, DefaultsAreFilledIn) {
  const auto result = LoadFor(R"(
load-balancers: [{name: a, listeners: [{port: 80, default-actions: [{forward: {target-group: g}}]}]}]
target-groups: [{name: g, targets: [{host: App.Internal, port: 9001}]}]
health-checks: [{name: h, type: HTTPS, host: x.test}, {name: t, type: TCP, address: "::1", port: 5}]
)");
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  const Model& model = *result.model;
  EXPECT_FALSE(model.node.name.empty());
  EXPECT_EQ(model.load_balancers[0].addresses, (std::vector{IpAddress::AnyV4(), IpAddress::AnyV6()}));
  EXPECT_TRUE(model.load_balancers[0].advertise.empty());
  const TargetGroup& group = model.target_groups[0];
  EXPECT_TRUE(group.in_use);
  EXPECT_EQ(group.targets[0].host, "app.internal");
  EXPECT_EQ(group.health_check.interval, std::chrono::seconds(30));
  EXPECT_EQ(group.health_check.timeout, std::chrono::seconds(5));
  EXPECT_EQ(group.health_check.healthy_threshold, 5U);
  EXPECT_EQ(group.health_check.unhealthy_threshold, 2U);
  EXPECT_EQ(group.health_check.port, std::nullopt);
  EXPECT_EQ(group.deregistration_delay, std::chrono::seconds(300));
  EXPECT_EQ(group.dns_failover.count, 1U);
  EXPECT_EQ(model.health_checks[0].port, 443);
  EXPECT_EQ(model.health_checks[0].timeout, std::chrono::seconds(4));
  EXPECT_EQ(model.health_checks[1].timeout, std::chrono::seconds(10));
  EXPECT_EQ(model.health_checks[1].failure_threshold, 3U);
  EXPECT_FALSE(model.dns);
  EXPECT_EQ(model.admin.port, 9900);
}

TEST(ModelTest, ValuesAreDecoded) {
  const auto result = LoadFor(R"(
load-balancers:
  - name: a
    ip-address-type: ipv4
    addresses: [192.0.2.1]
    attributes: {idle_timeout.timeout_seconds: 7, routing.http.xff_header_processing.mode: preserve, routing.http.desync_mitigation_mode: strictest}
    access-log: {path: log/a.log, format: json}
    listeners:
      - port: 80
        attributes: {routing.http.response.server.enabled: false, routing.http.response.x_frame_options.header_value: DENY}
        rules:
          - {priority: 20, actions: [{fixed-response: {status-code: 404}}], conditions: [{http-request-method: [PUT]}]}
          - {priority: 10, name: first, actions: [{forward: {target-groups: [{name: g, weight: 0}, {name: h, weight: 999}]}}], conditions: [{source-ip: [10.0.0.0/8]}]}
        default-actions: [{forward: {target-group: g}}]
target-groups:
  - name: g
    targets: [{address: "::1", port: 9001, zone: b}]
    health-check: {port: 81, matcher: "200,202,300-599", interval: 1s}
    attributes: {target_group_health.dns_failover.minimum_healthy_targets.count: off, target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage: 50}
  - {name: h, targets: [{address: 127.0.0.1, port: 1}]}
)");
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  const LoadBalancer& balancer = result.model->load_balancers[0];
  EXPECT_EQ(balancer.advertise, balancer.addresses);
  EXPECT_EQ(balancer.attributes.idle_timeout, std::chrono::seconds(7));
  EXPECT_EQ(balancer.attributes.xff_processing, XffProcessing::kPreserve);
  EXPECT_EQ(balancer.attributes.desync_mitigation_mode, DesyncMitigationMode::kStrictest);
  EXPECT_EQ(balancer.access_log->path, "log/a.log");
  EXPECT_EQ(balancer.access_log->format, LogFormat::kJson);
  const Listener& listener = balancer.listeners[0];
  EXPECT_FALSE(listener.attributes.server_header_enabled);
  EXPECT_EQ(listener.attributes.response_fields,
            (std::vector<std::pair<std::string, std::string>>{{"X-Frame-Options", "DENY"}}));
  ASSERT_EQ(listener.rules.size(), 2U);
  EXPECT_EQ(listener.rules[0]->name, "first");
  EXPECT_EQ(std::get<ForwardAction>(listener.rules[0]->action).target_groups[1].weight, 999);
  EXPECT_TRUE(listener.default_rule.is_default());
  const TargetGroup& group = result.model->target_groups[0];
  EXPECT_EQ(group.health_check.port, 81);
  EXPECT_EQ(group.health_check.timeout, std::chrono::seconds(1));
  EXPECT_EQ(group.health_check.matcher.ranges.size(), 3U);
  EXPECT_FALSE(group.dns_failover.count);
  EXPECT_EQ(group.unhealthy_state_routing.percentage, 50U);
}

struct ModelCase {
  const char* name;
  std::string text;
  const char* finding;
};
void PrintTo(const ModelCase& c, std::ostream* out) { *out << c.name; }
class ModelErrorTest : public ::testing::TestWithParam<ModelCase> {};

TEST_P(ModelErrorTest, IsReported) {
  const std::string found = FindingsOf(GetParam().text);
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
}

std::string Action(std::string_view action) {
  return std::string("load-balancers: [{name: a, listeners: [{port: 1, default-actions: [")
      .append(action)
      .append("]}]}]\ntarget-groups: [{name: blue}, {name: green}]\n");
}
std::string Group(std::string_view keys) {
  return std::string("target-groups: [{name: g, ").append(keys).append("}]\n");
}

INSTANTIATE_TEST_SUITE_P(
    All, ModelErrorTest,
    ::testing::Values(
        ModelCase{"DanglingGroup", Action("{forward: {target-group: blu}}"),
                  "error: no target group is named `blu`; did you mean `blue`?"},
        ModelCase{"WeightMissing", Action("{forward: {target-groups: [{name: blue}, {name: green, weight: 1}]}}"),
                  "target group `blue` without a weight"},
        ModelCase{"GroupTwice",
                  Action("{forward: {target-groups: [{name: blue, weight: 1}, {name: blue, weight: 1}]}}"),
                  "stands twice in one forward action"},
        ModelCase{"AllWeightsZero",
                  Action("{forward: {target-groups: [{name: blue, weight: 0}, {name: green, weight: 0}]}}"),
                  "warning: every weight of this forward action is 0"},
        ModelCase{"TwoActions", Action("{forward: {target-group: blue}}, {fixed-response: {status-code: 200}}"),
                  "a second action"},
        ModelCase{"TwoKinds", Action("{forward: {target-group: blue}, fixed-response: {status-code: 200}}"),
                  "`fixed-response` beside `forward` in one action"},
        ModelCase{"RedirectLoop", Action("{redirect: {query: a, status-code: HTTP_301}}"),
                  "a redirect to the same place would never end"},
        ModelCase{"RedirectPlaceholder", Action("{redirect: {host: \"#{path}\", status-code: HTTP_301}}"),
                  "`#{path}` has no meaning in `host`; only #{host}"},
        ModelCase{"RedirectPort", Action("{redirect: {port: 0, status-code: HTTP_301}}"), "`port` cannot be `0`"},
        ModelCase{"RedirectPath", Action("{redirect: {path: a, status-code: HTTP_301}}"), "does not start with /"},
        ModelCase{"FixedStatus", Action("{fixed-response: {status-code: 301}}"),
                  "a fixed response cannot have status 301"},
        ModelCase{"LongBody",
                  Action("{fixed-response: {status-code: 200, message-body: \"" + std::string(1025, 'x') + "\"}}"),
                  "longer than 1024 characters"},
        ModelCase{"FieldInjection",
                  "load-balancers: [{name: a, listeners: [{port: 1, attributes: "
                  "{routing.http.response.strict_transport_security.header_value: \"a\\r\\nb\"}, default-actions: "
                  "[{fixed-response: {status-code: 200}}]}]}]\n",
                  "a character that cannot be sent"},
        ModelCase{"UnusedGroup", Group("targets: []"), "warning: no rule forwards to target group `g`"},
        ModelCase{"EmptyGroup", Action("{forward: {target-group: blue}}"),
                  "warning: target group `blue` has no targets; its requests are answered 503"},
        ModelCase{"TargetTwice", Group("targets: [{address: 127.0.0.1, port: 1}, {address: 127.0.0.1, port: 1}]"),
                  "127.0.0.1 port 1 stands twice in target group `g`"},
        ModelCase{"AddressAndHost", Group("targets: [{address: 127.0.0.1, host: a, port: 1}]"),
                  "`address` beside `host`"},
        ModelCase{"TimeoutOverInterval", Group("health-check: {interval: 1s, timeout: 2s}"),
                  "`timeout` is longer than the interval of 1s"},
        ModelCase{"Matcher", Group("health-check: {matcher: 200-}"), "`matcher` cannot be `200-`"},
        ModelCase{"MatcherRange", Group("health-check: {matcher: \"99\"}"), "status codes from 100 to 599"},
        ModelCase{"ProbePath", Group("health-check: {path: health}"), "`health` is no path to request"},
        ModelCase{"BoundTwice",
                  "load-balancers:\n  - {name: a, addresses: [127.0.0.1], listeners: [{port: 9900, default-actions: "
                  "[{fixed-response: {status-code: 200}}]}]}\n",
                  "admin binds 127.0.0.1:9900, which load balancer `a` binds too"},
        ModelCase{"BoundTwiceByDns", "dns: {addresses: [127.0.0.1], port: 9900}\n",
                  "admin binds 127.0.0.1:9900, which dns binds too"},
        ModelCase{"ExcludedFamily", "load-balancers: [{name: a, ip-address-type: ipv4, addresses: [\"::1\"]}]\n",
                  "::1 does not fit `ip-address-type: ipv4`"},
        ModelCase{"AdvertisedWildcard", "load-balancers: [{name: a, advertise: [0.0.0.0]}]\n",
                  "a wildcard address cannot be advertised"},
        ModelCase{"TestWithoutQuestion", "tests: [{expect: {rcode: NOERROR}}]\n", "a test that asks nothing"},
        ModelCase{"TestRequest", "tests: [{request: /x, expect: {status: 200}}]\n", "`/x` is no request"},
        ModelCase{"TestMixed", "tests: [{query: a.test A, expect: {status: 200}}]\n",
                  "`status` has no meaning for a query"},
        ModelCase{"TestUnhealthy",
                  "health-checks: [{name: db, type: TCP, address: 127.0.0.1, port: 1}]\ntests: [{query: a.test A, "
                  "unhealthy: [bd], expect: {ttl: 1s}}]\n",
                  "nothing is named `bd`"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ModelTest, PortZeroMayBeTakenOften) {
  EXPECT_TRUE(
      LoadFor("load-balancers: [{name: a, listeners: [{port: 0, default-actions: [{fixed-response: {status-code: "
              "200}}]}, {port: 0, default-actions: [{fixed-response: {status-code: 200}}]}]}]\nadmin: {port: 0}\n")
          .model);
}

TEST(ModelTest, AwsLimitsAreWarningsThatNameTheLimit) {
  const std::string text = WithRules("          - {priority: 1, conditions: [{path-pattern: [/a, /b, /c, \"/" +
                                     std::string(200, 'd') + "\"]}], actions: [{forward: {target-group: blue}}]}\n");
  EXPECT_EQ(FindingsOf(text), "");
  const std::string found = FindingsOf(text, true);
  EXPECT_NE(found.find("warning: AWS: 4 values in a condition; at most 3"), std::string::npos) << found;
  EXPECT_NE(found.find("warning: AWS: a path-pattern of 201 characters; at most 128"), std::string::npos) << found;
  EXPECT_TRUE(LoadFor(text, {}, true).model);
  EXPECT_NE(FindingsOf(Group("health-check: {interval: 1s, healthy-threshold: 1}"), true)
                .find("an `interval` of 1s; 5s to 300s"),
            std::string::npos);
}

TEST(DnsTest, TheServerIdentifierIsTheNodesNameUnlessItIsGiven) {
  const auto identifier = [](const char* text) {
    const auto result = LoadFor(text);
    return result.model ? result.model->dns->nsid : result.diagnostics.FormatAll();
  };
  EXPECT_EQ(identifier("node: {name: front-1}\ndns: {}\n"), "front-1");
  EXPECT_EQ(identifier("node: {name: front-1}\ndns: {nsid: ns-eu}\n"), "ns-eu");
  EXPECT_EQ(identifier("node: {name: front-1}\ndns: {nsid: \"\"}\n"), "");
  EXPECT_NE(identifier(("dns: {nsid: " + std::string(65, 'x') + "}\n").c_str())
                .find("error: a name server identifier of 65 bytes; at most 64"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::config
