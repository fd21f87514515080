#include "proxy/routing/conditions.h"

#include "proxy/routing/explain.h"
#include "tests/proxy/routing/routing_models.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using namespace weir::proxy::testing;

struct ConditionRow {
  std::string name;
  config::Condition condition;
  Request request;
  bool matches;
  std::string reason;  // of the explanation; empty: not compared
};

// Each row is asked three ways: the condition itself, a listener's Match, and the explanation.
void Check(const ConditionRow& row) {
  const auto condition = CompiledCondition::Build(row.condition, "rules[0].conditions[0]");
  ASSERT_TRUE(condition.has_value()) << row.name;
  const Facts facts(row.request);
  EXPECT_EQ((*condition)->Matches(*facts), row.matches) << row.name;

  const auto table = BuildTable(MakeModel({MakeRule(10, {row.condition})}));
  const Listener& listener = *table->listeners().front();
  EXPECT_EQ(listener.Match(*facts).priority, row.matches ? 10U : 0U) << row.name;

  const auto explanation = ExplainRequest(*table, listener, *facts, {}, nullptr);
  EXPECT_EQ(explanation.matched().priority, row.matches ? 10U : 0U) << row.name;
  const auto& explained = explanation.rules.front().conditions.front();
  EXPECT_EQ(explained.matched, row.matches) << row.name;
  if (!row.reason.empty()) {
    EXPECT_EQ(explained.reason, row.reason) << row.name;
  }
}

TEST(ConditionTest, HostHeaderFollowsSection42) {
  const std::vector<ConditionRow> rows = {
      {"exact", Host({"shop.example.test"}), {}, true, R"("shop.example.test" matches "shop.example.test")"},
      {"case is ignored", Host({"Shop.Example.Test"}), {.host = "sHOP.example.TEST"}, true, ""},
      {"star label", Host({"*.example.com"}), {.host = "test.example.com"}, true, ""},
      {"star needs the dot",
       Host({"*.example.com"}),
       {.host = "example.com"},
       false,
       R"("example.com" does not match "*.example.com")"},
      {"several values are alternatives",
       Host({"a.example.com", "*.example.org"}),
       {.host = "x.example.org"},
       true,
       R"("x.example.org" matches any of "a.example.com", "*.example.org")"},
      {"question mark", Host({"shop?.example.com"}), {.host = "shop1.example.com"}, true, ""},
      {"no host at all", Host({"shop.example.test"}), {.host = ""}, false, ""},
      {"regex ignores case", Host({}, {"^SHOP\\..*$"}), {.host = "shop.example.test"}, true, ""},
      {"regex fails",
       Host({}, {"^api\\."}),
       {.host = "shop.example.test"},
       false,
       R"("shop.example.test" does not match the regular expression "^api\.")"},
      {"IPv6 literal", Host({"[2001:db8::1]"}), {.host = "[2001:DB8::1]"}, true, ""},
  };
  for (const auto& row : rows) Check(row);
}

