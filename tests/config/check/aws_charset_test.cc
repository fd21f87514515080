// `--aws`: characters that AWS refuses in the values of conditions; spec: alb.md 4.2.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::config {
namespace {

struct AwsCharsetCase {
  const char* name;
  const char* condition;
  const char* finding;  // a part of the output; empty: nothing that begins with `AWS:`
};
void PrintTo(const AwsCharsetCase& c, std::ostream* out) { *out << c.name; }
class CheckAwsCharsetTest : public ::testing::TestWithParam<AwsCharsetCase> {};

TEST_P(CheckAwsCharsetTest, IsWarnedOf) {
  const std::string found = FindingsOf(WithRules(std::string("          - {priority: 1, conditions: [")
                                                     .append(GetParam().condition)
                                                     .append("], actions: [{forward: {target-group: blue}}]}\n")),
                                       true);
  const std::string wanted = GetParam().finding;
  if (wanted.empty()) {
    EXPECT_EQ(found.find("AWS: host-header"), std::string::npos) << found;
    EXPECT_EQ(found.find("AWS: path-pattern"), std::string::npos) << found;
    EXPECT_EQ(found.find("AWS: http-header"), std::string::npos) << found;
    EXPECT_EQ(found.find("AWS: query-string"), std::string::npos) << found;
  } else {
    EXPECT_NE(found.find(wanted), std::string::npos) << found;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckAwsCharsetTest,
    ::testing::Values(
        AwsCharsetCase{"HostWithoutDot", "{host-header: [localhost]}",
                       "AWS: host-header `localhost`; at least one dot"},
        AwsCharsetCase{"DigitBehindTheLastDot", "{host-header: [ex.c0m]}",
                       "AWS: host-header `ex.c0m`; only letters behind the last dot"},
        AwsCharsetCase{"HostWithSpace", "{host-header: [\"exa mple.com\"]}",
                       "AWS: host-header `exa mple.com`; letters, digits"},
        AwsCharsetCase{"HostWithUmlaut", "{host-header: [münchen.de]}",
                       "AWS: host-header `münchen.de`; letters, digits"},
        AwsCharsetCase{"HostWithPort", "{host-header: [\"example.com:8443\"]}", "AWS: host-header `example.com:8443`"},
        AwsCharsetCase{"Hosts", "{host-header: [\"*.example.com\", my_shop-?.example.COM]}", ""},
        AwsCharsetCase{"PathWithSpace", "{path-pattern: [\"/a b/*\"]}", "AWS: path-pattern `/a b/*`; letters, digits"},
        AwsCharsetCase{"PathWithPercent", "{path-pattern: [\"/p%20q/*\"]}", "AWS: path-pattern `/p%20q/*`"},
        AwsCharsetCase{"PathWithFragment", "{path-pattern: [\"/x#y\"]}", "AWS: path-pattern `/x#y`"},
        AwsCharsetCase{"PathWithUmlaut", "{path-pattern: [\"/über/*\"]}", "AWS: path-pattern `/über/*`"},
        AwsCharsetCase{"Paths", "{path-pattern: [\"/a_-.$/~'@:+&*?\", \"/\\\"\"]}", ""},
        AwsCharsetCase{"HeaderWithBackslash", "{http-header: {name: X-A, values: ['a\\b']}}",
                       "AWS: http-header value `a\\b`"},
        AwsCharsetCase{"Header", "{http-header: {name: X-A, values: [\"a !#$%&'()+,./:;<=>@[]^_`{|}~-*?\"]}}", ""},
        AwsCharsetCase{"QueryWithPercent", "{query-string: [{key: \"a%\", value: b}]}", "AWS: query-string key `a%`"},
        AwsCharsetCase{"QueryValueWithBrace", "{query-string: [{value: \"{b}\"}]}", "AWS: query-string value `{b}`"},
        AwsCharsetCase{"Query", "{query-string: [{key: a.b, value: \"x-\\\\*$()!,;=\"}]}", ""}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace weir::config
