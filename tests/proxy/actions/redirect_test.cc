#include "proxy/actions/redirect.h"

#include "http/target.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::proxy {
namespace {

struct RedirectRow {
  const char* name;
  config::RedirectAction redirect;
  RequestTargetParts parts;
  const char* location;
};

const RequestTargetParts kShop{
    .scheme = "http", .host = "shop.example.test", .port = 80, .path = "/old/cart", .query = "a=1&b=%20"};

TEST(RedirectTest, KeywordsFollowSection52) {
  const std::vector<RedirectRow> rows = {
      {"HTTP to HTTPS, as the console writes it",
       {.protocol = "HTTPS", .port = "443"},
       kShop,
       "https://shop.example.test:443/old/cart?a=1&b=%20"},
      {"defaults keep everything", {}, kShop, "http://shop.example.test:80/old/cart?a=1&b=%20"},
      {"path without its leading slash",
       {.path = "/new/#{path}"},
       kShop,
       "http://shop.example.test:80/new/old/cart?a=1&b=%20"},
      {"another host", {.host = "www.#{host}"}, kShop, "http://www.shop.example.test:80/old/cart?a=1&b=%20"},
      {"host and port in the path",
       {.path = "/#{host}/#{port}/#{path}", .query = ""},
       kShop,
       "http://shop.example.test:80/shop.example.test/80/old/cart"},
      {"every keyword in the query",
       {.path = "/x", .query = "p=#{protocol}&h=#{host}&o=#{port}&u=#{path}&q=#{query}"},
       kShop,
       "http://shop.example.test:80/x?p=http&h=shop.example.test&o=80&u=old/cart&q=a=1&b=%20"},
      {"an empty query has no mark",
       {.path = "/x"},
       {.scheme = "http", .host = "h.test", .port = 8080, .path = "/", .query = ""},
       "http://h.test:8080/x"},
      {"a fixed query", {.path = "/x", .query = "a=b"}, kShop, "http://shop.example.test:80/x?a=b"},
      {"the root path", {.path = "/new/#{path}", .query = ""}, {.host = "h.test", .port = 1}, "http://h.test:1/new/"},
      {"IPv6 without brackets", {.query = ""}, {.host = "2001:db8::1", .port = 1}, "http://[2001:db8::1]:1/"},
      {"IPv6 with brackets", {.query = ""}, {.host = "[2001:db8::1]", .port = 1}, "http://[2001:db8::1]:1/"},
      {"keywords where AWS does not allow them stay",
       {.path = "/#{query}#{protocol}", .query = ""},
       kShop,
       "http://shop.example.test:80/#{query}#{protocol}"},
      {"unknown keywords stay", {.path = "/#{what}", .query = ""}, kShop, "http://shop.example.test:80/#{what}"},
      {"values are not expanded again",
       {.path = "/#{path}", .query = "#{query}"},
       {.host = "h.test", .port = 1, .path = "/#{host}", .query = "#{path}"},
       "http://h.test:1/#{host}?#{path}"},
      {"wildcards are characters", {.path = "/*?", .query = ""}, kShop, "http://shop.example.test:80/*?"},
      {"no way to end the field line",
       {.query = "#{query}"},
       {.host = "h.test", .port = 1, .path = "/a\r\nSet-Cookie: x", .query = "b c\n\x7f\xc3\xa9"},
       "http://h.test:1/a%0D%0ASet-Cookie:%20x?b%20c%0A%7F%C3%A9"},
  };
  for (const auto& row : rows) {
    const auto location = BuildLocation(row.redirect, row.parts);
    ASSERT_TRUE(location.has_value()) << row.name;
    EXPECT_EQ(*location, row.location) << row.name;
  }
}

TEST(RedirectTest, EightKibibytesIsTheLongestLocation) {
  const std::string before = "http://h.test:1/";
  const std::string fits(kLocationBytesMax - before.size(), 'a');
  const auto parts_of = [](const std::string& path) {
    return RequestTargetParts{.host = "h.test", .port = 1, .path = path};
  };
  const auto longest = "/" + fits;
  ASSERT_TRUE(BuildLocation({}, parts_of(longest)).has_value());
  EXPECT_EQ(BuildLocation({}, parts_of(longest))->size(), kLocationBytesMax);
  const auto longer = longest + "a";
  EXPECT_FALSE(BuildLocation({}, parts_of(longer)).has_value());
  // An escape that only half fits is too long as well.
  const auto escaped = longest.substr(0, longest.size() - 2) + " ";
  EXPECT_FALSE(BuildLocation({}, parts_of(escaped)).has_value());
}

TEST(RedirectTest, AKeywordThatGrowsWithEachUseStaysBounded) {
  const std::string path = "/" + std::string(15'000, 'p');
  const config::RedirectAction redirect{.query = "#{path}#{path}#{path}#{path}#{path}#{path}#{path}#{path}"};
  EXPECT_FALSE(BuildLocation(redirect, {.host = "h.test", .port = 1, .path = path}).has_value());
}

http::RequestHead Head(std::string_view method, std::string_view target, std::string_view host) {
  http::RequestHead head;
  head.method = method;
  head.target = target;
  head.authority = http::ParseHostPort(host).value_or(http::HostPort());
  EXPECT_TRUE(http::TakeTargetApart(head));
  return head;
}

TEST(RedirectTest, PartsComeFromTheTargetAndTheHostField) {
  const auto origin = Head("GET", "/a/../b?c=d", "shop.example.test:8080");
  const auto parts = MakeTargetParts(origin, "http", 80, "192.0.2.1");
  EXPECT_EQ(parts.host, "shop.example.test");
  EXPECT_EQ(parts.path, "/a/../b");
  EXPECT_EQ(parts.query, "c=d");
  EXPECT_EQ(parts.port, 80);

  const auto absolute = Head("GET", "http://other.test:1/x", "shop.example.test");
  EXPECT_EQ(MakeTargetParts(absolute, "http", 80, "").host, "other.test");

  const auto nameless = Head("GET", "/", "");
  EXPECT_EQ(MakeTargetParts(nameless, "http", 80, "192.0.2.1").host, "192.0.2.1");
}

}  // namespace
}  // namespace weir::proxy
