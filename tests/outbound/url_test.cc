#include "outbound/http_client.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::outbound {
namespace {

TEST(UrlTest, TakesSchemeHostPortAndTargetApart) {
  const auto url = ParseUrl("https://Id.example.test:8443/realms/a/certs?x=y&z");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "Id.example.test");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/realms/a/certs?x=y&z");
  EXPECT_EQ(HostOf(*url), "Id.example.test:8443");
}

TEST(UrlTest, PortAndPathHaveDefaults) {
  const auto url = ParseUrl("HTTPS://id.test");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->target, "/");
  EXPECT_EQ(HostOf(*url), "id.test");
  EXPECT_EQ(ParseUrl("http://id.test").value_or(Url{}).port, 80);
  EXPECT_EQ(ParseUrl("http://id.test?q").value_or(Url{}).target, "/?q");
  EXPECT_EQ(HostOf(ParseUrl("http://id.test:443/").value_or(Url{})), "id.test:443");
}

TEST(UrlTest, AnAddressLiteralLosesItsBracketsOnlyAsHost) {
  const auto url = ParseUrl("http://[::1]:81/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 81);
  EXPECT_EQ(HostOf(*url), "[::1]:81");
}

TEST(UrlTest, AnAtSignInThePathIsNoUserInformation) { EXPECT_TRUE(ParseUrl("http://id.test/@me?a@b")); }

TEST(UrlTest, RefusesWhatCannotBeAsked) {
  for (const std::string text : {"",
                                 "id.test",
                                 "/jwks",
                                 "ftp://id.test/",
                                 "ws://id.test/",
                                 "http://",
                                 "https://",
                                 "https:///path",
                                 "http://a:0/",
                                 "http://a:x/",
                                 "http://a:65536/",
                                 "http://user@a/",
                                 "https://user:secret@a?b",
                                 "http://a/b c",
                                 "http://a/\x01",
                                 "http://a/\xc3\xa4",
                                 "http://[::1",
                                 "http://a\r\nb/",
                                 "https://a/b#c",
                                 "https:/a",
                                 "https://:443/"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url) << text;
    EXPECT_NE(url.error().message.find("`" + text + "`"), std::string::npos) << url.error().message;
  }
}

}  // namespace
}  // namespace weir::outbound
