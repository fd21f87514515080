// spec: alb.md 9.

#include "proxy/balancing/sticky_cookie.h"

#include "net/key_secret.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {
namespace {

using Purpose = CookiePurpose;

net::CookieKeySet Keys(std::uint8_t byte = 1) {
  net::KeySecret secret{};
  secret.fill(byte);
  return {net::CookieKey::From(secret)};
}

const StickySession kSession{.group = StickyGroupId("blue"),
                             .target = Endpoint::Parse("192.0.2.7:8080").value(),
                             .position = 1'999,
                             .expires = std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000))};

std::string Text(const StickyCookieCodec::Value& value) { return {value.data(), value.size()}; }

TEST(StickyCookieCodecTest, GivesBackEverySession) {
  StickyCookieCodec codec(Keys());
  std::vector<StickySession> sessions(4, kSession);
  sessions[1].target = Endpoint::Parse("[2001:db8::ffff:1]:65535").value();
  sessions[1].position = StickySession::kPositionMax;
  sessions[2].target = {};
  sessions[2].position = 0;
  sessions[3].target = Endpoint::Parse("[::ffff:192.0.2.7]:1").value();
  sessions[3].expires = {};
  for (const StickySession& session : sessions) {
    for (const Purpose purpose : {Purpose::kTarget, Purpose::kApplication, Purpose::kGroup}) {
      EXPECT_EQ(codec.Decode(purpose, Text(codec.Encode(purpose, session))), session);
    }
  }
}

TEST(StickyCookieCodecTest, OneKindOfCookieIsNoOther) {
  StickyCookieCodec codec(Keys());
  for (const Purpose made : {Purpose::kTarget, Purpose::kApplication, Purpose::kGroup}) {
    const std::string value = Text(codec.Encode(made, kSession));
    for (const Purpose read : {Purpose::kTarget, Purpose::kApplication, Purpose::kGroup}) {
      EXPECT_EQ(codec.Decode(read, value).has_value(), made == read);
    }
  }
}

TEST(StickyCookieCodecTest, AValueIsOneTokenOfACookie) {
  StickyCookieCodec codec(Keys());
  for (int i = 0; i < 50; ++i) {
    const std::string value = Text(codec.Encode(Purpose::kTarget, kSession));
    EXPECT_EQ(value.size(), 104U);
    EXPECT_EQ(value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
              std::string::npos);
  }
}

TEST(StickyCookieCodecTest, NothingElseIsRead) {
  StickyCookieCodec codec(Keys());
  const std::string good = Text(codec.Encode(Purpose::kTarget, kSession));
  std::vector<std::string> hostile = {"",
                                      "a",
                                      std::string(104, 'A'),
                                      std::string(104, '='),
                                      std::string(104, '\xff'),
                                      std::string(64 * 1024, 'A'),
                                      good + "=",
                                      good + good,
                                      good.substr(1),
                                      good.substr(0, 103),
                                      "\"" + good + "\""};
  std::string encoded;  // as a client that encodes for URLs returns it
  for (const char c : good) encoded += c == '+' ? "%2B" : c == '/' ? "%2F" : std::string(1, c);
  if (encoded != good) hostile.push_back(encoded);
  for (const std::string& value : hostile) EXPECT_FALSE(codec.Decode(Purpose::kTarget, value)) << value.substr(0, 120);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = good[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(codec.Decode(Purpose::kTarget, changed)) << i;
    changed[i] = '%';
    EXPECT_FALSE(codec.Decode(Purpose::kTarget, changed)) << i;
  }
}

// Made by another program from the description in docs/decisions.md: versions of weir that share a key agree on this.
TEST(StickyCookieCodecTest, AValueThatWasMadeElsewhereIsRead) {
  StickyCookieCodec codec(Keys());
  EXPECT_EQ(codec.Decode(Purpose::kTarget,
                         "P50RQUJDREVGR0hJSktMTU5PUFFSU1RVVldYDrWf9rTXXcspdlW7WQd9lAeg9A7RV4bHS7Q0v9Ez1RMONdOssVPDUVTg"
                         "LCahF9FFvn0w"),
            kSession);
}

TEST(StickyCookieCodecTest, AnotherKeyIsRefused) {
  StickyCookieCodec codec(Keys(1));
  StickyCookieCodec other(Keys(2));
  EXPECT_FALSE(other.Decode(Purpose::kTarget, Text(codec.Encode(Purpose::kTarget, kSession))));
}

