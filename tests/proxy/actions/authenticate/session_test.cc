#include "proxy/actions/authenticate/session.h"

#include "proxy/actions/authenticate/login_state.h"
#include "proxy/actions/authenticate/sealed_text.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

const WallTime kSessionNow{std::chrono::seconds(1'700'000'000)};

net::CookieKeySet KeysOf(std::uint8_t byte) {
  net::KeySecret secret{};
  secret.fill(byte);
  return {net::CookieKey::From(secret)};
}

UserSession Session() {
  UserSession session;
  session.ends = std::chrono::sys_seconds(std::chrono::seconds(1'700'604'800));
  session.access_token_expires = std::chrono::sys_seconds(std::chrono::seconds(1'700'003'600));
  session.access_token = "access";
  session.refresh_token = "refresh";
  session.identity = "user-1";
  session.claims = R"({"sub":"user-1"})";
  return session;
}

// What a browser sends back for Set-Cookie fields, as one Cookie field.
std::string SessionCookiesOf(std::string_view set_cookies) {
  std::string out;
  constexpr std::string_view kName = "Set-Cookie: ";
  for (std::size_t at = set_cookies.find(kName); at != std::string_view::npos; at = set_cookies.find(kName, at + 1)) {
    const std::size_t begin = at + kName.size();
    if (!out.empty()) out += "; ";
    out += set_cookies.substr(begin, set_cookies.find(';', begin) - begin);
  }
  return out;
}

std::vector<http::Field> FieldsOf(const std::string& cookies) { return {{.name = "Cookie", .value = cookies}}; }

TEST(SessionTest, ComesBackAsItWas) {
  EXPECT_EQ(DecodeSession(EncodeSession(Session())), Session());
  UserSession plain = Session();
  plain.access_token_expires.reset();
  plain.refresh_token.clear();
  EXPECT_EQ(DecodeSession(EncodeSession(plain)), plain);
}

TEST(SessionTest, NothingElseIsOne) {
  const std::string text = EncodeSession(Session());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(DecodeSession(std::string_view(text).substr(0, size)), std::nullopt);
  }
  EXPECT_EQ(DecodeSession(text + "x"), std::nullopt);
  EXPECT_EQ(DecodeSession(std::string(1000, '\xff')), std::nullopt);
}

TEST(SessionCookiesTest, AShortOneIsOneCookieOfSevenDays) {
  FieldBlock out;
  ASSERT_TRUE(AppendSessionCookies("Session", "abc", SameSite::kDefault, kSessionNow, out));
  EXPECT_EQ(out, "Set-Cookie: Session-0=1abc; Expires=Tue, 21 Nov 2023 22:13:20 GMT; Path=/; Secure; HttpOnly\r\n");
  out.clear();
  ASSERT_TRUE(AppendSessionCookies("Session", "abc", SameSite::kNone, kSessionNow, out));
  EXPECT_TRUE(out.ends_with("; Secure; HttpOnly; SameSite=None\r\n"));
}

TEST(SessionCookiesTest, ALongOneIsInUpToFourOfFourKilobytes) {
  const std::string name = "AWSELBAuthSessionCookie";
  const std::size_t room = 4096 - name.size() - 3;
  const std::size_t largest = 15 * 1024 + 512 - 1 - 4 * (name.size() + 5);
  for (const std::size_t size : {room - 2, room - 1, room, 2 * room - 1, 3 * room, largest}) {
    const std::string value(size, 'v');
    FieldBlock out;
    ASSERT_TRUE(AppendSessionCookies(name, value, SameSite::kDefault, kSessionNow, out)) << size;
    const std::string cookies = SessionCookiesOf(out);
    EXPECT_EQ(ReadSessionCookies(FieldsOf(cookies), name), value);
    for (std::size_t at = 0; at < cookies.size();) {
      const std::size_t end = std::min(cookies.find("; ", at), cookies.size());
      EXPECT_LE(end - at, 4096U);
      at = end + 2;
    }
  }
  FieldBlock out = "kept";
  EXPECT_FALSE(AppendSessionCookies(name, std::string(largest + 1, 'v'), SameSite::kDefault, kSessionNow, out));
  EXPECT_EQ(out, "kept");
}

TEST(SessionCookiesTest, ALongerOneBeforeDoesNoHarm) {
  EXPECT_EQ(ReadSessionCookies(FieldsOf("S-0=2ab; S-1=cd; S-2=old; S-3=older"), "S"), "abcd");
  EXPECT_EQ(ReadSessionCookies(FieldsOf("S-1=cd; S-0=1ab"), "S"), "ab");
}

TEST(SessionCookiesTest, WithoutAllOfThemThereIsNone) {
  EXPECT_EQ(ReadSessionCookies(FieldsOf("T-0=1ab"), "S"), std::nullopt);
  EXPECT_EQ(ReadSessionCookies(FieldsOf("S-0=3ab; S-1=cd"), "S"), "");
  for (const char* text : {"S-0=", "S-0=0ab", "S-0=5ab", "S-0=xab"}) {
    EXPECT_EQ(ReadSessionCookies(FieldsOf(text), "S"), "") << text;
  }
}

TEST(TextSealerTest, OnlyWhatWasSealedForThePurposeWithTheKeyIsOpened) {
  TextSealer sealer(KeysOf(1));
  const std::string sealed = sealer.Seal("session", "text");
  EXPECT_EQ(sealer.Open("session", sealed), "text");
  EXPECT_NE(sealer.Seal("session", "text"), sealed);
  EXPECT_EQ(sealer.Open("state", sealed), std::nullopt);
  EXPECT_EQ(TextSealer(KeysOf(2)).Open("session", sealed), std::nullopt);
  EXPECT_EQ(sealer.Open("session", ""), std::nullopt);
  EXPECT_EQ(sealer.Open("session", "AAAA"), std::nullopt);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string forged = sealed;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(sealer.Open("session", forged), std::nullopt) << i;
  }
  net::CookieKeySet both = KeysOf(2);
  both.push_back(KeysOf(1).front());
  EXPECT_EQ(TextSealer(both).Open("session", sealed), "text");
}

TEST(LoginStateTest, ComesBackAsItWas) {
  const LoginState state{.action = 7,
                         .begun = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000)),
                         .browser = "b",
                         .authority = "a.test:8443",
                         .target = "/a?b=c",
                         .nonce = "n",
                         .verifier = "v",
                         .same_site = SameSite::kNone};
  const std::string text = EncodeLoginState(state);
  EXPECT_EQ(DecodeLoginState(text), state);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(DecodeLoginState(std::string_view(text).substr(0, size)), std::nullopt);
  }
}

TEST(LoginStateTest, TheAuthorityIsWhatTheBrowserHas) {
  const auto authority_of = [](std::string_view host, std::optional<std::uint16_t> port) {
    http::RequestHead head;
    head.authority = {.host = host, .port = port};
    return AuthorityOf(head);
  };
  EXPECT_EQ(authority_of("Shop.Test", {}), "shop.test");
  EXPECT_EQ(authority_of("shop.test", 443), "shop.test");
  EXPECT_EQ(authority_of("shop.test", 8443), "shop.test:8443");
  EXPECT_EQ(authority_of("[::1]", 8443), "[::1]:8443");
  EXPECT_EQ(authority_of("", {}), "");
  EXPECT_EQ(RedirectUri("shop.test:8443"), "https://shop.test:8443/oauth2/idpresponse");
}

TEST(LoginStateTest, TheOriginalUriCannotEndTheField) {
  const auto original = [](std::string target) {
    LoginState state;
    state.authority = "a.test";
    state.target = std::move(target);
    std::string out;
    AppendOriginalUri(state, out);
    return out;
  };
  EXPECT_EQ(original("/a*?b=c"), "https://a.test/a*?b=c");
  EXPECT_EQ(original("//evil.test/"), "https://a.test//evil.test/");
  EXPECT_EQ(original("/a\r\nb \xc3"), "https://a.test/a%0D%0Ab%20%C3");
  EXPECT_EQ(original("*"), "https://a.test/");
}

}  // namespace
}  // namespace weir::proxy
