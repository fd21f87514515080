#include "control/status_json.h"
#include "control/status_report.h"
#include "control/status_text.h"
#include "tests/control/control_fixture.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <vector>

namespace weir::control {
namespace {

Runtime ShopRuntime() {
  Runtime runtime;
  runtime.file = "shop.yaml";
  runtime.ready = true;
  runtime.workers = 1;
  runtime.admin = Endpoint::Parse("127.0.0.1:9900").value();
  runtime.listeners = {{.load_balancer = "shop", .index = 0, .endpoints = {Endpoint::Parse("127.0.0.1:8080").value()}}};
  runtime.health_overrides = {{.kind = "target",
                               .group = "blue",
                               .id = "127.0.0.1:9001",
                               .state = health::AdminState::kUnhealthy,
                               .since = {}}};
  runtime.shifts = {
      {.weights = {.load_balancer = "shop", .port = 8080, .priority = 0, .weights = {{"blue", 0}, {"green", 9}}},
       .since = {}}};
  return runtime;
}

StatusReport ShopReport() { return BuildStatusReport(*MakeView(kShopYaml), ShopRuntime(), "1.2.3"); }

TEST(StatusReportTest, NamesEveryRuleWithItsActionAndTheDefaultLast) {
  const auto report = ShopReport();
  ASSERT_EQ(report.load_balancers.size(), 1U);
  ASSERT_EQ(report.load_balancers[0].listeners.size(), 1U);
  const auto& listener = report.load_balancers[0].listeners[0];
  EXPECT_EQ(listener.bound, std::vector<std::string>{"127.0.0.1:8080"});
  ASSERT_EQ(listener.rules.size(), 3U);
  EXPECT_EQ(listener.rules[0].name, "ping");
  EXPECT_EQ(listener.rules[0].action.type, "fixed-response");
  EXPECT_EQ(listener.rules[1].action.type, "redirect");
  EXPECT_EQ(listener.rules[1].action.status_code, 302U);
  EXPECT_EQ(listener.rules[2].priority, 0U);
  ASSERT_EQ(listener.rules[2].action.groups.size(), 2U);
  EXPECT_EQ(listener.rules[2].action.groups[0].weight, 8U);
}

TEST(StatusReportTest, TheLimitOfClientConnectionsShowsWhileClientsWait) {
  auto runtime = ShopRuntime();
  runtime.client_connections_max = 16;
  runtime.client_waits = 2;
  auto report = BuildStatusReport(*MakeView(kShopYaml), runtime, "1.2.3");
  EXPECT_EQ(StatusText(report, {}).find("clients wait"), std::string::npos);
  report.clients_wait = true;
  EXPECT_NE(StatusText(report, {}).find("clients wait: the limit of 16 client connections is reached"),
            std::string::npos);
  const auto read = ParseStatusJson(StatusJson(report));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->client_connections_max, 16U);
  EXPECT_EQ(read->client_waits, 2U);
  EXPECT_TRUE(read->clients_wait);
}

TEST(StatusReportTest, RecordsThatNothingGovernsAreCountedOnly) {
  const auto report = ShopReport();
  ASSERT_EQ(report.zones.size(), 1U);
  EXPECT_EQ(report.zones[0].record_count, 3U);
  ASSERT_EQ(report.zones[0].records.size(), 2U);
  EXPECT_EQ(report.zones[0].records[0].routing, "PRIMARY");
  EXPECT_EQ(report.zones[0].records[0].health_check, "eu");
  EXPECT_EQ(report.zones[0].records[0].health, "healthy");
  EXPECT_EQ(report.zones[0].records[1].health, "-");
}

TEST(StatusJsonTest, HasTheMembersOfTheContract) {
  const auto parsed = boost::json::parse(StatusJson(ShopReport()));
  for (const char* key : {"version", "revision", "configuration", "load-balancers", "target-groups", "health-checks",
                          "zones", "overrides"}) {
    EXPECT_TRUE(parsed.as_object().contains(key)) << key;
  }
  EXPECT_EQ(parsed.at("configuration").at("file").as_string(), "shop.yaml");
  const auto& rules = parsed.at("load-balancers").at(0).at("listeners").at(0).at("rules").as_array();
  EXPECT_EQ(rules.at(0).at("priority").as_int64(), 30);
  EXPECT_EQ(rules.at(2).at("priority").as_string(), "default");
  const auto& target = parsed.at("target-groups").at(0).at("targets").at(0);
  EXPECT_EQ(target.at("id").as_string(), "127.0.0.1:9001");
  EXPECT_EQ(target.at("state").as_string(), "healthy");
  EXPECT_EQ(target.at("admin-state").as_string(), "measured");
  EXPECT_EQ(target.at("requests").as_int64(), 3);
  EXPECT_EQ(parsed.at("health-checks").at(0).at("type").as_string(), "TCP");
  EXPECT_EQ(parsed.at("overrides").as_array().size(), 2U);
}

TEST(StatusJsonTest, NamesTheStateDirectoryWhereThereIsOne) {
  auto report = ShopReport();
  EXPECT_EQ(StatusText(report, {.colours = false}).find("  state "), std::string::npos);
  report.state_directory = "/var/lib/weir";
  EXPECT_NE(StatusText(report, {.colours = false}).find("workers 1  state /var/lib/weir\n"), std::string::npos);
  EXPECT_EQ(boost::json::parse(StatusJson(report)).at("state-directory").as_string(), "/var/lib/weir");
}

TEST(StatusJsonTest, ReadsBackWhatItWrote) {
  const auto text = StatusJson(ShopReport());
  const auto report = ParseStatusJson(text);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(StatusJson(*report), text);
}

TEST(StatusJsonTest, RefusesWhatIsNoStatus) {
  EXPECT_FALSE(ParseStatusJson("<html>"));
  EXPECT_FALSE(ParseStatusJson("[]"));
  EXPECT_FALSE(ParseStatusJson(R"({"revision": 1})"));
  EXPECT_TRUE(ParseStatusJson(R"({"revision": "x", "load-balancers": [1, {"listeners": 3}]})"));
}

TEST(StatusTextTest, FitsAHundredColumnsAndLeavesNoTrailingSpace) {
  const auto text = StatusText(ShopReport(), {.colours = false});
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 100U) << line;
    EXPECT_FALSE(line.ends_with(' ')) << '[' << line << ']';
  }
  EXPECT_NE(text.find("forward blue:8 green:2"), std::string::npos) << text;
  EXPECT_NE(text.find("Overrides"), std::string::npos);
}