TEST(ConditionTest, PathPatternFollowsSection42) {
  const std::vector<ConditionRow> rows = {
      {"star", Path({"/cart/*"}), {.path = "/cart/1"}, true, ""},
      {"star needs the slash", Path({"/cart/*"}), {.path = "/cart"}, false, R"("/cart" does not match "/cart/*")"},
      {"case counts", Path({"/Cart/*"}), {.path = "/cart/1"}, false, ""},
      {"query is not compared", Path({"/cart"}), {.path = "/cart", .query = "a=1"}, true, ""},
      {"gRPC package", Path({"/package.service/*"}), {.path = "/package.service/method"}, true, ""},
      {"img star pics", Path({"/img/*/pics"}), {.path = "/img/cats/small/pics"}, true, ""},
      {"AWS's allowed marks", Path({"/_-.$/~\"'@:+&"}), {.path = "/_-.$/~\"'@:+&"}, true, ""},
      {"asterisk-form", Path({"/*"}), {.method = "OPTIONS", .path = "*"}, false, ""},
      {"regex is case-sensitive", Path({}, {"^/API"}), {.path = "/api"}, false, ""},
      {"regex searches", Path({}, {"/v[0-9]+/"}), {.path = "/api/v2/x"}, true, ""},
  };
  for (const auto& row : rows) Check(row);
}

TEST(ConditionTest, HttpHeaderFollowsSection42) {
  const std::vector<ConditionRow> rows = {
      {"name and value in any case", Header("X-Beta", {"YES"}), {.headers = {{"x-beta", "yes"}}}, true, ""},
      {"star", Header("User-Agent", {"*Chrome*"}), {.headers = {{"User-Agent", "Mozilla chrome/1"}}}, true, ""},
      {"repeated header, second matches",
       Header("X-Beta", {"on*"}),
       {.headers = {{"X-Beta", "no"}, {"X-Other", "online"}, {"x-BETA", "online"}}},
       true,
       R"("no", "online" matches "on*")"},
      {"absent", Header("X-Beta", {"*"}), {.headers = {{"X-Beta2", "yes"}}}, false, "the request has no such field"},
      {"empty value", Header("X-Beta", {"?*"}), {.headers = {{"X-Beta", ""}}}, false, ""},
      {"regex ignores case", Header("X-Beta", {}, {"^YES$"}), {.headers = {{"X-Beta", "yes"}}}, true, ""},
      {"regex bare", Header("X-Beta", {}, {".+"}), {.headers = {{"X-Beta", "a b"}}}, true, ""},
      {"a backslash is a character", Header("X", {"a\\*"}), {.headers = {{"X", "a\\b"}}}, true, ""},
      {"only visible ASCII", Header("X", {"*"}), {.headers = {{"X", "caf\xc3\xa9"}}}, false, ""},
  };
  for (const auto& row : rows) Check(row);
}

TEST(ConditionTest, RequestMethodFollowsSection42) {
  const std::vector<ConditionRow> rows = {
      {"exact", Method({"GET", "POST"}), {.method = "POST"}, true, R"("POST" is any of "GET", "POST")"},
      {"case counts", Method({"GET"}), {.method = "get"}, false, R"("get" is not "GET")"},
      {"custom method", Method({"MY-METHOD_X"}), {.method = "MY-METHOD_X"}, true, ""},
      {"HEAD is not GET", Method({"GET"}), {.method = "HEAD"}, false, ""},
      {"no wildcards", Method({"*"}), {.method = "GET"}, false, ""},
  };
  for (const auto& row : rows) Check(row);
}

TEST(ConditionTest, QueryStringFollowsSection42) {
  const std::vector<ConditionRow> rows = {
      {"key and value", Query({{"version", "v1"}}), {.query = "a=b&version=v1"}, true, ""},
      {"any case", Query({{"Version", "V1"}}), {.query = "vERSION=v1"}, true, ""},
      {"value of any key", Query({{std::nullopt, "example"}}), {.query = "x=1&y=Example"}, true, ""},
      {"value alone is not a key", Query({{std::nullopt, "y"}}), {.query = "y=Example"}, false, ""},
      {"wildcards in both", Query({{"ver*", "2?"}}), {.query = "version=20"}, true, ""},
      {"pairs are alternatives", Query({{"a", "1"}, {"b", "2"}}), {.query = "b=2"}, true, ""},
      {"key and value belong together",
       Query({{"a", "2"}}),
       {.query = "a=1&b=2"},
       false,
       R"("a=1&b=2" does not match "a=2")"},
      {"repeated key", Query({{"a", "2"}}), {.query = "a=1&a=2"}, true, ""},
      {"literal star", Query({{"q", "\\*"}}), {.query = "q=*"}, true, ""},
      {"literal star is no wildcard", Query({{"q", "\\*"}}), {.query = "q=x"}, false, ""},
      {"literal question mark", Query({{std::nullopt, "what\\?"}}), {.query = "q=what?"}, true, ""},
      {"second equals sign belongs to the value", Query({{"q", "a=b"}}), {.query = "q=a=b"}, true, ""},
      {"no query", Query({{std::nullopt, "*"}}), {}, false, "the request has no query"},
      {"bare parameter is a key", Query({{"debug", "*"}}), {.query = "debug"}, true, ""},
      {"bare parameter has an empty value", Query({{"debug", "?*"}}), {.query = "debug"}, false, ""},
      {"bare parameter is its own text", Query({{std::nullopt, "debug"}}), {.query = "x=1&debug"}, true, ""},
      {"escapes are not decoded", Query({{"q", "a/b"}}), {.query = "q=a%2Fb"}, false, ""},
      {"escapes compare as written", Query({{"q", "a%2fb"}}), {.query = "q=a%2Fb"}, true, ""},
      {"semicolon does not split", Query({{"b", "2"}}), {.query = "a=1;b=2"}, false, ""},
      {"plus is a plus", Query({{"q", "a+b"}}), {.query = "q=a+b"}, true, ""},
  };
  for (const auto& row : rows) Check(row);
}

TEST(ConditionTest, SourceIpFollowsSection42) {
  const std::vector<ConditionRow> rows = {
      {"inside", Source({"192.0.2.0/24"}), {}, true, "192.0.2.1 is in 192.0.2.0/24"},
      {"outside",
       Source({"10.0.0.0/8", "2001:db8::/32"}),
       {},
       false,
       "192.0.2.1 is not in any of 10.0.0.0/8, 2001:db8::/32"},
      {"IPv6", Source({"2001:db8::/32"}), {.client = "2001:db8::7"}, true, ""},
      {"mapped client is IPv4", Source({"192.0.2.0/24"}), {.client = "::ffff:192.0.2.9"}, true, ""},
      {"mapped block is IPv4", Source({"::ffff:192.0.2.0/120"}), {.client = "192.0.2.9"}, true, ""},
      {"everything of a family", Source({"::/0"}), {}, false, ""},
      {"the header is not asked", Source({"10.0.0.0/8"}), {.headers = {{"X-Forwarded-For", "10.0.0.1"}}}, false, ""},
  };
  for (const auto& row : rows) Check(row);
}

TEST(ConditionTest, EveryConditionOfARuleMustHold) {
  const auto table =
      BuildTable(MakeModel({MakeRule(10, {Path({"/a"}), Method({"GET"})}), MakeRule(20, {Path({"/a"})})}));
  const Listener& listener = *table->listeners().front();
  EXPECT_EQ(listener.Match(*Facts({.path = "/a"})).priority, 10U);
  EXPECT_EQ(listener.Match(*Facts({.method = "PUT", .path = "/a"})).priority, 20U);
  EXPECT_EQ(listener.Match(*Facts({.path = "/b"})).priority, 0U);
}

TEST(ConditionTest, AnInvalidExpressionIsReportedWhereItStands) {
  auto condition = Path({}, {"^/ok", "(oops"});
  condition.regex_values.edit()[1].position = {.file = 0, .line = 7, .column = 9};
  CounterRegistry counters(1);
  const auto table = RoutingTable::Build(MakeModel({MakeRule(10, {condition})}), 1, {}, counters);
  ASSERT_FALSE(table.has_value());
  ASSERT_EQ(table.error().size(), 1U);
  const auto& finding = table.error().front();
  EXPECT_EQ(finding.position.line, 7U);
  EXPECT_EQ(finding.position.column, 9U);
  EXPECT_EQ(finding.path, "load-balancers[0].listeners[0].rules[0].conditions[0].path-pattern.regex-values[1]");
  EXPECT_EQ(finding.message, R"(the regular expression "(oops" is not valid: missing ): (oops)");
}

TEST(CheckDeadPatternsTest, PatternsAreNormalisedLikePaths) {
  // What rules compare with: http::NormalizePath of what the client sent.
  const std::vector<ConditionRow> rows = {
      {"lower-case digits", Path({"/x%2fy"}), {.path = "/x%2Fy"}, true, R"("/x%2Fy" matches "/x%2fy")"},
      {"upper-case digits", Path({"/x%2Fy"}), {.path = "/x%2Fy"}, true, ""},
      {"an encoded letter", Path({"/%61bc"}), {.path = "/abc"}, true, R"("/abc" matches "/%61bc")"},
      {"beside wildcards", Path({"/%7euser/*%c3%bc?"}), {.path = "/~user/a%C3%BC1"}, true, ""},
      {"an encoded wildcard is none", Path({"/a%2a"}), {.path = "/abc"}, false, ""},
      {"an encoded wildcard is itself", Path({"/a%2a"}), {.path = "/a%2A"}, true, ""},
      {"a broken encoding is itself", Path({"/100%"}), {.path = "/100%"}, true, ""}};
  for (const auto& row : rows) Check(row);
}

TEST(CheckTwoPassesTest, EveryExpressionOfAConditionIsReported) {
  const auto condition = CompiledCondition::Build(Path({}, {"(", "fine", "["}), "rules[0].conditions[0]");
  ASSERT_FALSE(condition.has_value());
  ASSERT_EQ(condition.error().size(), 2U);
  EXPECT_EQ(condition.error()[0].path, "rules[0].conditions[0].path-pattern.regex-values[0]");
  EXPECT_EQ(condition.error()[1].path, "rules[0].conditions[0].path-pattern.regex-values[2]");
}

}  // namespace
}  // namespace weir::proxy
