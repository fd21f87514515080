#include "config/document/environment.h"

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

constexpr std::string_view kMinimal =
    "load-balancers: [{name: a, listeners: [{port: \"%\", default-actions: [{fixed-response: {status-code: "
    "200}}]}]}]\n";

std::string WithPort(std::string_view port) {
  std::string text(kMinimal);
  return text.replace(text.find('%'), 1, port);
}

TEST(EnvironmentTest, AVariableIsReplacedAndDecidesTheType) {
  const auto result = LoadFor(WithPort("${PORT}"), {{"PORT", "8081"}});
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  EXPECT_EQ(result.model->load_balancers[0].listeners[0].port, 8081);
}

TEST(EnvironmentTest, TheDefaultStandsForAnUnsetOrEmptyVariable) {
  for (const auto& environment : {std::map<std::string, std::string>{}, {{"PORT", ""}}}) {
    const auto result = LoadFor(WithPort("${PORT:-8082}"), environment);
    ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
    EXPECT_EQ(result.model->load_balancers[0].listeners[0].port, 8082);
  }
}

TEST(EnvironmentTest, AnUnsetVariableWithoutDefaultIsAnErrorAtItsPlace) {
  const std::string found = FindingsOf("node:\n  name: x-${NAME}\n");
  EXPECT_NE(found.find("t.yaml:2:9: error: environment variable NAME is not set; set it, or write ${NAME:-default}"),
            std::string::npos)
      << found;
}

TEST(EnvironmentTest, AReferenceThatIsNoneIsAnError) {
  EXPECT_NE(FindingsOf("node: {name: \"${1X}\"}").find("names no environment variable"), std::string::npos);
  EXPECT_NE(FindingsOf("node: {name: \"${X\"}").find("a ${ without its }"), std::string::npos);
}

TEST(EnvironmentTest, OtherDollarsAndPlaceholdersAreLeftAlone) {
  const auto result = LoadFor(WithRules(R"(          - priority: 1
            conditions: [{path-pattern: {regex-values: ["^/a$", "^/$$", "^/$${x}$"]}}]
            actions: [{redirect: {host: "x.#{host}", status-code: HTTP_302}}]
)"),
                              {{"x", "no"}});
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  const auto& rule = *result.model->load_balancers[0].listeners[0].rules[0];
  const auto& paths = rule.conditions[0].regex_values;
  EXPECT_EQ(paths[0].text, "^/a$");
  EXPECT_EQ(paths[1].text, "^/$$");
  EXPECT_EQ(paths[2].text, "^/${x}$");
  EXPECT_EQ(std::get<Rare<RedirectAction>>(rule.action)->host, "x.#{host}");
}

TEST(EnvironmentTest, WhatAVariableHoldsIsNotExpandedAgain) {
  const auto result = LoadFor("node: {name: \"${A}\"}\n", {{"A", "${A}"}});
  ASSERT_TRUE(result.model);
  EXPECT_EQ(result.model->node.name, "${A}");
}

TEST(EnvironmentTest, AValueThatIsWrongNamesItsVariable) {
  const auto found = [](const std::string& value) {
    return LoadFor("admin:\n  port: \"${P}\"\n", {{"P", value}}).diagnostics.FormatAll();
  };
  EXPECT_NE(found("8o").find("`port` wants a whole number, found `8o` from `${P}`; 0 to 65535\n"), std::string::npos)
      << found("8o");
  const std::string boolean =
      LoadFor("health-checks: [{name: a, type: TCP, inverted: \"${B}\"}]\n", {{"B", "yes"}}).diagnostics.FormatAll();
  EXPECT_NE(boolean.find("`inverted` wants true or false, found `yes` from `${B}`\n"), std::string::npos) << boolean;
}

TEST(EnvironmentTest, AReferenceInAnIgnoredSectionCountsWhereAnAliasUsesIt) {
  const std::string ignored =
      "x-admin: &a {port: \"${NOPE}\", address: \"${ALSO}\"}\n"
      "x-host: &h \"${HOST}\"\n";
  const auto served = WithPort("${PORT:-80}");
  const auto unused = LoadFor(ignored + served);
  EXPECT_TRUE(unused.model) << unused.diagnostics.FormatAll();
  EXPECT_EQ(unused.diagnostics.FormatAll(), "");
  // A merge takes what it does not write itself; an alias of the text stands where it is used.
  const auto used = LoadFor(ignored + served + "admin: {<<: *a, address: 127.0.0.1}\nnode: {name: *h}\n");
  EXPECT_EQ(used.diagnostics.FormatAll(),
            "t.yaml:1:20: error: environment variable NOPE is not set; set it, or write ${NOPE:-default}\n"
            "t.yaml:2:9: error: environment variable HOST is not set; set it, or write ${HOST:-default}\n");
}

TEST(EnvironmentTest, WhatIsHiddenIsNotReplacedAgain) {
  std::vector<Diagnostic> findings(1);
  findings[0].message = "`a/state-log` and `a/state`";
  HideReplacements({{"${LOG:-${STATE}}", "a/state-log"}, {"${STATE}", "a/state"}}, findings);
  EXPECT_EQ(findings[0].message, "`${LOG:-${STATE}}` and `${STATE}`");
}

TEST(EnvironmentTest, DefaultsAreNoSecrets) {
  const auto found = [](std::string_view held) {
    LoadOptions options;
    options.hide_environment = true;
    options.environment = [held](const std::string&) -> std::optional<std::string> { return std::string(held); };
    return LoadText("node: {name: a}\nadmin: {address: \"${WHERE:-wrong-here}\"}\n", "t.yaml", options)
        .diagnostics.FormatAll();
  };
  EXPECT_NE(found("").find("wrong-here"), std::string::npos) << found("");
  EXPECT_EQ(found("wrong-there").find("wrong-there"), std::string::npos) << found("wrong-there");
}

TEST(EnvironmentTest, CommentsAreNotExpanded) { EXPECT_TRUE(LoadFor("# ${UNSET}\nnode: {name: a}\n").model); }

}  // namespace
}  // namespace weir::config