TEST(StatusTextTest, ColoursOnlyWhenAskedFor) {
  EXPECT_EQ(StatusText(ShopReport(), {.colours = false}).find('\x1b'), std::string::npos);
  EXPECT_NE(StatusText(ShopReport(), {.colours = true}).find("\x1b[32mhealthy"), std::string::npos);
}

TEST(StatusTextTest, ColumnsLineUp) {
  const auto text = StatusText(ShopReport(), {.colours = false});
  std::istringstream lines(text);
  std::string heading;
  std::string first;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  GROUP")) {
      heading = line;
      std::getline(lines, first);
    }
  }
  ASSERT_FALSE(heading.empty());
  EXPECT_EQ(heading.find("STATE"), first.find("healthy")) << heading << '\n' << first;
}

TEST(StatusReportTest, TellsTheProtocolOfTargetGroups) {
  const auto report = BuildStatusReport(*MakeView(R"(
load-balancers: [{name: shop, addresses: [127.0.0.1], listeners: [{port: 8080, default-actions: [{forward: {target-group: secure}}]}]}]
target-groups:
  - {name: secure, protocol: HTTPS, targets: [{address: 127.0.0.1, port: 9443}]}
  - {name: plain, targets: [{address: 127.0.0.1, port: 9001}]}
)"),
                                        ShopRuntime(), "1.2.3");
  EXPECT_EQ(report.target_groups[0].protocol, "HTTPS");
  EXPECT_EQ(report.target_groups[0].ssl_policy, "ELBSecurityPolicy-2016-08");
  EXPECT_EQ(report.target_groups[1].protocol, "HTTP");
  EXPECT_NE(StatusText(report, {}).find("secure (HTTPS)"), std::string::npos);
  const auto parsed = ParseStatusJson(StatusJson(report));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->target_groups[0].ssl_policy, "ELBSecurityPolicy-2016-08");
  EXPECT_EQ(parsed->target_groups[1].protocol, "HTTP");
}

