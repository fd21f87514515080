#include "proxy/actions/jwt_validation.h"

#include "proxy/actions/jwt/jwks_endpoint.h"
#include "tests/proxy/actions/jwt/signed_tokens.h"
#include "tests/proxy/exchange_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::proxy {
namespace {

using net::SignatureAlgorithm;
using ::testing::HasSubstr;
using weir::testing::Signer;

const std::string kClaims = R"({"iss":"https://id.test","exp":99999999999})";

// Exchanges whose rule validates tokens; the test answers for the endpoint.
class JwtValidationTest : public ::testing::Test {
 protected:
  JwtValidationTest() {
    settings_.jwks_endpoint.text = "https://id.test/jwks";
    settings_.issuer = "https://id.test";
    Use();
  }
  void Use() {
    endpoint_ = std::make_shared<JwksEndpoint>(
        settings_.jwks_endpoint.text, *outbound::ParseUrl(settings_.jwks_endpoint.text), nullptr, 1,
        [this](WorkerState&, const outbound::Request&, outbound::HttpClient::OnAnswer done) {
          asked_.push_back(std::move(done));
        });
    fixture_.leading_actions = {std::make_shared<const JwtValidation>(settings_, endpoint_)};
    fixture_.Publish();
  }
  void Answer(outbound::Answer answer) {
    ASSERT_FALSE(asked_.empty());
    const auto done = std::exchange(asked_.back(), nullptr);
    asked_.pop_back();
    done(std::move(answer));
    fixture_.loop.RunOnce(std::chrono::milliseconds(0));
  }
  void AnswerKeys(const std::vector<std::string>& keys) {
    std::string content = R"({"keys":[)";
    for (const std::string& key : keys) content += (content.ends_with('[') ? "" : ",") + key;
    Answer(outbound::Response{.status = 200, .fields = {}, .content = content + "]}"});
  }
  static std::string Get(const std::string& token) {
    return "GET /a HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer " + token;
  }
  static std::string Token(const Signer& signer, const std::string& key = "k", const std::string& algorithm = "RS256",
                           const std::string& claims = kClaims) {
    return signer.Token(R"({"alg":")" + algorithm + R"(","kid":")" + key + "\"}", claims);
  }
  void ExpectForwarded(const FakeDownstream& downstream) {
    EXPECT_EQ(downstream.status, 0);
    ASSERT_FALSE(fixture_.upstreams.streams.empty());
    fixture_.upstreams.last().Answer(204);
    EXPECT_EQ(downstream.status, 204);
    EXPECT_TRUE(fixture_.idle());
  }
  int StatusOf(const std::string& head) {
    FakeDownstream downstream;
    fixture_.Begin(downstream, head);
    if (downstream.status == 0 && !fixture_.upstreams.streams.empty() && !fixture_.idle()) {
      fixture_.upstreams.last().Answer(204);
    }
    return downstream.status;
  }

  config::JwtValidationAction settings_;
  ExchangeFixture fixture_;
  std::vector<outbound::HttpClient::OnAnswer> asked_;
  std::shared_ptr<JwksEndpoint> endpoint_;
  Signer signer_{SignatureAlgorithm::kRs256};
};

