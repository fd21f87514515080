#include "proxy/actions/authenticate/authenticate.h"

#include "base/base64.h"
#include "http/form_urlencoded.h"
#include "net/sha256.h"
#include "proxy/actions/authenticate/callback.h"
#include "proxy/actions/authenticate/worker_sessions.h"
#include "tests/proxy/actions/authenticate/fake_provider.h"
#include "tests/proxy/exchange_fixture.h"
#include "tests/support/manual_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace weir::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

config::AuthenticateOidcAction Action() {
  config::AuthenticateOidcAction action;
  action.issuer.text = "https://id.test";
  action.authorization_endpoint.text = "https://id.test/authorize";
  action.token_endpoint.text = "https://id.test/token";
  action.user_info_endpoint.text = "https://id.test/me";
  action.client_id = "weir";
  action.client_secret = config::Secret{.text = "secret", .file = {}, .position = {}};
  return action;
}

std::string FieldOf(std::string_view fields, std::string_view name) {
  const std::string wanted = std::string(name) + ": ";
  const std::size_t at = fields.find(wanted);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + wanted.size();
  return std::string(fields.substr(begin, fields.find("\r\n", begin) - begin));
}

// `name=value` of each Set-Cookie, as a browser sends them back.
std::string CookiesOf(std::string_view fields) {
  std::string out;
  constexpr std::string_view kName = "Set-Cookie: ";
  for (std::size_t at = fields.find(kName); at != std::string_view::npos; at = fields.find(kName, at + 1)) {
    if (!out.empty()) out += "; ";
    const std::size_t begin = at + kName.size();
    out += fields.substr(begin, fields.find(';', begin) - begin);
  }
  return out;
}

class AuthenticateTest : public ::testing::Test {
 protected:
  AuthenticateTest() {
    fixture_.stickiness_keys = {net::CookieKey::From(net::KeySecret{})};
    Publish(Action());
    fixture_.worker.sessions = std::make_unique<WorkerSessions>(fixture_.loop, provider_.Ask());
  }

  void Publish(config::AuthenticateOidcAction action) {
    fixture_.model.load_balancers[0].listeners[0].default_rule.leading_actions =
        std::vector<config::LeadingAction>{std::move(action)};
    fixture_.Publish();
  }
  void Advance(std::chrono::seconds by) {
    clock_.Advance(by);
    fixture_.loop.RunOnce(std::chrono::milliseconds(0));
  }
  // A request; the target answers what was forwarded.
  FakeDownstream& Send(std::string_view target, std::string_view cookies = {}, std::string_view more = {}) {
    downstreams_.emplace_back();
    std::string head = "GET " + std::string(target) + " HTTP/1.1\r\nHost: Shop.test:8443";
    if (!cookies.empty()) (head += "\r\nCookie: ") += cookies;
    head += more;
    fixture_.Begin(downstreams_.back(), head);
    return downstreams_.back();
  }
  [[nodiscard]] std::string forwarded() const { return fixture_.upstreams.last().fields; }
  void AnswerForwarded() { fixture_.upstreams.last().Answer(200); }

  // Where the provider sends the browser back to, after it was sent there.
  static std::string Callback(const FakeDownstream& sent, std::string_view query = "code=c0de") {
    const std::string location = FieldOf(sent.fields, "Location");
    const auto state = http::FindFormField(location.substr(location.find('?') + 1), "state");
    std::string out = "/oauth2/idpresponse?" + std::string(query);
    http::AppendFormField(out, "state", state.value_or(""));
    return out;
  }
  // The cookies of a user who has signed in.
  std::string SignIn(std::string_view tokens = R"(,"expires_in":3600)", std::string_view claims = "") {
    const FakeDownstream& sent = Send("/a?b=c");
    const FakeDownstream& back = Send(Callback(sent), CookiesOf(sent.fields));
    provider_.GiveTokens(tokens);
    provider_.GiveClaims(claims);
    EXPECT_EQ(back.status, 302);
    return CookiesOf(back.fields);
  }
  [[nodiscard]] const AuthenticationCounters& counters() const { return fixture_.listener().authentication; }

