// `--aws`: limits of load balancers and target groups, each taken here; spec: alb.md 1.2, 2, 4, 5, 7, 20.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::config {
namespace {

struct AwsLimitsCase {
  const char* name;
  std::string text;
  const char* finding;  // a part of the output
};
void PrintTo(const AwsLimitsCase& c, std::ostream* out) { *out << c.name; }
class AwsLimitsTest : public ::testing::TestWithParam<AwsLimitsCase> {};

TEST_P(AwsLimitsTest, IsWarnedOf) {
  const std::string found = FindingsOf(GetParam().text, true);
  EXPECT_NE(found.find(std::string("warning: AWS: ").append(GetParam().finding)), std::string::npos) << found;
  EXPECT_TRUE(LoadFor(GetParam().text).model);
  EXPECT_EQ(FindingsOf(GetParam().text).find("AWS:"), std::string::npos);
}

std::string Conditions(std::string_view conditions) {
  return WithRules(std::string("          - {priority: 1, conditions: [")
                       .append(conditions)
                       .append("], actions: [{forward: {target-group: blue}}]}\n"));
}
std::string LimitsAction(std::string_view action, std::string_view protocol = "HTTP") {
  return std::string("load-balancers: [{name: a, listeners: [{port: 443, protocol: ")
      .append(protocol)
      .append(protocol == "HTTPS"
                  ? ", ssl-policy: ELBSecurityPolicy-2016-08, certificates: [{certificate: a.pem, key: a.key}]"
                  : "")
      .append(", default-actions: [")
      .append(action)
      .append("]}]}]\n");
}
std::string Balancer(std::string_view attributes) {
  return std::string("load-balancers: [{name: a, attributes: {")
      .append(attributes)
      .append("}, listeners: [{port: 80, default-actions: [{fixed-response: {status-code: 200}}]}]}]\n");
}
std::string LimitsGroup(std::string_view keys) {
  return std::string(
             "load-balancers: [{name: a, listeners: [{port: 80, default-actions: [{forward: {target-group: g}}]}]}]\n"
             "target-groups: [{name: g, ")
      .append(keys)
      .append("}]\n");
}
std::string SixGroups() {
  std::string forward;
  std::string groups;
  for (const char* const name : {"a", "b", "c", "d", "e", "f"}) {
    forward.append(forward.empty() ? "" : ", ").append("{name: ").append(name).append(", weight: 1}");
    groups.append("  - {name: ").append(name).append(", targets: [{address: 127.0.0.1, port: 1}]}\n");
  }
  return LimitsAction("{forward: {target-groups: [" + forward + "]}}") + "target-groups:\n" + groups;
}

const std::string kLong(129, 'x');
constexpr std::string_view kTargets = "targets: [{address: 127.0.0.1, port: 1}]";

INSTANTIATE_TEST_SUITE_P(
    Rules, AwsLimitsTest,
    ::testing::Values(
        AwsLimitsCase{"ValuesOfARule",
                      Conditions("{path-pattern: [/a, /b, /c]}, {http-request-method: [GET, PUT, POST]}"),
                      "6 condition values in a rule; at most 5"},
        AwsLimitsCase{"ValuesOfACondition", Conditions("{path-pattern: [/a, /b, /c, /d]}"),
                      "4 values in a condition; at most 3"},
        AwsLimitsCase{
            "Networks",
            Conditions("{source-ip: [10.0.0.0/8, 11.0.0.0/8, 12.0.0.0/8, 13.0.0.0/8, 14.0.0.0/8, 15.0.0.0/8]}"),
            "6 values in a condition; at most 5"},
        AwsLimitsCase{"Wildcards", Conditions("{path-pattern: [\"/*/?/*/?/*/?\"]}"),
                      "6 wildcards in a rule; at most 5"},
        AwsLimitsCase{
            "SecondOfAKind", Conditions("{path-pattern: [\"/a*\"]}, {path-pattern: [\"*b\"]}"),
            "a second condition of this kind in one rule; one each of host-header, path-pattern, http-request-method "
            "and source-ip"},
        AwsLimitsCase{"LongExpression", Conditions("{path-pattern: {regex-values: [\"" + kLong + "\"]}}"),
                      "a regular expression of 129 characters; at most 128"},
        AwsLimitsCase{"LongFieldName", Conditions("{http-header: {name: " + std::string(41, 'x') + ", values: [a]}}"),
                      "a header name of 41 characters; at most 40"},
        AwsLimitsCase{"HostAsHeader", Conditions("{http-header: {name: Host, values: [a.test]}}"),
                      "an http-header condition on Host; host-header"},
        AwsLimitsCase{"LowerMethod", Conditions("{http-request-method: [get]}"),
                      "method `get`; at most 40 of A-Z, - and _"}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Actions, AwsLimitsTest,
    ::testing::Values(
        AwsLimitsCase{"GroupsOfAnAction", SixGroups(), "6 target groups in an action; at most 5"},
        AwsLimitsCase{"BackToHttp",
                      LimitsAction("{redirect: {protocol: HTTP, port: 80, status-code: HTTP_301}}", "HTTPS"),
                      "a redirect from HTTPS to HTTP; HTTPS or #{protocol}"},
        AwsLimitsCase{"RedirectHost", LimitsAction("{redirect: {host: " + kLong + ", status-code: HTTP_301}}"),
                      "129 characters in a redirect's host; at most 128"},
        AwsLimitsCase{"RedirectPath", LimitsAction("{redirect: {path: /" + kLong + ", status-code: HTTP_301}}"),
                      "130 characters in a redirect's path; at most 128"},
        AwsLimitsCase{"RedirectQuery",
                      LimitsAction("{redirect: {path: /, query: " + kLong + ", status-code: HTTP_301}}"),
                      "129 characters in a redirect's query; at most 128"},
        AwsLimitsCase{"ContentType",
                      LimitsAction("{fixed-response: {status-code: 200, content-type: text/xml, message-body: x}}"),
                      "content type `text/xml`; one of text/plain, text/css, text/html, application/javascript or "
                      "application/json"}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Balancers, AwsLimitsTest,
    ::testing::Values(AwsLimitsCase{"Idle", Balancer("idle_timeout.timeout_seconds: 4001"),
                                    "idle_timeout.timeout_seconds of 4001; 1 to 4000"},
                      AwsLimitsCase{"KeepAlive", Balancer("client_keep_alive.seconds: 59"),
                                    "client_keep_alive.seconds of 59; 60 to 604800"},
                      AwsLimitsCase{"CrossZone", Balancer("load_balancing.cross_zone.enabled: false"),
                                    "cross-zone off for all of an application load balancer"},
                      AwsLimitsCase{
                          "PortZero",
                          "load-balancers: [{name: a, listeners: [{port: 0, default-actions: [{fixed-response: "
                          "{status-code: 200}}]}]}]\n",
                          "port 0; 1 to 65535"},
                      AwsLimitsCase{"InternalName",
                                    "load-balancers: [{name: internal-a, listeners: [{port: 80, default-actions: "
                                    "[{fixed-response: {status-code: 200}}]}]}]\n",
                                    "load balancer name `internal-a`; may not start with internal-"}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Groups, AwsLimitsTest,
    ::testing::Values(
        AwsLimitsCase{"Families", LimitsGroup("targets: [{address: 127.0.0.1, port: 1}, {address: \"::1\", port: 1}]"),
                      "IPv4 and IPv6 targets in one target group; one address type in a group"},
        AwsLimitsCase{"ByName", LimitsGroup("targets: [{host: localhost, port: 1}]"), "a target given by name"},
        AwsLimitsCase{"Delay",
                      LimitsGroup(std::string(kTargets) + ", attributes: {deregistration_delay.timeout_seconds: 3601}"),
                      "deregistration_delay.timeout_seconds of 3601; 0 to 3600"},
        AwsLimitsCase{"Thresholds",
                      LimitsGroup(std::string(kTargets) +
                                  ", attributes: {target_group_health.dns_failover.minimum_healthy_targets.count: 1, "
                                  "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count: 2}"),
                      "a DNS failover threshold below the routing threshold; at least as high"},
        AwsLimitsCase{"Matcher", LimitsGroup(std::string(kTargets) + ", health-check: {matcher: 200-599}"),
                      "a matcher with 200-599; 200 to 499"},
        AwsLimitsCase{"Threshold", LimitsGroup(std::string(kTargets) + ", health-check: {healthy-threshold: 11}"),
                      "a healthy-threshold of 11; 2 to 10"},
        AwsLimitsCase{"TcpProbe", LimitsGroup(std::string(kTargets) + ", health-check: {protocol: TCP}"),
                      "a TCP health check; HTTP or HTTPS"},
        AwsLimitsCase{"Name",
                      "load-balancers: [{name: a, listeners: [{port: 80, default-actions: [{forward: {target-group: "
                      "-g}}]}]}]\ntarget-groups: [{name: -g, targets: [{address: 127.0.0.1, port: 1}]}]\n",
                      "target group name `-g`; at most 32 letters, digits and hyphens, no hyphen at either end"},
        AwsLimitsCase{
            "TwoOwners",
            "load-balancers:\n  - {name: a, listeners: [{port: 80, default-actions: [{forward: {target-group: g}}]}]}\n"
            "  - {name: b, listeners: [{port: 81, default-actions: [{forward: {target-group: g}}]}]}\n"
            "target-groups: [{name: g, targets: [{address: 127.0.0.1, port: 1}]}]\n",
            "2 load balancers in front of target group `g`; at most 1"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(AwsLimitsTest, NothingIsSaidOfWhatAwsTakes) {
  EXPECT_EQ(FindingsOf(Conditions("{path-pattern: [\"/a/*\", /b, /c]}, {http-header: {name: X-A, values: [\"1\"]}}, "
                                  "{http-header: {name: X-B, values: [\"2\"]}}"),
                       true),
            "");
  EXPECT_EQ(FindingsOf(Balancer("idle_timeout.timeout_seconds: 4000, client_keep_alive.seconds: 60"), true), "");
}

}  // namespace
}  // namespace weir::config
