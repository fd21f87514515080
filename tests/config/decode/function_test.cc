// Target groups of functions: what they say, what they inherit, what cannot stand beside them; spec: alb.md 7.4.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::config {
namespace {

using std::chrono::milliseconds;

std::string GroupOf(std::string_view function, std::string_view more = {}) {
  return std::string("target-groups: [{name: a, target-type: lambda, function: ").append(function).append(more) +
         "}]\n";
}

Function FunctionOf(std::string_view text) {
  const auto loaded = LoadFor(GroupOf(text));
  EXPECT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  return loaded.model ? *loaded.model->target_groups.at(0).function : Function{.versions = {{}}};
}

TEST(FunctionTest, ACommandIsStartedAtTheRootWithItsDefaults) {
  const auto loaded = LoadFor(GroupOf("{command: [./bootstrap, -v], handler: app.handler, root: code}"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const TargetGroup& group = loaded.model->target_groups[0];
  ASSERT_TRUE(group.function);
  EXPECT_EQ(group.function->alias, "");
  EXPECT_FALSE(group.function->multi_value_headers);
  ASSERT_EQ(group.function->versions.size(), 1U);
  const FunctionVersion& version = group.function->versions[0];
  EXPECT_EQ(version.name, "$LATEST");
  EXPECT_EQ(version.weight, 1);
  EXPECT_EQ(version.code.command, (std::vector<std::string>{"./bootstrap", "-v"}));
  EXPECT_FALSE(version.code.runtime);
  EXPECT_EQ(version.code.handler, "app.handler");
  EXPECT_EQ(version.code.root, "code");
  EXPECT_EQ(version.code.timeout, milliseconds(30'000));
  EXPECT_EQ(version.code.concurrency, 10U);
}

// spec: alb.md 11.
TEST(FunctionTest, HealthChecksAreOffUnlessEnabledAndSlowerThanThoseOfTargets) {
  auto loaded = LoadFor(GroupOf("{invoke: 'http://127.0.0.1:9000/x'}"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_FALSE(loaded.model->target_groups[0].health_check.enabled);
  loaded = LoadFor(GroupOf("{invoke: 'http://127.0.0.1:9000/x'}", ", health-check: {enabled: true, path: /up}"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const TargetHealthCheck& check = loaded.model->target_groups[0].health_check;
  EXPECT_TRUE(check.enabled);
  EXPECT_EQ(check.path, "/up");
  EXPECT_EQ(check.interval, milliseconds(35'000));
  EXPECT_EQ(check.timeout, milliseconds(30'000));
}

TEST(FunctionTest, ARuntimeAndAnEndpoint) {
  const Function node = FunctionOf("{runtime: NODE, handler: i.h, timeout: 2s, concurrency: 3, environment: {A: b}}");
  EXPECT_EQ(node.versions[0].code.runtime, FunctionRuntime::kNode);
  EXPECT_EQ(node.versions[0].code.timeout, milliseconds(2'000));
  EXPECT_EQ(node.versions[0].code.concurrency, 3U);
  EXPECT_EQ(node.versions[0].code.environment, (std::vector<std::pair<std::string, std::string>>{{"A", "b"}}));
  const Function endpoint = FunctionOf("{invoke: 'https://f.test/x'}");
  EXPECT_EQ(endpoint.versions[0].code.invoke, "https://f.test/x");
  EXPECT_EQ(endpoint.versions[0].code.concurrency, 1'000U);
}

TEST(FunctionTest, VersionsTakeWhatTheFunctionSaysAndTheRestOfTheWeight) {
  const Function function = FunctionOf(
      "{alias: live, runtime: python, handler: app.handler, timeout: 3s, versions: [{name: '1', root: v1}, "
      "{name: '2', weight: 0.25, root: v2, timeout: 4s}, {name: '3', weight: 0.5, invoke: 'http://h/x'}]}");
  EXPECT_EQ(function.alias, "live");
  ASSERT_EQ(function.versions.size(), 3U);
  EXPECT_EQ(function.versions[0].weight, 0.25);
  EXPECT_EQ(function.versions[0].code.root, "v1");
  EXPECT_EQ(function.versions[0].code.timeout, milliseconds(3'000));
  EXPECT_EQ(function.versions[1].weight, 0.25);
  EXPECT_EQ(function.versions[1].code.runtime, FunctionRuntime::kPython);
  EXPECT_EQ(function.versions[1].code.timeout, milliseconds(4'000));
  EXPECT_EQ(function.versions[2].code.invoke, "http://h/x");
  EXPECT_FALSE(function.versions[2].code.runtime);
  EXPECT_EQ(function.versions[2].code.handler, "");
}

TEST(FunctionTest, AttributesThatAskForNothingMayStandThere) {
  const auto loaded = LoadFor(GroupOf("{invoke: 'http://h/x'}",
                                      ", attributes: {lambda.multi_value_headers.enabled: true, stickiness.enabled: "
                                      "false, load_balancing.cross_zone.enabled: true}"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_TRUE(loaded.model->target_groups[0].function->multi_value_headers);
}

struct FunctionCase {
  const char* name;
  std::string text;
  std::string_view finding;
};

class WrongFunctionTest : public ::testing::TestWithParam<FunctionCase> {};

TEST_P(WrongFunctionTest, IsReportedWhereItStands) {
  const auto found = FindingsOf(GetParam().text);
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
  EXPECT_FALSE(LoadFor(GetParam().text).model);
}

constexpr const char* kEndpoint = "{invoke: 'http://h/x'}";

INSTANTIATE_TEST_SUITE_P(
    Mixtures, WrongFunctionTest,
    ::testing::Values(
        FunctionCase{"NoFunction", "target-groups: [{name: a, target-type: lambda}]\n",
                     "t.yaml:1:40: error: a target group of a function without `function`"},
        FunctionCase{"FunctionOfAddresses", "target-groups: [{name: a, function: {invoke: 'http://h/x'}}]\n",
                     "t.yaml:1:37: error: `function` of a target group of addresses; `target-type: lambda`"},
        FunctionCase{"Targets", GroupOf(kEndpoint, ", targets: []"), "error: `targets` has no meaning for a function"},
        FunctionCase{"Protocol", GroupOf(kEndpoint, ", protocol: HTTPS"),
                     "error: `protocol` has no meaning for a function"},
        FunctionCase{"ProtocolVersion", GroupOf(kEndpoint, ", protocol-version: HTTP2"),
                     "error: `protocol-version` has no"},
        FunctionCase{"Tls", GroupOf(kEndpoint, ", tls: {}"), "error: `tls` has no meaning for a function"},
        FunctionCase{"CheckPort", GroupOf(kEndpoint, ", health-check: {enabled: true, port: 80}"),
                     "error: `port` has no meaning"},
        FunctionCase{"Sticky", GroupOf(kEndpoint, ", attributes: {stickiness.enabled: true}"),
                     "error: `stickiness.enabled` has no meaning for a function"},
        FunctionCase{"Deregistration", GroupOf(kEndpoint, ", attributes: {deregistration_delay.timeout_seconds: 5}"),
                     "error: `deregistration_delay.timeout_seconds` has no meaning for a function"},
        FunctionCase{"CrossZone", GroupOf(kEndpoint, ", attributes: {load_balancing.cross_zone.enabled: false}"),
                     "error: `load_balancing.cross_zone.enabled: false` with a function"},
        FunctionCase{
            "MultiValueOfTargets",
            "target-groups: [{name: a, targets: [], attributes: {lambda.multi_value_headers.enabled: true}}]\n",
            "error: `lambda.multi_value_headers.enabled` needs a function"},
        FunctionCase{"CheckOfTargetsOff", "target-groups: [{name: a, targets: [], health-check: {enabled: false}}]\n",
                     "error: health checks of targets cannot be turned off"},
        FunctionCase{"NothingToRun", GroupOf("{handler: a.b}"), "error: a function has nothing to run"},
        FunctionCase{"TwoKinds", GroupOf("{command: [x], invoke: 'http://h/x'}"), "error: `invoke` beside `command`"},
        FunctionCase{"NoHandler", GroupOf("{runtime: node}"), "error: a function without `handler`"},
        FunctionCase{"EmptyCommand", GroupOf("{command: []}"), "`command`"},
        FunctionCase{"HandlerOfAnEndpoint", GroupOf("{invoke: 'http://h/x', handler: a.b}"),
                     "error: `handler` has no meaning for an endpoint"},
        FunctionCase{"NoUrl", GroupOf("{invoke: 'ftp://h/x'}"), "error: `ftp://h/x` cannot be invoked"},
        FunctionCase{"NoPort", GroupOf("{invoke: 'http://h:0/x'}"), "error: `http://h:0/x` cannot be invoked"},
        FunctionCase{"PortTooHigh", GroupOf("{invoke: 'http://h:99999/x'}"), "cannot be invoked"},
        FunctionCase{"UserInUrl", GroupOf("{invoke: 'http://me@h/x'}"), "cannot be invoked"},
        FunctionCase{"TimeoutTooLong", GroupOf("{invoke: 'http://h/x', timeout: 2h}"),
                     "error: `timeout: 2h` is out of range"},
        FunctionCase{"AliasAlone", GroupOf("{invoke: 'http://h/x', alias: live}"), "error: `alias` without `versions`"},
        FunctionCase{"WeightsShort",
                     GroupOf("{invoke: 'http://h/x', versions: [{name: a, weight: 0.5}, {name: b, weight: 0.4}]}"),
                     "error: the weights of the versions add up to 0.9; to 1"},
        FunctionCase{"WeightsLong",
                     GroupOf("{invoke: 'http://h/x', versions: [{name: a}, {name: b, weight: 0.7}, {name: c, "
                             "weight: 0.4}]}"),
                     "error: the weights of the versions add up to 1.1; to at most 1"},
        FunctionCase{"TwoRests", GroupOf("{invoke: 'http://h/x', versions: [{name: a}, {name: b}]}"),
                     "error: a second version without `weight`"},
        FunctionCase{"VersionTwice",
                     GroupOf("{invoke: 'http://h/x', versions: [{name: a, weight: 1}, {name: a, weight: 0}]}"),
                     "error: version `a` stands twice"},
        FunctionCase{"VersionName", GroupOf("{invoke: 'http://h/x', versions: [{name: 'a b'}]}"),
                     "error: `name` cannot be `a b`"},
        FunctionCase{"TypeOfALaterVersion", "target-groups: [{name: a, target-type: instance, targets: []}]\n",
                     "error: `target-type: instance` is not supported in this version"}),
    [](const auto& row) { return row.param.name; });

TEST(FunctionTest, AwsTakesTwoNumberedVersionsAndFifteenMinutes) {
  const std::string found = FindingsOf(
      GroupOf("{invoke: 'http://h/x', timeout: 20m, alias: live, versions: [{name: a, weight: 1}, {name: '2', weight: "
              "0}, {name: '3', weight: 0}]}"),
      true);
  EXPECT_NE(found.find("AWS: 3 versions in an alias; at most 2"), std::string::npos) << found;
  EXPECT_NE(found.find("AWS: version `a`; a number"), std::string::npos) << found;
  EXPECT_NE(found.find("a `timeout` of 1200s"), std::string::npos) << found;
}

TEST(FunctionTest, ANotEnabledCheckIsWarnedOf) {
  EXPECT_NE(FindingsOf(GroupOf(kEndpoint, ", health-check: {path: /x}")).find("not enabled"), std::string::npos);
}

}  // namespace
}  // namespace weir::config