  testing::ManualClock clock_;
  FakeProvider provider_;  // outlives the loop, which ends the calls
  ExchangeFixture fixture_{2, clock_};
  std::deque<FakeDownstream> downstreams_;
};

TEST_F(AuthenticateTest, WhoHasNotSignedInIsSentToTheProvider) {
  const FakeDownstream& sent = Send("/a?b=c");
  EXPECT_EQ(sent.status, 302);
  const std::string location = FieldOf(sent.fields, "Location");
  EXPECT_THAT(
      location,
      StartsWith("https://id.test/authorize?client_id=weir&redirect_uri="
                 "https%3A%2F%2Fshop.test%3A8443%2Foauth2%2Fidpresponse&response_type=code&scope=openid&state="));
  EXPECT_THAT(location, Not(HasSubstr("nonce")));
  EXPECT_THAT(location, Not(HasSubstr("code_challenge")));
  EXPECT_THAT(FieldOf(sent.fields, "Set-Cookie"),
              ::testing::MatchesRegex("AWSALBAuthNonce=[A-Za-z0-9_-]+; Expires=Tue, 14 Nov 2023 22:28:20 GMT; Path=/; "
                                      "Secure; HttpOnly"));
  EXPECT_TRUE(fixture_.upstreams.streams.empty());
  EXPECT_TRUE(fixture_.idle());
}

TEST_F(AuthenticateTest, ALoginEndsWhereItBegan) {
  const FakeDownstream& sent = Send("/a?b=c");
  const FakeDownstream& back = Send(Callback(sent), CookiesOf(sent.fields));
  EXPECT_EQ(back.status, 0) << "the provider is asked first";
  EXPECT_EQ(provider_.asked.back().request.content,
            "grant_type=authorization_code&code=c0de&redirect_uri="
            "https%3A%2F%2Fshop.test%3A8443%2Foauth2%2Fidpresponse");
  provider_.GiveTokens();
  provider_.GiveClaims(R"(,"email":"a@b.test")");
  EXPECT_EQ(back.status, 302);
  EXPECT_EQ(FieldOf(back.fields, "Location"), "https://shop.test:8443/a?b=c");
  const std::string cookie = FieldOf(back.fields, "Set-Cookie");
  EXPECT_THAT(cookie, StartsWith("AWSELBAuthSessionCookie-0=1"));
  EXPECT_THAT(cookie, HasSubstr("; Expires=Tue, 21 Nov 2023 22:13:20 GMT; Path=/; Secure; HttpOnly"));
  EXPECT_EQ(counters().successes.value(), 1U);

  FakeDownstream& seen = Send("/a?b=c", CookiesOf(back.fields));
  EXPECT_EQ(FieldOf(forwarded(), "X-Amzn-Oidc-Accesstoken"), "access-1");
  EXPECT_EQ(FieldOf(forwarded(), "X-Amzn-Oidc-Identity"), "user-1");
  const std::string data = FieldOf(forwarded(), "X-Amzn-Oidc-Data");
  const std::size_t dot = data.find('.');
  std::string payload = data.substr(dot + 1, data.find('.', dot + 1) - dot - 1);
  while (payload.ends_with('=')) payload.pop_back();
  EXPECT_EQ(DecodeBase64Url(payload), R"({"sub":"user-1","email":"a@b.test"})");
  AnswerForwarded();
  EXPECT_EQ(seen.status, 200);
  EXPECT_THAT(seen.fields, Not(HasSubstr("Set-Cookie")));
  EXPECT_TRUE(fixture_.idle());
}

