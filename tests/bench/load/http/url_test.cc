#include "bench/load/http/url.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::bench {
namespace {

TEST(UrlTest, TakesSchemeHostPortAndTargetApart) {
  const auto url = ParseUrl("http://Shop.test:8080/a/b?c=d&e#top");
  ASSERT_TRUE(url);
  EXPECT_EQ(
      *url,
      (Url{.tls = false, .host = "Shop.test", .port = 8080, .authority = "Shop.test:8080", .target = "/a/b?c=d&e"}));
}

TEST(UrlTest, PortAndPathHaveDefaults) {
  const auto url = ParseUrl("HTTPS://shop.test");
  ASSERT_TRUE(url);
  EXPECT_EQ(*url, (Url{.tls = true, .host = "shop.test", .port = 443, .authority = "shop.test", .target = "/"}));
  EXPECT_EQ(ParseUrl("http://shop.test?q").value_or(Url{}).target, "/?q");
}

TEST(UrlTest, AWebSocketIsOneOfItsOwn) {
  const auto url = ParseUrl("ws://shop.test:8080/chat?a");
  ASSERT_TRUE(url);
  EXPECT_EQ(
      *url,
      (Url{.websocket = true, .host = "shop.test", .port = 8080, .authority = "shop.test:8080", .target = "/chat?a"}));
  EXPECT_EQ(
      ParseUrl("WSS://shop.test").value_or(Url{}),
      (Url{.tls = true, .websocket = true, .host = "shop.test", .port = 443, .authority = "shop.test", .target = "/"}));
}

TEST(UrlTest, AnAddressLiteralLosesItsBracketsOnlyAsHost) {
  const auto url = ParseUrl("http://[::1]:81/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->authority, "[::1]:81");
  EXPECT_EQ(url->port, 81);
}

TEST(UrlTest, RefusesWhatCannotBeAsked) {
  for (const std::string text :
       {"", "shop.test", "ftp://shop.test/", "http://", "http:///path", "http://a:0/", "http://a:x/", "http://a:65536/",
        "http://user@a/", "http://a/b c", "http://a/\x01", "http://a/\xc3\xa4", "http://[::1", "http://a\r\nb/"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url) << text;
    EXPECT_NE(url.error().message.find("`" + text + "`"), std::string::npos) << url.error().message;
  }
}

TEST(UrlTest, AnAtSignInThePathIsNoUserInformation) { EXPECT_TRUE(ParseUrl("http://shop.test/@me?a@b")); }

}  // namespace
}  // namespace weir::bench