TEST(StatusControlCharsTest, TablesPrintControlCharactersEscaped) {
  auto report = ShopReport();
  report.load_balancers[0].name = "a\nb";
  report.load_balancers[0].listeners[0].rules[0].name = "x\x1b[31m";
  report.target_groups[0].name = "t\ry";
  report.last_reload_error = "f.yaml:1:1: error: \x07";
  const std::string text = StatusText(report, {});
  EXPECT_NE(text.find("a\\x0ab"), std::string::npos) << text;
  EXPECT_NE(text.find("x\\x1b[31m"), std::string::npos) << text;
  EXPECT_NE(text.find("t\\x0dy"), std::string::npos) << text;
  EXPECT_TRUE(std::ranges::none_of(text, [](char c) { return c != '\n' && c >= 0 && c < 0x20; })) << text;
}

TEST(StatusTextTest, AHostWithoutAddressesSaysWhy) {
  auto report = ShopReport();
  report.target_groups[0].targets.clear();
  report.target_groups[0].unresolved_hosts = {{"app.internal", 9001, "Domain name not found", 0}};
  const std::string text = StatusText(report, {});
  EXPECT_NE(text.find("app.internal:9001"), std::string::npos) << text;
  EXPECT_NE(text.find("Domain name not found"), std::string::npos) << text;
  EXPECT_EQ(text.find("no targets"), std::string::npos) << text;
  report.target_groups[0].unresolved_hosts[0].addresses_kept = 2;
  EXPECT_NE(StatusText(report, {}).find("Domain name not found, the last addresses stay"), std::string::npos);
  const auto parsed = ParseStatusJson(StatusJson(report));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->target_groups[0].unresolved_hosts.size(), 1U);
  EXPECT_EQ(parsed->target_groups[0].unresolved_hosts[0].reason, "Domain name not found");
  EXPECT_EQ(parsed->target_groups[0].unresolved_hosts[0].addresses_kept, 2U);
}

TEST(StatusTextTest, ShowsTheTrafficAboveTheRest) {
  const std::vector<GroupRate> rates = {
      {.name = "blue",
       .healthy = 1,
       .registered = 2,
       .requests = 12'345.6,
       .errors = 0.5,
       .p99 = std::chrono::microseconds(2'345)},
      {.name = "green", .healthy = 1, .registered = 1, .requests = 0, .errors = 0, .p99 = {}}};
  const auto text = StatusText(ShopReport(), {.colours = false, .rates = rates});
  const auto traffic = text.find("\nTraffic\n");
  ASSERT_NE(traffic, std::string::npos) << text;
  EXPECT_LT(traffic, text.find("\nLoad balancers\n"));
  EXPECT_NE(text.find("  blue   1 of 2   12,346      0.5       2.35 ms\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  green  1 of 1   0           0         -\n"), std::string::npos) << text;
  EXPECT_EQ(StatusText(ShopReport(), {.colours = false}).find("Traffic"), std::string::npos);
}

TEST(FitToTerminalTest, LeavesAloneWhatFits) {
  EXPECT_EQ(FitToTerminal("one\ntwo\n", 3, 2), "one\ntwo");
  EXPECT_EQ(FitToTerminal("", 80, 24), "");
  EXPECT_EQ(FitToTerminal("one\n", 80, 0), "");
}

TEST(FitToTerminalTest, SaysHowManyLinesAreLeftOut) {
  const auto text = FitToTerminal("1\n2\n3\n4\n5\n", 80, 3);
  EXPECT_TRUE(text.starts_with("1\n2\n3 more lines")) << text;
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
  EXPECT_EQ(std::ranges::count(FitToTerminal("1\n2\n", 80, 1), '\n'), 0);
}

TEST(FitToTerminalTest, CutsLinesAtTheEdgeAndClosesTheirColours) {
  EXPECT_EQ(FitToTerminal("abcdef\n", 4, 9), "abcd");
  EXPECT_EQ(FitToTerminal("\x1b[32mhealthy\x1b[0m x\n", 4, 9), "\x1b[32mheal\x1b[0m");
  EXPECT_EQ(FitToTerminal("\x1b[32mok\x1b[0m fine\n", 5, 9), "\x1b[32mok\x1b[0m fi");
  EXPECT_EQ(FitToTerminal("\xc3\xa9\xc3\xa9\xc3\xa9\n", 2, 9), "\xc3\xa9\xc3\xa9") << "a character of two bytes";
  EXPECT_EQ(FitToTerminal("\xe6\x97\xa5\xe6\x97\xa5\n", 3, 9), "\xe6\x97\xa5") << "a character of two cells";
}

}  // namespace
}  // namespace weir::control
