#include "proxy/actions/authenticate/provider_query.h"

#include "proxy/actions/authenticate/refreshes.h"
#include "tests/proxy/actions/authenticate/fake_provider.h"
#include "tests/support/manual_clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

class ProviderQueryTest : public ::testing::Test {
 protected:
  ProviderQueryTest() {
    plan_->config.issuer.text = "https://id.test";
    plan_->config.client_id = "weir";
    plan_->client_secret = "s&cret";
    plan_->token_endpoint = {.tls = true, .host = "id.test", .port = 443, .target = "/token"};
    plan_->user_info_endpoint = {.tls = true, .host = "id.test", .port = 443, .target = "/me"};
  }

  void Begin(TokenGrant grant) {
    outcome_.reset();
    query_ = std::make_unique<ProviderQuery>(loop_, plan_, std::move(grant), [this](ProviderQuery::Outcome outcome) {
      EXPECT_FALSE(outcome_.has_value());
      outcome_ = std::move(outcome);
    });
    query_->Start(provider_.Ask());
  }
  void BeginLogin() { Begin({.code = "c0de", .redirect_uri = "https://a.test/oauth2/idpresponse"}); }
  [[nodiscard]] ErrorCode error() const { return outcome_->error(); }

  testing::ManualClock clock_;
  FakeProvider provider_;  // outlives the loop, which ends the calls
  net::EventLoop loop_{clock_};
  std::shared_ptr<AuthenticationPlan> plan_ = std::make_shared<AuthenticationPlan>();
  std::optional<ProviderQuery::Outcome> outcome_;
  std::unique_ptr<ProviderQuery> query_;
};

