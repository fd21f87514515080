// Warnings of rules that can never match.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

struct Case {
  const char* name;
  const char* first;   // conditions of the rule with priority 1
  const char* second;  // and of priority 2
  bool covered;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
class ReachabilityTest : public ::testing::TestWithParam<Case> {};

TEST_P(ReachabilityTest, IsWarnedOfExactlyWhenCovered) {
  std::string rules;
  int priority = 0;
  for (const char* conditions : {GetParam().first, GetParam().second}) {
    rules += "          - {priority: " + std::to_string(++priority) + ", conditions: [" + conditions +
             "], actions: [{forward: {target-group: blue}}]}\n";
  }
  const std::string found = FindingsOf(WithRules(rules));
  EXPECT_EQ(found.find("the rule with priority 2 can never match; the rule with priority 1") != std::string::npos,
            GetParam().covered)
      << found;
}

INSTANTIATE_TEST_SUITE_P(
    All, ReachabilityTest,
    ::testing::Values(
        Case{"Identical", "{path-pattern: [/a]}", "{path-pattern: [/a]}", true},
        Case{"NoConditions", "", "{path-pattern: [/a]}", true},
        Case{"NarrowerFirst", "{path-pattern: [/a]}", "", false},
        Case{"PathCaseCounts", "{path-pattern: [/a]}", "{path-pattern: [/A]}", false},
        Case{"HostCaseDoesNot", "{host-header: [A.test]}", "{host-header: [a.TEST]}", true},
        Case{"Subset", "{path-pattern: [/a, /b]}", "{path-pattern: [/b]}", true},
        Case{"Superset", "{path-pattern: [/b]}", "{path-pattern: [/a, /b]}", false},
        Case{"Prefix", "{path-pattern: [\"/a*\"]}", "{path-pattern: [\"/a/b\", \"/ab*\"]}", true},
        Case{"InnerWildcard", "{host-header: [\"*.a.test\"]}", "{host-header: [x.a.test, \"*.b.a.test\"]}", true},
        Case{"QuestionMark", "{path-pattern: [\"/?\"]}", "{path-pattern: [/a]}", true},
        Case{"QuestionMarkIsNoStar", "{path-pattern: [\"/?\"]}", "{path-pattern: [\"/*\"]}", false},
        Case{"MoreConditions", "{path-pattern: [\"/a*\"]}", "{path-pattern: [/a]}, {http-request-method: [GET]}", true},
        Case{"FewerConditions", "{path-pattern: [/a]}, {http-request-method: [GET]}", "{path-pattern: [/a]}", false},
        Case{"OtherKind", "{http-request-method: [GET]}", "{path-pattern: [/a]}", false},
        Case{"Cidr", "{source-ip: [10.0.0.0/8]}", "{source-ip: [10.1.0.0/16]}", true},
        Case{"WiderCidr", "{source-ip: [10.1.0.0/16]}", "{source-ip: [10.0.0.0/8]}", false},
        Case{"Header", "{http-header: {name: X-A, values: [\"a*\"]}}", "{http-header: {name: x-a, values: [ABC]}}",
             true},
        Case{"OtherHeader", "{http-header: {name: X-A, values: [\"*\"]}}", "{http-header: {name: X-B, values: [a]}}",
             false},
        Case{"QueryAnyKey", "{query-string: [{value: a}]}", "{query-string: [{key: k, value: a}]}", true},
        Case{"QueryKey", "{query-string: [{key: k, value: a}]}", "{query-string: [{value: a}]}", false},
        Case{"QueryEscape", "{query-string: [{value: \"a*\"}]}", "{query-string: [{value: \"a\\\\*\"}]}", false},
        Case{"SameRegex", "{path-pattern: {regex-values: [\"^/a\"]}}", "{path-pattern: {regex-values: [\"^/a\"]}}",
             true},
        Case{"OtherRegex", "{path-pattern: {regex-values: [\"^/a\"]}}", "{path-pattern: {regex-values: [\"^/ab\"]}}",
             false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ReachabilityFileTest, APathWithoutASlashIsWarnedOf) {
  EXPECT_NE(FindingsOf(WithRules("          - {priority: 1, conditions: [{path-pattern: [cart]}], actions: [{forward: "
                                 "{target-group: blue}}]}\n"))
                .find("no path matches `cart`"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::config
