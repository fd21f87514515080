// Patterns that nothing can match are warned of, with what they are compared with.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::config {
namespace {

std::string RuleWith(std::string_view condition) {
  return WithRules(std::string("          - {priority: 1, conditions: [")
                       .append(condition)
                       .append("], actions: [{forward: {target-group: blue}}]}\n"));
}

struct ValueChecksCase {
  const char* name;
  const char* condition;
  const char* finding;  // a part of the warning; empty: there is none
};
void PrintTo(const ValueChecksCase& c, std::ostream* out) { *out << c.name; }
class CheckDeadPatternsTest : public ::testing::TestWithParam<ValueChecksCase> {};

TEST_P(CheckDeadPatternsTest, IsWarnedOfExactlyWhenNothingCanMatch) {
  const std::string found = FindingsOf(RuleWith(GetParam().condition));
  const std::string wanted = GetParam().finding;
  if (wanted.empty()) {
    EXPECT_EQ(found, "");
  } else {
    EXPECT_NE(found.find("warning: no "), std::string::npos) << found;
    EXPECT_NE(found.find(wanted), std::string::npos) << found;
    EXPECT_TRUE(LoadFor(RuleWith(GetParam().condition)).model) << "a warning does not stop the file";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Paths, CheckDeadPatternsTest,
    ::testing::Values(
        ValueChecksCase{"WithoutSlash", "{path-pattern: [cart]}", "no path matches `cart`; paths start with /"},
        ValueChecksCase{"Fragment", "{path-pattern: [\"/x#y\"]}",
                        "no path matches `/x#y`; it is compared with the path alone"},
        ValueChecksCase{"DotDot", "{path-pattern: [/a/../b]}", "after its segments `.` and `..` are resolved"},
        ValueChecksCase{"Dot", "{path-pattern: [\"/a/./*\"]}", "after its segments `.` and `..` are resolved"},
        ValueChecksCase{"DotDotAtTheEnd", "{path-pattern: [/a/..]}", "after its segments"},
        ValueChecksCase{"EncodedDots", "{path-pattern: [/a/%2e%2E/b]}", "after its segments"},
        ValueChecksCase{"DotsAndAWildcard", "{path-pattern: [\"/a/.*\", \"/a/..?\", \"/...\", \"/.well-known/*\"]}",
                        ""},
        ValueChecksCase{"NonAscii", "{path-pattern: [\"/über/*\"]}",
                        "compared with the path as it is sent: write `/%C3%BCber/*`"},
        ValueChecksCase{"Space", "{path-pattern: [\"/a b\"]}", "write `/a%20b`"},
        ValueChecksCase{"Encodings", "{path-pattern: [\"/x%2fy\", \"/%61bc\", \"/100%\"]}", ""},
        ValueChecksCase{"AnyStart", "{path-pattern: [\"*\", \"*.php\", \"?x\"]}", ""},
        ValueChecksCase{"RegexNonAscii", "{path-pattern: {regex-values: [\"^/über\"]}}", "no path matches `^/über`"},
        ValueChecksCase{"RegexSpace", "{path-pattern: {regex-values: ['^/a b$']}}",
                        "ASCII without spaces: percent-encode them"},
        ValueChecksCase{"RegexFragment", "{path-pattern: {regex-values: ['^/a#b$']}}",
                        "no path matches `^/a#b$`; it is compared"},
        ValueChecksCase{"RegexLowerCaseEncoding", "{path-pattern: {regex-values: ['^/x%2fy$']}}",
                        "no path matches `^/x%2fy$`; it is compared with percent-encodings in their normal form"},
        ValueChecksCase{"RegexEncodedLetter", "{path-pattern: {regex-values: ['^/%61bc']}}", "in their normal form"},
        ValueChecksCase{"RegexNormalEncodings", "{path-pattern: {regex-values: ['^/x%2Fy$', '^/100%$', '%2561']}}", ""},
        ValueChecksCase{
            "RegexThatMayMatchOtherwise",
            "{path-pattern: {regex-values: ['^/x(%2f|%2F)y', '^/[%2f]', '(?i)^/x%2fy', '^/a#?b', '^/(#x){0,1}']}}", ""},
        ValueChecksCase{"RegexWithAlternatives", "{path-pattern: {regex-values: [\"^/(über|uber)\"]}}", ""}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Hosts, CheckDeadPatternsTest,
    ::testing::Values(
        ValueChecksCase{"Port", "{host-header: [\"example.com:8443\"]}", "compared with the host without its port"},
        ValueChecksCase{"AnyHostWithAPort", "{host-header: [\"*:8443\"]}", "compared with the host without its port"},
        ValueChecksCase{"AnyPort", "{host-header: [\"example.com:*\"]}", "compared with the host without its port"},
        ValueChecksCase{"PortBehindBrackets", "{host-header: [\"[::1]:80\"]}",
                        "compared with the host without its port"},
        ValueChecksCase{"Ipv6", "{host-header: [\"[::1]\", \"[2001:db8:*\", \"*:1]\", \"*:*\"]}", ""},
        ValueChecksCase{"Scheme", "{host-header: [\"https://example.com\"]}",
                        "compared with the host alone, without scheme"},
        ValueChecksCase{"Path", "{host-header: [example.com/x]}", "compared with the host alone, without scheme"},
        ValueChecksCase{"NonAscii", "{host-header: [münchen.test]}", "write the xn-- form"},
        ValueChecksCase{"Wildcards", "{host-header: [\"*.example.com\", \"shop-?.example.com\", localhost]}", ""},
        ValueChecksCase{"RegexPort", "{host-header: {regex-values: ['^example\\.com:8443$']}}", "without its port"},
        ValueChecksCase{"RegexAnyPort", "{host-header: {regex-values: ['^(a|b)\\.test:\\d+$']}}", "without its port"},
        ValueChecksCase{"RegexPortClass", "{host-header: {regex-values: ['example:[0-9]+$']}}", "without its port"},
        ValueChecksCase{"RegexPortMaybe", "{host-header: {regex-values: ['^a\\.test(:8443)?$']}}", ""},
        ValueChecksCase{"RegexPortInOneAlternative", "{host-header: {regex-values: ['^a\\.test$|^b\\.test:8443$']}}",
                        ""},
        ValueChecksCase{"RegexPortToTheEndOfText", "{host-header: {regex-values: ['^example\\.com:8443\\z']}}",
                        "without its port"},
        ValueChecksCase{"RegexPortOfFourDigits", "{host-header: {regex-values: ['^a.test:[0-9]{4}$']}}",
                        "without its port"},
        ValueChecksCase{"RegexPortOfSomeDigits", "{host-header: {regex-values: ['^a.test:\\d{2,5}$']}}",
                        "without its port"},
        ValueChecksCase{"RegexPortOfManyDigits", "{host-header: {regex-values: ['^a.test:\\d{2,}$']}}",
                        "without its port"},
        ValueChecksCase{"RegexPortInAGroup", "{host-header: {regex-values: ['(^a\\.test:80$)']}}", "without its port"},
        ValueChecksCase{"RegexPortInItsOwnGroup", "{host-header: {regex-values: ['^(a|b)\\.test(:80)$']}}",
                        "without its port"},
        ValueChecksCase{"RegexPortBehindAClass", "{host-header: {regex-values: ['^[)|(]a:80$']}}", "without its port"},
        ValueChecksCase{"RegexPortInOneAlternativeOfAGroup",
                        "{host-header: {regex-values: ['(^a\\.test$|^b\\.test:80$)']}}", ""},
        ValueChecksCase{"RegexPortAsEscapedText",
                        "{host-header: {regex-values: ['^a:80\\$', '^a:80\\)$', '^a:\\\\d$']}}", ""},
        ValueChecksCase{"RegexIpv6", "{host-header: {regex-values: ['^\\[::1\\]$', ':1\\]$', ':[0-9]']}}", ""},
        ValueChecksCase{"RegexScheme", "{host-header: {regex-values: ['^https://a\\.test$']}}",
                        "without scheme, port and path"},
        ValueChecksCase{"RegexPlain", "{host-header: {regex-values: ['^shop[0-9]+$']}}", ""}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Others, CheckDeadPatternsTest,
    ::testing::Values(
        ValueChecksCase{"HeaderNonAscii", "{http-header: {name: X-A, values: [\"ü\"]}}",
                        "only visible ASCII and spaces"},
        ValueChecksCase{"HeaderHostMayHaveAPort", "{http-header: {name: Host, values: [\"a.test:8443\"]}}", ""},
        ValueChecksCase{"QuerySpace", "{query-string: [{key: q, value: \"a b\"}]}", "write `a%20b`"},
        ValueChecksCase{"QueryTwoParameters", "{query-string: [{value: \"a=1&b=2\"}]}", "one parameter of the query"},
        ValueChecksCase{"QueryKeyWithValue", "{query-string: [{key: \"a=1\", value: \"*\"}]}",
                        "one parameter of the query"},
        ValueChecksCase{"QueryValueWithEquals", "{query-string: [{key: a, value: \"x=1\"}, {value: \"b%2fc\"}]}", ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(CheckDeadPatternsFileTest, RulesThatDifferInTheirEncodingCoverEachOther) {
  const auto rules = [](const char* first, const char* second) {
    return WithRules(std::string("          - {priority: 1, conditions: [{path-pattern: [\"") + first +
                     "\"]}], actions: [{forward: {target-group: blue}}]}\n" +
                     "          - {priority: 2, conditions: [{path-pattern: [\"" + second +
                     "\"]}], actions: [{forward: {target-group: blue}}]}\n");
  };
  EXPECT_NE(FindingsOf(rules("/x%2Fy", "/x%2fy")).find("the rule with priority 2 can never match"), std::string::npos);
  EXPECT_NE(FindingsOf(rules("/abc", "/%61bc")).find("the rule with priority 2 can never match"), std::string::npos);
  // `%6?bc` is compared with what an encoding of a letter never is.
  EXPECT_EQ(FindingsOf(rules("/%6?bc", "/%61bc")), "");
}

}  // namespace
}  // namespace weir::config
