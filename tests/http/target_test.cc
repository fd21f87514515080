#include "http/target.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::http {
namespace {

TEST(TargetTest, OriginFormSplitsAtTheFirstQuestionMark) {  // RFC 9112 section 3.2.1
  const auto target = ParseTarget("GET", "/where?q=now?&x");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->form, TargetForm::kOrigin);
  EXPECT_EQ(target->path, "/where");
  EXPECT_TRUE(target->has_query);
  EXPECT_EQ(target->query, "q=now?&x");
}

TEST(TargetTest, FragmentEndsPathAndQuery) {  // spec: alb.md 4.2
  EXPECT_EQ(ParseTarget("GET", "/a#b")->path, "/a");
  EXPECT_EQ(ParseTarget("GET", "/a?q#b")->query, "q");
  EXPECT_FALSE(ParseTarget("GET", "/a#b?c")->has_query);
}

TEST(TargetTest, AnEmptyQueryIsAQuery) {
  EXPECT_TRUE(ParseTarget("GET", "/a?")->has_query);
  EXPECT_FALSE(ParseTarget("GET", "/a")->has_query);
}

TEST(TargetTest, AbsoluteFormHasAuthorityAndAPath) {  // RFC 9112 section 3.2.2
  const auto target = ParseTarget("GET", "http://www.example.org:81/pub/WWW?x");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->form, TargetForm::kAbsolute);
  EXPECT_EQ(target->scheme, "http");
  EXPECT_EQ(target->authority, "www.example.org:81");
  EXPECT_EQ(target->path, "/pub/WWW");
  EXPECT_EQ(target->query, "x");
  EXPECT_EQ(ParseTarget("OPTIONS", "HTTPS://a")->path, "/");
  EXPECT_EQ(ParseTarget("GET", "http://a?b")->query, "b");
  EXPECT_EQ(ParseTarget("GET", "http://a?b")->path, "/");
}

TEST(TargetTest, AuthorityFormIsForConnectOnly) {  // RFC 9112 section 3.2.3
  EXPECT_EQ(ParseTarget("CONNECT", "www.example.com:80")->form, TargetForm::kAuthority);
  EXPECT_FALSE(ParseTarget("CONNECT", "www.example.com"));
  EXPECT_FALSE(ParseTarget("CONNECT", "/"));
  EXPECT_FALSE(ParseTarget("GET", "www.example.com:80"));
}

TEST(TargetTest, AsteriskFormIsForOptionsOnly) {  // RFC 9112 section 3.2.4
  EXPECT_EQ(ParseTarget("OPTIONS", "*")->form, TargetForm::kAsterisk);
  EXPECT_EQ(ParseTarget("OPTIONS", "*")->path, "*");
  EXPECT_FALSE(ParseTarget("GET", "*"));
}

TEST(TargetTest, OtherTextsAreNoTargets) {
  for (const std::string_view text : {"", "a", "!", "?a", "#", "http:", "http:/", "http://", "http:///a", "ftp://a/",
                                      "://a", "http://u@a/", "http://a b/", "http://[::1/", "http://a:x/"}) {
    EXPECT_FALSE(ParseTarget("GET", text)) << text;
  }
}

struct HostRow {
  std::string_view name;
  std::string_view text;
  std::string_view host;
  int port = -1;
};
class HostPortTable : public ::testing::TestWithParam<HostRow> {};
TEST_P(HostPortTable, IsTakenApart) {
  const auto parsed = ParseHostPort(GetParam().text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->host, GetParam().host);
  EXPECT_EQ(parsed->port ? int{*parsed->port} : -1, GetParam().port);
}
// RFC 3986 section 3.2.2 and 3.2.3.
INSTANTIATE_TEST_SUITE_P(
    Hosts, HostPortTable,
    ::testing::Values(HostRow{"Name", "example.com", "example.com"},
                      HostRow{"Port", "example.com:80", "example.com", 80}, HostRow{"PortMax", "a:65535", "a", 65535},
                      HostRow{"PortEmpty", "a:", "a"}, HostRow{"Ipv4", "127.0.0.1:8080", "127.0.0.1", 8080},
                      HostRow{"Ipv6", "[::1]", "[::1]"}, HostRow{"Ipv6Port", "[2001:db8::1]:443", "[2001:db8::1]", 443},
                      HostRow{"Underscore", "a_b.c", "a_b.c"}, HostRow{"Escape", "a%2Db", "a%2Db"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(HostPortTest, MalformedTextsAreAbsent) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv,           ":"sv,       ":80"sv,      "a:65536"sv, "a:x"sv, "a:-1"sv,      "a:+1"sv,   "a: 1"sv,
        "a:000080"sv,   "a:80:80"sv, "u@a"sv,      "a/b"sv,     "a b"sv, "a?b"sv,       "a#b"sv,    "a\\b"sv,
        "a%"sv,         "a%2"sv,     "a%zz"sv,     "[::1"sv,    "[]"sv,  "[1.2.3.4]"sv, "[::1]x"sv, "[::1]80"sv,
        "[::1%25lo]"sv, "::1"sv,     "\xc3\xa9"sv, "a\0b"sv,    "<a>"sv}) {
    EXPECT_FALSE(ParseHostPort(text)) << text;
  }
}

