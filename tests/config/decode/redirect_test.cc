// Redirects that cannot be followed.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::config {
namespace {

std::string ListenerWith(std::string_view port, std::string_view redirect) {
  return std::string("load-balancers: [{name: a, listeners: [{port: ")
      .append(port)
      .append(", default-actions: [{redirect: {status-code: HTTP_301, ")
      .append(redirect)
      .append("}}]}]}]\n");
}

struct RedirectCase {
  const char* name;
  const char* redirect;
  const char* finding;  // a part of the output; empty: there is none
};
void PrintTo(const RedirectCase& c, std::ostream* out) { *out << c.name; }
class RedirectHostPortTest : public ::testing::TestWithParam<RedirectCase> {};

TEST_P(RedirectHostPortTest, IsReported) {
  const std::string found = FindingsOf(ListenerWith("80", GetParam().redirect));
  const std::string wanted = GetParam().finding;
  if (wanted.empty()) {
    EXPECT_EQ(found, "");
  } else {
    EXPECT_NE(found.find(wanted), std::string::npos) << found;
    EXPECT_EQ(found.find('\n'), found.size() - 1) << "one fault, one finding: " << found;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RedirectHostPortTest,
    ::testing::Values(
        RedirectCase{"HostWithPort", "host: \"example.com:9443\"",
                     "error: `example.com:9443` is no host; the port goes into `port`"},
        RedirectCase{"PlaceholderWithPort", "host: \"#{host}:9443\"", "is no host; the port goes into `port`"},
        RedirectCase{"HostWithScheme", "host: \"https://example.com\"",
                     "error: `https://example.com` is no host; the scheme goes into `protocol`"},
        RedirectCase{"HostWithPath", "host: example.com/x", "is no host; the path goes into `path`"},
        RedirectCase{"HostWithUser", "host: me@example.com", "error: `me@example.com` is no host"},
        RedirectCase{"HostWithSpace", "host: \"exa mple.com\"", "error: `host` holds a character that cannot be sent"},
        RedirectCase{"HostWithQuery", "host: \"example.com?x\"", "is no host; the query goes into `query`"},
        RedirectCase{"HostWithNonAscii", "host: münchen.test", "error: `host` holds a character that cannot be sent"},
        RedirectCase{"Ipv6Host", "host: \"[2001:db8::1]\"", ""},
        RedirectCase{"PlainIpv6Host", "host: \"2001:db8::1\"", "an IPv6 address stands in brackets"},
        RedirectCase{"HostWithPlaceholder", "host: \"www.#{host}\"", ""},
        RedirectCase{"PathWithQuery", "path: \"/x?y=1\"",
                     "warning: a `?` in the path of a redirect ends the path; the query goes into `query`"},
        RedirectCase{"PathWithFragment", "path: \"/x#top\"",
                     "warning: a `#` in the path of a redirect begins a fragment"},
        RedirectCase{"PathWithPlaceholder", "path: \"/x/#{path}\"", ""},
        RedirectCase{"QueryWithFragment", "path: /x, query: \"a=1#top\"",
                     "warning: a `#` in the query of a redirect begins a fragment"},
        RedirectCase{"QueryWithPlaceholder", "path: /x, query: \"from=#{path}&#{query}\"", ""},
        RedirectCase{"QueryWithMark", "path: /x, query: \"a=?\"", ""},
        RedirectCase{"PortWithZeros", "port: \"0443\"", "error: `port` cannot be `0443`; 1 to 65535"},
        RedirectCase{"UnknownProtocol", "protocol: FTP", "`protocol` cannot be `FTP`"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(SecureRedirectTest, WithoutAPortIsWarnedOfUnlessTheListenerHas443) {
  constexpr const char* kWarning = "warning: a redirect to HTTPS at port 80, the port of its listener";
  EXPECT_NE(FindingsOf(ListenerWith("80", "protocol: HTTPS")).find(kWarning), std::string::npos);
  EXPECT_NE(FindingsOf(ListenerWith("80", "protocol: https, host: b.test")).find("add `port: 443`"), std::string::npos);
  EXPECT_EQ(FindingsOf(ListenerWith("443", "protocol: HTTPS")), "");
  EXPECT_EQ(FindingsOf(ListenerWith("80", "protocol: HTTPS, port: 443")), "");
  EXPECT_EQ(FindingsOf(ListenerWith("80", "protocol: HTTPS, port: \"#{port}\"")), "");
  EXPECT_EQ(FindingsOf(ListenerWith("80", "protocol: HTTP, path: /x")), "");
}

TEST(SecureRedirectTest, InARuleIsWarnedOfToo) {
  const std::string found = FindingsOf(
      WithRules("          - {priority: 1, actions: [{redirect: {protocol: HTTPS, status-code: HTTP_302}}]}\n"));
  EXPECT_NE(found.find("t.yaml:6:59: warning: a redirect to HTTPS at port 80"), std::string::npos) << found;
}

}  // namespace
}  // namespace weir::config