TEST(StickyCookieTest, GroupsAreNamedByAStableHash) {
  // FNV-1a of the empty text and of "a": draft-eastlake-fnv.
  EXPECT_EQ(StickyGroupId(""), 0xcbf29ce484222325U);
  EXPECT_EQ(StickyGroupId("a"), 0xaf63dc4c8601ec8cU);
}

std::vector<http::Field> CookieFields(const std::vector<std::string_view>& cookies) {
  std::vector<http::Field> fields = {{.name = "Host", .value = "a"}};
  for (const auto cookie : cookies) fields.push_back({.name = "cOOkie", .value = cookie});
  return fields;
}

TEST(ReceivedCookiesTest, AreFoundAmongOthers) {
  const auto fields = CookieFields({"a=b; AWSALB=1;AWSALBTG= 2 ; session=x", "AWSALBAPP-0=3"});
  const auto found = ReadStickyCookies(fields, "session");
  EXPECT_EQ(found.target, "1");
  EXPECT_EQ(found.group, "2");
  EXPECT_EQ(found.application, "3");
  EXPECT_TRUE(found.has_own);
  EXPECT_FALSE(ReadStickyCookies(fields, "Session").has_own) << "names have a case";
  EXPECT_FALSE(ReadStickyCookies(fields, "").has_own);
}

TEST(ReceivedCookiesTest, TheCorsCopyWins) {
  const auto found = ReadStickyCookies(CookieFields({"AWSALB=1; AWSALBCORS=2; AWSALBTG=3; AWSALBTGCORS=4"}), "");
  EXPECT_EQ(found.target, "2");
  EXPECT_EQ(found.group, "4");
  EXPECT_EQ(ReadStickyCookies(CookieFields({"AWSALBCORS=; AWSALB=1"}), "").target, "") << "even where it is bad";
}

TEST(ReceivedCookiesTest, OfOneNameTheFirstCounts) {
  const auto found = ReadStickyCookies(CookieFields({"AWSALB=1; AWSALB=2", "AWSALB=3"}), "");
  EXPECT_EQ(found.target, "1");
}

TEST(ReceivedCookiesTest, WhatIsNoPairIsPassedOver) {
  for (const std::string_view cookie : {"", ";", ";;;;", "=", "AWSALB", "AWSALB;", "awsalb=1", "AWSALBX=1",
                                        "AWSALBAPP=1", "AWSALBAPP-1=1", "x AWSALB=1"}) {
    const auto found = ReadStickyCookies(CookieFields({cookie}), "own");
    EXPECT_FALSE(found.target || found.group || found.application || found.has_own) << cookie;
  }
  EXPECT_EQ(ReadStickyCookies(CookieFields({";; ;=;AWSALB=a=b;"}), "").target, "a=b");
}

TEST(SetsCookieTest, LooksAtTheNameAlone) {
  const auto sets = [](std::string_view value) {
    return SetsCookie({{.name = "set-cookie", .value = "other=1"}, {.name = "Set-Cookie", .value = value}}, "sid");
  };
  EXPECT_TRUE(sets("sid=1; Path=/"));
  EXPECT_TRUE(sets("sid="));
  EXPECT_TRUE(sets("sid=; Max-Age=0"));
  EXPECT_FALSE(sets("sid"));
  EXPECT_FALSE(sets("SID=1"));
  EXPECT_FALSE(sets("a=1; sid=2"));
  EXPECT_FALSE(SetsCookie({{.name = "Cookie", .value = "sid=1"}}, "sid"));
}

TEST(SameSiteTest, IsForChromiumFromAnotherSite) {
  const auto needs = [](std::string_view origin, std::string_view agent) {
    return NeedsSameSiteNone({{.name = "Origin", .value = origin}, {.name = "User-Agent", .value = agent}});
  };
  EXPECT_TRUE(needs("https://a.test", "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/80.0.3987.87 Safari/537.36"));
  EXPECT_TRUE(needs("https://a.test", "Chromium/121.0"));
  EXPECT_FALSE(needs("https://a.test", "Mozilla/5.0 Chrome/79.0"));
  EXPECT_FALSE(needs("https://a.test", "Mozilla/5.0 (Macintosh) Version/13.1 Safari/605.1.15"));
  EXPECT_FALSE(needs("https://a.test", "Chrome/"));
  EXPECT_FALSE(NeedsSameSiteNone({{.name = "User-Agent", .value = "Chrome/120"}})) << "no Origin";
}

}  // namespace
}  // namespace weir::proxy
