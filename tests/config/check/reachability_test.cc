// Warnings of rules that can never match.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

struct ReachabilityCase {
  const char* name;
  const char* first;   // conditions of the rule with priority 1
  const char* second;  // and of priority 2
  bool covered;
};
void PrintTo(const ReachabilityCase& c, std::ostream* out) { *out << c.name; }
class ReachabilityTest : public ::testing::TestWithParam<ReachabilityCase> {};

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
        ReachabilityCase{"Identical", "{path-pattern: [/a]}", "{path-pattern: [/a]}", true},
        ReachabilityCase{"NoConditions", "", "{path-pattern: [/a]}", true},
        ReachabilityCase{"NarrowerFirst", "{path-pattern: [/a]}", "", false},
        ReachabilityCase{"PathCaseCounts", "{path-pattern: [/a]}", "{path-pattern: [/A]}", false},
        ReachabilityCase{"HostCaseDoesNot", "{host-header: [A.test]}", "{host-header: [a.TEST]}", true},
        ReachabilityCase{"Subset", "{path-pattern: [/a, /b]}", "{path-pattern: [/b]}", true},
        ReachabilityCase{"Superset", "{path-pattern: [/b]}", "{path-pattern: [/a, /b]}", false},
        ReachabilityCase{"Prefix", "{path-pattern: [\"/a*\"]}", "{path-pattern: [\"/a/b\", \"/ab*\"]}", true},
        ReachabilityCase{"InnerWildcard", "{host-header: [\"*.a.test\"]}", "{host-header: [x.a.test, \"*.b.a.test\"]}",
                         true},
        ReachabilityCase{"QuestionMark", "{path-pattern: [\"/?\"]}", "{path-pattern: [/a]}", true},
        ReachabilityCase{"QuestionMarkIsNoStar", "{path-pattern: [\"/?\"]}", "{path-pattern: [\"/*\"]}", false},
        ReachabilityCase{"MoreConditions", "{path-pattern: [\"/a*\"]}",
                         "{path-pattern: [/a]}, {http-request-method: [GET]}", true},
        ReachabilityCase{"FewerConditions", "{path-pattern: [/a]}, {http-request-method: [GET]}",
                         "{path-pattern: [/a]}", false},
        ReachabilityCase{"OtherKind", "{http-request-method: [GET]}", "{path-pattern: [/a]}", false},
        ReachabilityCase{"Cidr", "{source-ip: [10.0.0.0/8]}", "{source-ip: [10.1.0.0/16]}", true},
        ReachabilityCase{"WiderCidr", "{source-ip: [10.1.0.0/16]}", "{source-ip: [10.0.0.0/8]}", false},
        ReachabilityCase{"Header", "{http-header: {name: X-A, values: [\"a*\"]}}",
                         "{http-header: {name: x-a, values: [ABC]}}", true},
        ReachabilityCase{"OtherHeader", "{http-header: {name: X-A, values: [\"*\"]}}",
                         "{http-header: {name: X-B, values: [a]}}", false},
        ReachabilityCase{"QueryAnyKey", "{query-string: [{value: a}]}", "{query-string: [{key: k, value: a}]}", true},
        ReachabilityCase{"QueryKey", "{query-string: [{key: k, value: a}]}", "{query-string: [{value: a}]}", false},
        ReachabilityCase{"QueryEscape", "{query-string: [{value: \"a*\"}]}", "{query-string: [{value: \"a\\\\*\"}]}",
                         false},
        ReachabilityCase{"SameRegex", "{path-pattern: {regex-values: [\"^/a\"]}}",
                         "{path-pattern: {regex-values: [\"^/a\"]}}", true},
        ReachabilityCase{"OtherRegex", "{path-pattern: {regex-values: [\"^/a\"]}}",
                         "{path-pattern: {regex-values: [\"^/ab\"]}}", false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ReachabilityFileTest, APathWithoutASlashIsWarnedOf) {
  EXPECT_NE(FindingsOf(WithRules("          - {priority: 1, conditions: [{path-pattern: [cart]}], actions: [{forward: "
                                 "{target-group: blue}}]}\n"))
                .find("no path matches `cart`"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::config