TEST_F(JwtValidationTest, TheFirstRequestWaitsForTheKeysAndTheNextDoesNot) {
  FakeDownstream first;
  fixture_.Begin(first, Get(Token(signer_)));
  EXPECT_EQ(asked_.size(), 1U);
  EXPECT_TRUE(fixture_.upstreams.streams.empty());
  fixture_.ForgetHeads();
  AnswerKeys({signer_.Jwk("k")});
  EXPECT_THAT(fixture_.upstreams.last().fields, HasSubstr("Authorization: Bearer "));
  ExpectForwarded(first);
  FakeDownstream next;
  fixture_.Begin(next, Get(Token(signer_)));
  ExpectForwarded(next);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(JwtValidationTest, BadTokensAreRefusedWithTheirReasonsAndWaitForNothing) {
  EXPECT_EQ(StatusOf("GET /a HTTP/1.1\r\nHost: shop.test"), 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kJwtNotPresent), 1U);
  EXPECT_EQ(StatusOf(Get("nonsense")), 401);
  EXPECT_EQ(StatusOf(Get(Token(signer_)) + "\r\nauthorization: Bearer x"), 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kJwtFormatInvalid), 2U);
  for (const char* algorithm : {"none", "HS256", "RS384", "PS256"}) {
    EXPECT_EQ(StatusOf(Get(Token(signer_, "k", algorithm))), 401) << algorithm;
  }
  EXPECT_EQ(fixture_.errors(ErrorCode::kJwtSignatureInvalid), 4U);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(JwtValidationTest, WithTheKeysSignatureAndClaimsDecide) {
  FakeDownstream first;
  fixture_.Begin(first, Get(Token(signer_)));
  AnswerKeys({signer_.Jwk("k"), Signer(SignatureAlgorithm::kEs256).Jwk("curve")});
  ExpectForwarded(first);
  std::string changed = Token(signer_);
  changed[changed.size() - 10] = changed[changed.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(StatusOf(Get(changed)), 401);
  EXPECT_EQ(StatusOf(Get(Token(Signer(SignatureAlgorithm::kRs256)))), 401);
  EXPECT_EQ(StatusOf(Get(Token(signer_, "curve"))), 401) << "a key of another kind";
  EXPECT_EQ(fixture_.errors(ErrorCode::kJwtSignatureInvalid), 3U);
  EXPECT_EQ(StatusOf(Get(Token(signer_, "k", "RS256", R"({"iss":"https://id.test"})"))), 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kJwtClaimNotPresent), 1U);
  EXPECT_EQ(StatusOf(Get(Token(signer_, "k", "RS256", R"({"iss":"https://id.test","exp":1})"))), 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kJwtClaimValueInvalid), 1U);
  EXPECT_EQ(StatusOf(Get(Token(signer_, "k", "RS256", R"({"iss":1,"exp":1})"))), 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kJwtClaimFormatInvalid), 1U);
  EXPECT_EQ(StatusOf(Get(Token(signer_, "k", "RS256", "[]"))), 401);
  EXPECT_EQ(fixture_.errors(ErrorCode::kJwtFormatInvalid), 1U);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(JwtValidationTest, ManyRequestsWithUnknownKeysFetchOnce) {
  std::vector<std::unique_ptr<FakeDownstream>> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(std::make_unique<FakeDownstream>());
    fixture_.Begin(*waiting.back(), Get(Token(signer_, "unknown")));
  }
  ASSERT_EQ(asked_.size(), 1U);
  AnswerKeys({signer_.Jwk("k")});
  for (const auto& downstream : waiting) EXPECT_EQ(downstream->status, 401);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(StatusOf(Get(Token(signer_, "unknown"))), 401);
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(fixture_.errors(ErrorCode::kJwtSignatureInvalid), 100U);
  EXPECT_EQ(StatusOf(Get(Token(signer_))), 204);
}

TEST_F(JwtValidationTest, AKeyThatIsNewIsFetchedAtOnce) {
  FakeDownstream first;
  fixture_.Begin(first, Get(Token(signer_)));
  AnswerKeys({signer_.Jwk("k")});
  ExpectForwarded(first);
  const Signer rotated(SignatureAlgorithm::kRs256);
  FakeDownstream second;
  fixture_.Begin(second, Get(Token(rotated, "k2")));
  AnswerKeys({signer_.Jwk("k"), rotated.Jwk("k2")});
  ExpectForwarded(second);
}

TEST_F(JwtValidationTest, KeysThatCannotBeHadAreNotTheClientsFault) {
  const std::vector<std::pair<outbound::Answer, int>> rows = {
      {std::unexpected(outbound::Failure::kTimeout), 500},
      {std::unexpected(outbound::Failure::kTooLarge), 500},
      {std::unexpected(outbound::Failure::kConnect), 500},
      {outbound::Response{.status = 503, .fields = {}, .content = {}}, 562},
      {outbound::Response{.status = 200, .fields = {}, .content = "no keys"}, 562}};
  for (const auto& [answer, status] : rows) {
    Use();
    FakeDownstream downstream;
    fixture_.Begin(downstream, Get(Token(signer_)));
    Answer(answer);
    EXPECT_EQ(downstream.status, status);
    EXPECT_EQ(StatusOf(Get(Token(signer_))), status) << "at once";
  }
  EXPECT_TRUE(fixture_.upstreams.streams.empty());
}

TEST_F(JwtValidationTest, AClientThatGoesAwayWaitsNoMore) {
  FakeDownstream gone;
  Exchange& exchange = fixture_.Begin(gone, Get(Token(signer_)));
  FakeDownstream stays;
  fixture_.Begin(stays, Get(Token(signer_)));
  exchange.OnDownstreamFailed(ErrorCode::kClientClosed);
  EXPECT_TRUE(gone.ended_without_response);
  AnswerKeys({signer_.Jwk("k")});
  ExpectForwarded(stays);
}

TEST_F(JwtValidationTest, OtherAlgorithmsCountWhereTheyAreNamed) {
  settings_.algorithms = {"ES256", "PS512"};
  Use();
  const Signer curve(SignatureAlgorithm::kEs256);
  const Signer pss(SignatureAlgorithm::kPs512);
  FakeDownstream first;
  fixture_.Begin(first, Get(Token(curve, "c", "ES256")));
  AnswerKeys({curve.Jwk("c"), pss.Jwk("p"), signer_.Jwk("k")});
  ExpectForwarded(first);
  EXPECT_EQ(StatusOf(Get(Token(pss, "p", "PS512"))), 204);
  EXPECT_EQ(StatusOf(Get(Token(signer_))), 401) << "RS256 is not among them";
}

TEST_F(JwtValidationTest, ExplainsItselfWithoutAskingAnybody) {
  settings_.additional_claims = {
      {.name = "scope", .format = config::JwtClaimFormat::kSpaceSeparatedValues, .values = {"read", "write"}}};
  Use();
  EXPECT_EQ(fixture_.leading_actions[0]->Explain(),
            "jwt-validation: one bearer token, signed by RS256 with a key of https://id.test/jwks, of the issuer "
            "https://id.test, in its time; its claim `scope` has all of read, write; else 401");
  EXPECT_EQ(fixture_.leading_actions[0]->name(), "jwt-validation");
  EXPECT_TRUE(asked_.empty());
}

}  // namespace
}  // namespace weir::proxy