TEST_F(AuthenticateTest, NobodyForgesClaims) {
  const std::string cookies = SignIn();
  constexpr std::string_view kForged =
      "\r\nX-Amzn-Oidc-Identity: root\r\nx-amzn-oidc-data: e30.e30.\r\nX_Amzn_Oidc_Accesstoken: t\r\nX-Amzn-Oidc-Any: "
      "1";
  Send("/", cookies, kForged);
  EXPECT_THAT(forwarded(), Not(HasSubstr("root")));
  EXPECT_THAT(forwarded(), Not(HasSubstr("e30.e30.\r\n")));
  EXPECT_THAT(forwarded(), Not(HasSubstr("X_Amzn")));
  EXPECT_THAT(forwarded(), Not(HasSubstr("Oidc-Any")));
  AnswerForwarded();

  auto allow = Action();
  allow.on_unauthenticated_request = config::OnUnauthenticatedRequest::kAllow;
  Publish(allow);
  FakeDownstream& seen = Send("/", {}, kForged);
  EXPECT_THAT(forwarded(), Not(HasSubstr("mzn-Oidc")));
  EXPECT_THAT(forwarded(), Not(HasSubstr("mzn-oidc")));
  EXPECT_THAT(forwarded(), Not(HasSubstr("X_Amzn")));
  AnswerForwarded();
  EXPECT_EQ(seen.status, 200);
}

TEST_F(AuthenticateTest, DenyAnswers401ButSendsWhoWasSignedInAgain) {
  auto deny = Action();
  const std::string cookies = SignIn();
  deny.on_unauthenticated_request = config::OnUnauthenticatedRequest::kDeny;
  Publish(deny);
  EXPECT_EQ(Send("/").status, 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kAuthRequired), 1U);
  EXPECT_EQ(Send("/", "AWSELBAuthSessionCookie-0=1AAAA").status, 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kAuthInvalidCookie), 1U);
  Advance(std::chrono::seconds(604'800));
  EXPECT_EQ(Send("/", cookies).status, 302);
}

TEST_F(AuthenticateTest, ASessionEndsWithItsTimeoutAndNotASecondBefore) {
  auto action = Action();
  action.session_timeout = std::chrono::seconds(100);
  Publish(action);
  const std::string cookies = SignIn(R"(,"expires_in":10)");  // without a refresh token the token does not matter
  Advance(std::chrono::seconds(99));
  FakeDownstream& seen = Send("/", cookies);
  AnswerForwarded();
  EXPECT_EQ(seen.status, 200);
  Advance(std::chrono::seconds(1));
  EXPECT_EQ(Send("/", cookies).status, 302);
}

TEST_F(AuthenticateTest, ACookieOfAnotherKeyOrProviderIsNone) {
  const std::string cookies = SignIn();
  auto other = Action();
  other.issuer.text = "https://other.test";
  Publish(other);
  EXPECT_EQ(Send("/", cookies).status, 302);
  Publish(Action());
  fixture_.upstreams.streams.clear();
  FakeDownstream& seen = Send("/", cookies);
  AnswerForwarded();
  EXPECT_EQ(seen.status, 200);
  fixture_.stickiness_keys.clear();
  Publish(Action());  // with a new key
  EXPECT_EQ(Send("/", cookies).status, 302);
  EXPECT_EQ(counters().invalid_cookies.value(), 2U);
}

TEST_F(AuthenticateTest, OnlyTheBrowserThatBeganMayEndALogin) {
  const FakeDownstream& sent = Send("/a");
  const std::string callback = Callback(sent);
  EXPECT_EQ(Send(callback).status, 401);
  EXPECT_EQ(Send(callback, "AWSALBAuthNonce=" + std::string(43, 'A')).status, 401);
  EXPECT_EQ(Send("/oauth2/idpresponse?code=c&state=forged", CookiesOf(sent.fields)).status, 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kAuthInvalidState), 3U);
  EXPECT_EQ(Send("/oauth2/idpresponse?code=c").status, 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kAuthMissingState), 1U);
  EXPECT_EQ(Send(Callback(sent, "x=y"), CookiesOf(sent.fields)).status, 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kAuthMissingCode), 1U);
  // A session is no state, and a state no session.
  EXPECT_TRUE(provider_.asked.empty());
}

TEST_F(AuthenticateTest, TwoTabsOfOneBrowserBothSignIn) {
  const FakeDownstream& first = Send("/first");
  const FakeDownstream& second = Send("/second", CookiesOf(first.fields));
  EXPECT_EQ(CookiesOf(first.fields), CookiesOf(second.fields));
  for (const FakeDownstream* const sent : {&first, &second}) {
    const FakeDownstream& back = Send(Callback(*sent), CookiesOf(second.fields));
    provider_.GiveTokens();
    provider_.GiveClaims();
    EXPECT_EQ(back.status, 302);
  }
}

