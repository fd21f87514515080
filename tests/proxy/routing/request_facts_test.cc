#include "proxy/routing/request_facts.h"

#include "http/target.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weir::proxy {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

http::RequestHead Head(std::string_view target, std::string_view host) {
  http::RequestHead head;
  head.method = "GET";
  head.target = target;
  head.authority = http::ParseHostPort(host).value_or(http::HostPort());
  head.fields = {{.name = "Host", .value = host}};
  EXPECT_TRUE(http::TakeTargetApart(head));
  return head;
}

TEST(RequestFactsTest, HostIsWithoutItsPort) {
  std::string scratch;
  const auto named = Head("/", "Shop.example.test:8080");
  EXPECT_EQ(MakeFacts(named, {}, scratch).host, "Shop.example.test");
  const auto literal = Head("/", "[2001:db8::1]:80");
  EXPECT_EQ(MakeFacts(literal, {}, scratch).host, "[2001:db8::1]");
}

TEST(RequestFactsTest, TheAbsoluteFormReplacesTheHostField) {
  std::string scratch;
  const auto head = Head("http://other.test:81/p?q", "shop.example.test");
  const auto facts = MakeFacts(head, {}, scratch);
  EXPECT_EQ(facts.host, "other.test");
  EXPECT_EQ(facts.path, "/p");
  EXPECT_EQ(facts.query, "q");
}

TEST(RequestFactsTest, ThePathIsNormalisedAndTheQueryIsNot) {
  std::string scratch = "left over";
  const auto head = Head("/a/./b/../%63?x=%41", "h.test");
  const auto facts = MakeFacts(head, {}, scratch);
  EXPECT_EQ(facts.path, "/a/c");
  EXPECT_EQ(facts.query, "x=%41");
}

TEST(RequestFactsTest, AUrlBecomesTheRequestThatAClientWouldSend) {
  const auto client = IpAddress::Parse("10.0.0.1").value();
  auto made = MakeFactsFromUrl("GET", "http://Shop.example.test:8080/a/../cart/1?b=2#top", {{"X-Beta", "yes"}}, client);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  const UrlRequest request = std::move(*made);
  const auto facts = request.facts();
  EXPECT_EQ(facts.method, "GET");
  EXPECT_EQ(facts.host, "Shop.example.test");
  EXPECT_EQ(facts.path, "/cart/1");
  EXPECT_EQ(facts.query, "b=2");
  EXPECT_EQ(facts.client, client);
  EXPECT_EQ(request.port(), 8080);
  EXPECT_EQ(request.target_parts().path, "/a/../cart/1");
  ASSERT_EQ(facts.fields->size(), 2U);
  EXPECT_EQ(facts.fields->at(0).name, "Host");
  EXPECT_EQ(facts.fields->at(0).value, "Shop.example.test:8080");
  EXPECT_EQ(facts.fields->at(1).value, "yes");
}

TEST(RequestFactsTest, AHostHeaderReplacesTheHostOfTheUrl) {
  const auto request = MakeFactsFromUrl("GET", "http://127.0.0.1:8080/", {{"host", "shop.example.test:1"}}, {});
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->facts().host, "shop.example.test");
  EXPECT_EQ(request->url_host(), "127.0.0.1");
  EXPECT_EQ(request->facts().fields->size(), 1U);
}

TEST(RequestFactsTest, PortsFollowTheScheme) {
  EXPECT_EQ(MakeFactsFromUrl("GET", "http://h.test", {}, {})->port(), 80);
  EXPECT_EQ(MakeFactsFromUrl("GET", "HTTPS://h.test?q", {}, {})->port(), 443);
  EXPECT_EQ(MakeFactsFromUrl("GET", "http://h.test?q=1", {}, {})->facts().path, "/");
  EXPECT_EQ(MakeFactsFromUrl("GET", "http://h.test?q=1", {}, {})->facts().query, "q=1");
}

struct RefusedRow {
  const char* name;
  const char* method;
  const char* url;
  Headers headers;
  const char* message;
};

TEST(RequestFactsTest, WhatIsNoRequestIsRefusedWithASentence) {
  const std::vector<RefusedRow> rows = {
      {"method", "G T", "http://h.test/", {}, "\"G T\" is not a method"},
      {"no scheme", "GET", "/cart", {}, "\"/cart\" is not a URL"},
      {"other scheme", "GET", "ftp://h.test/", {}, "the scheme \"ftp\" is not known"},
      {"no host", "GET", "http:///cart", {}, "\"\" is not a host, or its port is none"},
      {"bad port", "GET", "http://h.test:99999/", {}, "\"h.test:99999\" is not a host, or its port is none"},
      {"space",
       "GET",
       "http://h.test/a b",
       {},
       "\"http://h.test/a b\" is not a URL: it holds a space, a control or a non-ASCII character"},
      {"header name", "GET", "http://h.test/", {{"X Beta", "1"}}, "\"X Beta\" is not a header name"},
      {"header value", "GET", "http://h.test/", {{"X", "a\nb"}}, "the value of the header X holds a control character"},
      {"host header", "GET", "http://h.test/", {{"Host", "a b"}}, "\"a b\" is not a value for the Host header"},
  };
  for (const auto& row : rows) {
    const auto request = MakeFactsFromUrl(row.method, row.url, row.headers, {});
    ASSERT_FALSE(request.has_value()) << row.name;
    EXPECT_EQ(request.error().message, row.message) << row.name;
  }
}

}  // namespace
}  // namespace weir::proxy