struct PathRow {
  std::string_view name;
  std::string_view path;
  std::string_view normal;
};
class NormalizePathTable : public ::testing::TestWithParam<PathRow> {};
TEST_P(NormalizePathTable, GivesTheFormThatRulesSee) {
  std::string out = "kept:";
  const bool changed = NormalizePath(GetParam().path, out);
  EXPECT_EQ(changed, GetParam().path != GetParam().normal);
  EXPECT_EQ(out, changed ? std::string("kept:").append(GetParam().normal) : "kept:");
  std::string again;
  EXPECT_FALSE(NormalizePath(GetParam().normal, again)) << "a normal path stays as it is";
}
// RFC 3986 sections 5.2.4 and 6.2.2.
INSTANTIATE_TEST_SUITE_P(
    Paths, NormalizePathTable,
    ::testing::Values(
        PathRow{"Root", "/", "/"}, PathRow{"Plain", "/a/b.c/..d/e..", "/a/b.c/..d/e.."},
        PathRow{"RfcExample", "/a/b/c/./../../g", "/a/g"}, PathRow{"Dot", "/.", "/"}, PathRow{"DotDot", "/..", "/"},
        PathRow{"DotSlash", "/./", "/"}, PathRow{"TrailingDot", "/a/.", "/a/"},
        PathRow{"TrailingDotDot", "/a/b/..", "/a/"}, PathRow{"ToRoot", "/a/..", "/"},
        PathRow{"AboveRoot", "/../../../etc/passwd", "/etc/passwd"}, PathRow{"AboveRootLater", "/a/../../b", "/b"},
        PathRow{"EscapedDots", "/a/%2e%2E/b", "/b"}, PathRow{"HalfEscapedDots", "/a/.%2e/b", "/b"},
        PathRow{"HalfEscapedDotsTurned", "/a/%2e./b", "/b"}, PathRow{"EscapedDot", "/%2e/a", "/a"},
        PathRow{"TrailingEscapedDots", "/a/%2e%2e", "/"}, PathRow{"ThreeDots", "/a/.../b", "/a/.../b"},
        PathRow{"EmptySegments", "//a//b", "//a//b"}, PathRow{"DotDotOverEmptySegment", "/a//../b", "/a/b"},
        PathRow{"DotDotOverLeadingEmpty", "//..", "/"}, PathRow{"Unreserved", "/%61%2D%5f%7E%30", "/a-_~0"},
        PathRow{"ReservedDigits", "/%2f%3a%c3%a9", "/%2F%3A%C3%A9"},
        PathRow{"EscapedSlashStays", "/a%2F..%2Fb", "/a%2F..%2Fb"},
        PathRow{"DoubleEscape", "/%252e%252e/", "/%252e%252e/"}, PathRow{"Nul", "/%00", "/%00"},
        PathRow{"BrokenEscape", "/%zz/%/%4", "/%zz/%/%4"}, PathRow{"BrokenEscapeBeforeDots", "/a%/../b", "/b"},
        PathRow{"Asterisk", "*", "*"}, PathRow{"Empty", "", ""}, PathRow{"Backslash", "/a\\..\\b", "/a\\..\\b"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(NormalizePathTest, EscapesAreDecodedOnce) {
  std::string out;
  EXPECT_TRUE(NormalizePath("/%%34%31", out));
  EXPECT_EQ(out, "/%41");
}

TEST(NormalizePathTest, LongPathsTakeLinearTime) {
  std::string path;
  for (int i = 0; i < 200'000; ++i) path += "/a";
  for (int i = 0; i < 200'000; ++i) path += "/%2e.";
  std::string out;
  EXPECT_TRUE(NormalizePath(path, out));
  EXPECT_EQ(out, "/");
}

}  // namespace
}  // namespace weir::http