TEST_F(AuthenticateTest, ALoginHasFifteenMinutes) {
  const FakeDownstream& sent = Send("/a");
  Advance(std::chrono::minutes(15));
  Send(Callback(sent), CookiesOf(sent.fields));
  EXPECT_EQ(provider_.asked.size(), 1U);
  Advance(std::chrono::seconds(1));
  EXPECT_EQ(Send(Callback(sent), CookiesOf(sent.fields)).status, 401);
  EXPECT_EQ(provider_.asked.size(), 1U);
  provider_.Fail(outbound::Failure::kTimeout);  // nobody waits any more when the fixture goes
}

TEST_F(AuthenticateTest, WhatTheProviderRefusesIs401OrElse561) {
  const FakeDownstream& sent = Send("/a");
  EXPECT_EQ(Send(Callback(sent, "error=access_denied"), CookiesOf(sent.fields)).status, 401);
  EXPECT_EQ(Send(Callback(sent, "error=server_error"), CookiesOf(sent.fields)).status, 561);
  EXPECT_EQ(fixture_.errors(ErrorCode::kAuthProviderError), 1U);
}

TEST_F(AuthenticateTest, AnEndpointThatFailsIs500) {
  const FakeDownstream& sent = Send("/a");
  const FakeDownstream& back = Send(Callback(sent), CookiesOf(sent.fields));
  provider_.Fail(outbound::Failure::kTimeout);
  EXPECT_EQ(back.status, 500);
  EXPECT_EQ(fixture_.errors(ErrorCode::kAuthTokenTimeout), 1U);
  EXPECT_TRUE(fixture_.idle());
}

TEST_F(AuthenticateTest, AClientThatGoesAwayEndsTheCall) {
  const FakeDownstream& sent = Send("/a");
  downstreams_.emplace_back();
  Exchange& exchange =
      fixture_.Begin(downstreams_.back(), "GET " + Callback(sent) +
                                              " HTTP/1.1\r\nHost: shop.test:8443\r\nCookie: " + CookiesOf(sent.fields));
  exchange.OnDownstreamFailed(ErrorCode::kClientClosed);
  fixture_.loop.RunOnce(std::chrono::milliseconds(0));
  EXPECT_TRUE(provider_.asked.back().ended);
  EXPECT_TRUE(fixture_.idle());
}

// Nanoseconds do not reach so far.
TEST_F(AuthenticateTest, AnAccessTokenOfCenturiesIsNotRefreshed) {
  const std::string cookies = SignIn(R"(,"expires_in":99999999999,"refresh_token":"r1")");
  const std::size_t asked = provider_.asked.size();
  Send("/page", cookies);
  EXPECT_EQ(provider_.asked.size(), asked);
  EXPECT_EQ(FieldOf(forwarded(), "X-Amzn-Oidc-Accesstoken"), "access-1");
  AnswerForwarded();
}

TEST_F(AuthenticateTest, ASessionIsThatOfItsCookie) {
  std::string cookies = SignIn();
  const std::string name = "AWSELBAuthSessionCookie";
  config::AuthenticateOidcAction other = Action();
  other.session_cookie_name = "Another";
  Publish(other);
  for (auto at = cookies.find(name); at != std::string::npos; at = cookies.find(name)) {
    cookies.replace(at, name.size(), "Another");
  }
  EXPECT_EQ(Send("/page", cookies).status, 302);
}