TEST_F(ProviderQueryTest, ACodeBecomesASession) {
  BeginLogin();
  ASSERT_EQ(provider_.asked.size(), 1U);
  const outbound::Request& request = provider_.asked[0].request;
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.target, "/token");
  EXPECT_EQ(request.timeout, std::chrono::seconds(5));
  EXPECT_EQ(request.content,
            "grant_type=authorization_code&code=c0de&redirect_uri=https%3A%2F%2Fa.test%2Foauth2%2Fidpresponse");
  EXPECT_EQ(provider_.Field("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(provider_.Field("Authorization"), "Basic d2VpcjpzJTI2Y3JldA==");  // weir:s%26cret

  provider_.GiveTokens(R"(,"expires_in":60,"refresh_token":"r1")");
  ASSERT_EQ(provider_.asked.size(), 2U);
  EXPECT_EQ(provider_.asked[1].request.method, "GET");
  EXPECT_EQ(provider_.asked[1].request.url.target, "/me");
  EXPECT_EQ(provider_.Field("Authorization"), "Bearer access-1");
  EXPECT_FALSE(outcome_);

  provider_.GiveClaims(R"(,"email":"a@b.test")");
  ASSERT_TRUE(outcome_ && outcome_->has_value());
  const UserSession& session = **outcome_;
  EXPECT_EQ(session.access_token, "access-1");
  EXPECT_EQ(session.refresh_token, "r1");
  EXPECT_EQ(session.identity, "user-1");
  EXPECT_EQ(session.claims, R"({"sub":"user-1","email":"a@b.test"})");
  EXPECT_EQ(session.access_token_expires, std::chrono::sys_seconds(std::chrono::seconds(1'700'000'060)));
  loop_.RunOnce(std::chrono::milliseconds(0));
  for (const auto& asked : provider_.asked) EXPECT_TRUE(asked.ended);
}

TEST_F(ProviderQueryTest, APublicClientSaysItsNameAndTheVerifierIsSent) {
  plan_->client_secret.clear();
  Begin({.code = "c", .redirect_uri = "u", .verifier = "v"});
  EXPECT_EQ(provider_.asked[0].request.content,
            "grant_type=authorization_code&code=c&redirect_uri=u&code_verifier=v&client_id=weir");
  EXPECT_EQ(provider_.Field("Authorization"), "");
}

TEST_F(ProviderQueryTest, EachFailureOfTheTokenEndpointHasItsReason) {
  BeginLogin();
  provider_.Fail(outbound::Failure::kTimeout);
  EXPECT_EQ(error(), ErrorCode::kAuthTokenTimeout);
  for (const auto failure : {outbound::Failure::kResolve, outbound::Failure::kConnect, outbound::Failure::kTls,
                             outbound::Failure::kMalformed, outbound::Failure::kTooLarge}) {
    BeginLogin();
    provider_.Fail(failure);
    EXPECT_EQ(error(), ErrorCode::kAuthTokenFailed);
  }
  const auto answered = [&](int status, const std::string& content) {
    BeginLogin();
    provider_.Answer(status, content);
    return error();
  };
  EXPECT_EQ(answered(400, R"({"error":"invalid_grant"})"), ErrorCode::kAuthInvalidGrant);
  EXPECT_EQ(answered(401, R"({"error":"invalid_client"})"), ErrorCode::kAuthTokenFailed);
  EXPECT_EQ(answered(503, "later"), ErrorCode::kAuthTokenFailed);
  EXPECT_EQ(answered(302, ""), ErrorCode::kAuthTokenFailed);
  EXPECT_EQ(answered(200, "<html>"), ErrorCode::kAuthInvalidTokenResponse);
  EXPECT_EQ(answered(200, R"({"access_token":"a"})"), ErrorCode::kAuthInvalidIdToken);
  EXPECT_EQ(answered(200, R"({"access_token":"a","id_token":"a.b.c"})"), ErrorCode::kAuthInvalidIdToken);
}

TEST_F(ProviderQueryTest, EachFailureOfTheUserInfoEndpointHasItsReason) {
  const auto failed = [&](outbound::Failure failure) {
    BeginLogin();
    provider_.GiveTokens();
    provider_.Fail(failure);
    return error();
  };
  EXPECT_EQ(failed(outbound::Failure::kTimeout), ErrorCode::kAuthUserInfoTimeout);
  EXPECT_EQ(failed(outbound::Failure::kTooLarge), ErrorCode::kAuthClaimsTooLarge);
  EXPECT_EQ(failed(outbound::Failure::kConnect), ErrorCode::kAuthUserInfoFailed);
  const auto answered = [&](int status, const std::string& content) {
    BeginLogin();
    provider_.GiveTokens();
    provider_.Answer(status, content);
    return error();
  };
  EXPECT_EQ(answered(403, ""), ErrorCode::kAuthUserInfoFailed);
  EXPECT_EQ(answered(200, "[]"), ErrorCode::kAuthInvalidUserInfo);
  EXPECT_EQ(answered(200, R"({"sub":"somebody else"})"), ErrorCode::kAuthInvalidUserInfo);
}

TEST_F(ProviderQueryTest, ElevenKilobytesOfClaimsAndTokenAreTakenAndNoByteMore) {
  constexpr std::string_view kFrame = R"({"sub":"user-1","x":""})";
  const std::size_t fill = kClaimsBytesMax - std::string_view("access-1").size() - kFrame.size();
  for (const std::size_t more : {0U, 1U}) {
    BeginLogin();
    provider_.GiveTokens();
    provider_.GiveClaims(R"(,"x":")" + std::string(fill + more, 'x') + '"');
    EXPECT_EQ(outcome_->has_value(), more == 0);
    if (more == 1) {
      EXPECT_EQ(error(), ErrorCode::kAuthClaimsTooLarge);
    }
  }
}

TEST_F(ProviderQueryTest, ARefreshKeepsWhatTheProviderDoesNotReplace) {
  Begin({.refresh_token = "r1", .identity = "user-1"});
  EXPECT_EQ(provider_.asked[0].request.content, "grant_type=refresh_token&refresh_token=r1");
  provider_.Answer(200, R"({"access_token":"a2","expires_in":5})");
  provider_.GiveClaims();
  ASSERT_TRUE(outcome_ && outcome_->has_value());
  EXPECT_EQ((*outcome_)->refresh_token, "r1");
  EXPECT_EQ((*outcome_)->access_token, "a2");
  EXPECT_EQ((*outcome_)->identity, "user-1");
  Begin({.refresh_token = "r1", .identity = "user-1"});
  provider_.Answer(200, R"({"access_token":"a2","refresh_token":"r2"})");
  provider_.GiveClaims();
  EXPECT_EQ((*outcome_)->refresh_token, "r2");
}

TEST_F(ProviderQueryTest, ARefreshNeverGivesAnotherUser) {
  Begin({.refresh_token = "r1", .identity = "user-2"});
  provider_.GiveTokens();  // of user-1
  EXPECT_EQ(error(), ErrorCode::kAuthInvalidIdToken);
  Begin({.refresh_token = "r1", .identity = "user-2"});
  provider_.Answer(200, R"({"access_token":"a2"})");
  provider_.GiveClaims();
  EXPECT_EQ(error(), ErrorCode::kAuthInvalidUserInfo);
}

TEST_F(ProviderQueryTest, DestroyingItEndsTheCall) {
  BeginLogin();
  query_.reset();
  EXPECT_TRUE(provider_.asked[0].ended);
}

class SessionRefreshesTest : public ProviderQueryTest {
 protected:
  void Join(const std::string& cookie, std::vector<bool>& told) {
    refreshes_.Join(
        cookie,
        [this](ProviderQuery::OnDone done) {
          TokenGrant grant;
          grant.refresh_token = "r";
          grant.identity = "user-1";
          return std::make_unique<ProviderQuery>(loop_, plan_, std::move(grant), std::move(done));
        },
        provider_.Ask(), [&told](const ProviderQuery::Outcome& outcome) { told.push_back(outcome.has_value()); });
  }
  SessionRefreshes refreshes_{loop_};
};

TEST_F(SessionRefreshesTest, ManyRequestsWithOneCookieAskOnce) {
  std::vector<bool> told;
  for (int i = 0; i < 100; ++i) Join("cookie", told);
  EXPECT_EQ(provider_.asked.size(), 1U);
  provider_.GiveTokens();
  provider_.GiveClaims();
  EXPECT_EQ(told, std::vector<bool>(100, true));
  Join("cookie", told);  // the browser had sent it before it got the new one
  EXPECT_EQ(told.size(), 101U);
  EXPECT_EQ(provider_.asked.size(), 2U);
  Join("another", told);
  EXPECT_EQ(provider_.asked.size(), 3U);
}

TEST_F(SessionRefreshesTest, WhatWasSaidIsForgottenAfterAWhile) {
  std::vector<bool> told;
  Join("cookie", told);
  provider_.Fail(outbound::Failure::kConnect);
  Join("cookie", told);
  EXPECT_EQ(told, std::vector<bool>(2, false));
  clock_.Advance(SessionRefreshes::kKept);
  loop_.RunOnce(std::chrono::milliseconds(0));
  Join("cookie", told);
  EXPECT_EQ(provider_.asked.size(), 2U);
}

TEST_F(SessionRefreshesTest, ThereIsABound) {
  std::vector<bool> told;
  for (std::size_t i = 0; i < SessionRefreshes::kMax; ++i) Join(std::to_string(i), told);
  EXPECT_EQ(told.size(), 0U);
  Join("one more", told);
  EXPECT_EQ(told, std::vector<bool>(1, false));
  EXPECT_EQ(provider_.asked.size(), SessionRefreshes::kMax);
}

TEST_F(SessionRefreshesTest, WhoWasAnsweredGivesWayToOthers) {
  std::vector<bool> told;
  for (std::size_t i = 0; i < SessionRefreshes::kMax; ++i) {
    Join(std::to_string(i), told);
    provider_.Fail(outbound::Failure::kConnect);
  }
  Join("one more", told);
  EXPECT_EQ(told.size(), SessionRefreshes::kMax);  // it waits
  EXPECT_EQ(provider_.asked.size(), SessionRefreshes::kMax + 1);
}

}  // namespace
}  // namespace weir::proxy