TEST_F(AuthenticateTest, AnAccessTokenThatExpiredIsRefreshed) {
  const std::string cookies = SignIn(R"(,"expires_in":10,"refresh_token":"r1")");
  Advance(std::chrono::seconds(10));
  FakeDownstream& seen = Send("/page", cookies);
  EXPECT_EQ(provider_.asked.back().request.content, "grant_type=refresh_token&refresh_token=r1");
  provider_.Answer(200, R"({"access_token":"access-2","refresh_token":"r2","expires_in":10})");
  provider_.GiveClaims(R"(,"fresh":true)");
  EXPECT_EQ(FieldOf(forwarded(), "X-Amzn-Oidc-Accesstoken"), "access-2");
  AnswerForwarded();
  EXPECT_EQ(seen.status, 200);
  EXPECT_THAT(FieldOf(seen.fields, "Set-Cookie"), StartsWith("AWSELBAuthSessionCookie-0="));
  EXPECT_EQ(counters().refreshes.value(), 1U);

  // Another request with the cookies of before gets the same, and the provider is not asked again.
  const std::size_t asked = provider_.asked.size();
  FakeDownstream& late = Send("/image", cookies);
  EXPECT_EQ(provider_.asked.size(), asked);
  EXPECT_EQ(FieldOf(forwarded(), "X-Amzn-Oidc-Accesstoken"), "access-2");
  AnswerForwarded();
  EXPECT_THAT(late.fields, HasSubstr("Set-Cookie: AWSELBAuthSessionCookie-0="));

  // The session ends when it would have ended.
  Advance(std::chrono::seconds(604'790));
  EXPECT_EQ(Send("/", CookiesOf(seen.fields)).status, 302);
}

TEST_F(AuthenticateTest, ARefreshThatFailsEndsTheSession) {
  const std::string cookies = SignIn(R"(,"expires_in":10,"refresh_token":"r1")");
  Advance(std::chrono::seconds(10));
  const FakeDownstream& seen = Send("/page", cookies);
  provider_.Answer(400, R"({"error":"invalid_grant"})");
  EXPECT_EQ(seen.status, 302);
  EXPECT_THAT(FieldOf(seen.fields, "Location"), StartsWith("https://id.test/authorize?"));
  EXPECT_EQ(counters().failed_refreshes.value(), 1U);
  EXPECT_TRUE(fixture_.idle());
}

TEST_F(AuthenticateTest, NonceAndPkceAreSentWhereTheyAreWanted) {
  auto action = Action();
  action.nonce = true;
  action.pkce = true;
  action.extra_params = {{"prompt", "login"}};
  Publish(action);
  const FakeDownstream& sent = Send("/");
  const std::string location = FieldOf(sent.fields, "Location");
  EXPECT_THAT(location, HasSubstr("&code_challenge_method=S256&prompt=login"));
  const auto nonce = http::FindFormField(location, "nonce");
  const auto challenge = http::FindFormField(location, "code_challenge");
  ASSERT_TRUE(nonce && challenge);
  const FakeDownstream& back = Send(Callback(sent), CookiesOf(sent.fields));
  const auto verifier = http::FindFormField(provider_.asked.back().request.content, "code_verifier");
  ASSERT_TRUE(verifier);
  EXPECT_EQ(EncodeBase64Url(net::Sha256(*verifier)), *challenge);
  provider_.GiveTokens("", *nonce);
  provider_.GiveClaims();
  EXPECT_EQ(back.status, 302);
  const FakeDownstream& forged = Send(Callback(sent), CookiesOf(sent.fields));
  provider_.GiveTokens("", "another");
  EXPECT_EQ(forged.status, 401);
}

TEST_F(AuthenticateTest, WithoutHostThereIsNowhereToComeBackTo) {
  downstreams_.emplace_back();
  fixture_.version = http::Version::kHttp10;
  fixture_.Begin(downstreams_.back(), "GET / HTTP/1.0");
  EXPECT_EQ(downstreams_.back().status, 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kAuthMissingHost), 1U);
}

TEST_F(AuthenticateTest, ATargetThatDoesNotFitIntoTheStateIs507) {
  EXPECT_EQ(Send("/" + std::string(8000, 'x')).status, 507);
  EXPECT_EQ(Send("/" + std::string(2000, 'x')).status, 302);
}

TEST_F(AuthenticateTest, WhatItDoesIsToldInWords) {
  const auto& actions = fixture_.view->routing->listeners().front()->rules.back().leading_actions;
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0].action->name(), "authenticate");
  EXPECT_EQ(
      actions[0].action->Explain(),
      "authenticate-oidc at https://id.test as client weir, scope openid: with the cookie "
      "AWSELBAuthSessionCookie-0 of a session, which ends after 604800 s, it goes on with the user's claims; else "
      "it is sent to https://id.test/authorize (302)");
}

}  // namespace
}  // namespace weir::proxy
