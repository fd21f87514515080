#include "proxy/actions/jwt/token.h"

#include "base/base64.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::proxy {
namespace {

using Fields = std::vector<http::Field>;

TokenFault BearerFault(const Fields& fields) {
  const auto token = BearerToken(fields);
  return token ? TokenFault::kSignature : token.error();
}

TEST(BearerTokenTest, IsWhatStandsBehindTheSchemeInTheOneField) {
  EXPECT_EQ(BearerToken({{"Host", "a"}, {"authorization", "Bearer a.b.c"}}).value_or(""), "a.b.c");
  EXPECT_EQ(BearerToken({{"AUTHORIZATION", "Bearer x"}}).value_or(""), "x");
}

TEST(BearerTokenTest, AnyOtherFormIsAFault) {
  EXPECT_EQ(BearerFault({{"Host", "a"}}), TokenFault::kNotPresent);
  for (const char* value : {"", "Bearer", "Bearer ", "bearer a.b.c", "Bearer  a.b.c", "Bearer a.b.c d.e.f", "Bearer\ta",
                            "Basic dTpw", "a.b.c", "Bearer a.b.c, Bearer d.e.f"}) {
    EXPECT_EQ(BearerFault({{"Authorization", value}}), TokenFault::kFormat) << value;
  }
  EXPECT_EQ(BearerFault({{"Authorization", "Bearer a.b.c"}, {"authorization", "Bearer a.b.c"}}), TokenFault::kFormat);
}

std::string TokenWith(std::string_view header, std::string_view signature = "c2ln") {
  return EncodeBase64Url(header) + ".e30." + std::string(signature);
}
TokenFault ParseFault(const std::string& text) {
  const auto token = ParseToken(text);
  EXPECT_FALSE(token) << text;
  return token ? TokenFault::kNotPresent : token.error();
}

TEST(TokenTest, IsTakenApart) {
  const std::string text = TokenWith(R"({"typ":"JWT","kid":"k\u0031","alg":"RS256","x":[{"y":null}]})");
  const auto token = ParseToken(text);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->algorithm, net::SignatureAlgorithm::kRs256);
  EXPECT_EQ(token->key_id, "k1");
  EXPECT_EQ(token->claims, "e30");
  EXPECT_EQ(token->signature, "sig");
  EXPECT_EQ(std::string(token->signed_text) + ".c2ln", text);
}

TEST(TokenTest, OfMembersWithOneNameTheLastCounts) {
  const std::string text = TokenWith(R"({"alg":"none","kid":"a","alg":"ES256","kid":"b"})");
  const auto token = ParseToken(text);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->algorithm, net::SignatureAlgorithm::kEs256);
  EXPECT_EQ(token->key_id, "b");
}

TEST(TokenTest, WhatIsNoSignedTokenIsMalformed) {
  const std::string good = TokenWith(R"({"alg":"RS256","kid":"k"})");
  ASSERT_TRUE(ParseToken(good));
  for (const std::string& text : {std::string("x"),
                                  std::string(".."),
                                  std::string("a.b"),
                                  good + ".x",
                                  good + "=",
                                  good + "\n",
                                  good.substr(0, good.rfind('.') + 1),
                                  "=" + good,
                                  TokenWith(R"({"alg":"RS256"})"),
                                  TokenWith(R"({"kid":"k"})"),
                                  TokenWith(R"({"alg":"RS256","kid":1})"),
                                  TokenWith(R"({"alg":["RS256"],"kid":"k"})"),
                                  TokenWith(R"({"alg":"RS256","kid":"k","crit":["exp"]})"),
                                  TokenWith(R"({"alg":"RS256","kid":"k","crit":null})"),
                                  TokenWith(R"(["RS256"])"),
                                  TokenWith("null"),
                                  TokenWith("{"),
                                  TokenWith(""),
                                  TokenWith(R"({"alg":"RS256","kid":"k"} x)"),
                                  TokenWith("{\"alg\":\"RS256\",\"kid\":\"\xff\"}"),
                                  TokenWith(R"({'alg':'RS256','kid':'k'})"),
                                  TokenWith(R"({"alg":"RS256","kid":"k"})", "c2l"),
                                  TokenWith(R"({"alg":"RS256","kid":"k"})", "c2+/")}) {
    EXPECT_EQ(ParseFault(text), TokenFault::kFormat) << text;
  }
  std::string deep = R"({"alg":"RS256","kid":"k","x":)";
  for (int i = 0; i < 100; ++i) deep += '[';
  for (int i = 0; i < 100; ++i) deep += ']';
  EXPECT_EQ(ParseFault(TokenWith(deep + "}")), TokenFault::kFormat);
}

TEST(TokenTest, OtherAlgorithmsAreNoSignature) {
  for (const char* name : {"none", "HS256", "HS512", "rs256", "RSA-OAEP", ""}) {
    EXPECT_EQ(ParseFault(TokenWith(std::string(R"({"kid":"k","alg":")") + name + "\"}")), TokenFault::kSignature)
        << name;
  }
}

// ---- claims

const WallTime kNow{std::chrono::seconds(1'000'000)};

config::JwtValidationAction Expected() {
  config::JwtValidationAction expected;
  expected.issuer = "https://id.test";
  return expected;
}
std::optional<TokenFault> Fault(std::string_view claims, const config::JwtValidationAction& expected = Expected(),
                                WallTime now = kNow) {
  return CheckClaims(EncodeBase64Url(claims), expected, now);
}
std::optional<TokenFault> FaultWith(std::string_view more, const config::JwtValidationAction& expected = Expected()) {
  return Fault(R"({"iss":"https://id.test","exp":2000000)" + std::string(more) + "}", expected);
}

TEST(ClaimsTest, IssuerAndExpiryAreAlwaysChecked) {
  EXPECT_EQ(FaultWith(""), std::nullopt);
  EXPECT_EQ(Fault(R"({"exp":2000000})"), TokenFault::kClaimNotPresent);
  EXPECT_EQ(Fault(R"({"iss":"https://id.test"})"), TokenFault::kClaimNotPresent);
  EXPECT_EQ(Fault(R"({"iss":"https://id.test/","exp":2000000})"), TokenFault::kClaimValue);
  EXPECT_EQ(Fault(R"({"iss":["https://id.test"],"exp":2000000})"), TokenFault::kClaimFormat);
  EXPECT_EQ(Fault(R"({"iss":"https://id.test","exp":"2000000"})"), TokenFault::kClaimFormat);
  EXPECT_EQ(Fault(R"({"iss":"https://id.test","exp":null})"), TokenFault::kClaimFormat);
}

TEST(ClaimsTest, TimesAreComparedToTheSecondWithoutLeeway) {
  const auto at = [](std::string_view exp, std::chrono::nanoseconds after = {}) {
    return Fault(R"({"iss":"https://id.test","exp":)" + std::string(exp) + "}", Expected(),
                 kNow + std::chrono::duration_cast<WallTime::duration>(after));
  };
  EXPECT_EQ(at("1000001"), std::nullopt);
  EXPECT_EQ(at("1000000"), TokenFault::kClaimValue) << "RFC 7519 section 4.1.4: not on or after";
  EXPECT_EQ(at("1000000.5"), std::nullopt);
  EXPECT_EQ(at("1000001", std::chrono::milliseconds(999)), std::nullopt);
  EXPECT_EQ(at("1000001", std::chrono::seconds(1)), TokenFault::kClaimValue);
  EXPECT_EQ(at("1e300"), std::nullopt);
  EXPECT_EQ(at("18446744073709551615"), std::nullopt);
  EXPECT_EQ(at("-1"), TokenFault::kClaimValue);
  EXPECT_EQ(at("0"), TokenFault::kClaimValue);
}

TEST(ClaimsTest, NotBeforeAndIssuedAtAreCheckedWhereTheyAreThere) {
  for (const std::string name : {"nbf", "iat"}) {
    const auto with = [&](std::string_view value) { return FaultWith(",\"" + name + "\":" + std::string(value)); };
    EXPECT_EQ(with("1000000"), std::nullopt) << name;
    EXPECT_EQ(with("999999.5"), std::nullopt);
    EXPECT_EQ(with("1000001"), TokenFault::kClaimValue);
    EXPECT_EQ(with("\"1\""), TokenFault::kClaimFormat);
    EXPECT_EQ(with("null"), TokenFault::kClaimFormat);
    EXPECT_EQ(with("true"), TokenFault::kClaimFormat);
  }
}

TEST(ClaimsTest, WhatIsNoObjectIsMalformed) {
  for (const char* claims : {"", "[]", "1", "null", "{", R"({"iss":"https://id.test","exp":2000000}{})"}) {
    EXPECT_EQ(Fault(claims), TokenFault::kFormat) << claims;
  }
  EXPECT_EQ(CheckClaims("e30=", Expected(), kNow), TokenFault::kFormat);
}

config::JwtValidationAction ExpectedWith(config::JwtClaimFormat format, std::vector<std::string> values) {
  config::JwtValidationAction expected = Expected();
  expected.additional_claims = {{.name = "scope", .format = format, .values = std::move(values)}};
  return expected;
}

TEST(ClaimsTest, ASingleStringIsTheValue) {
  const auto expected = ExpectedWith(config::JwtClaimFormat::kSingleString, {"read"});
  EXPECT_EQ(FaultWith(R"(,"scope":"read")", expected), std::nullopt);
  EXPECT_EQ(FaultWith(R"(,"scope":"Read")", expected), TokenFault::kClaimValue);
  EXPECT_EQ(FaultWith(R"(,"scope":"read write")", expected), TokenFault::kClaimValue);
  EXPECT_EQ(FaultWith(R"(,"scope":["read"])", expected), TokenFault::kClaimFormat);
  EXPECT_EQ(FaultWith("", expected), TokenFault::kClaimNotPresent);
}

TEST(ClaimsTest, AStringArrayHasOneOfTheValues) {
  const auto expected = ExpectedWith(config::JwtClaimFormat::kStringArray, {"read", "write"});
  EXPECT_EQ(FaultWith(R"(,"scope":["x","write"])", expected), std::nullopt);
  EXPECT_EQ(FaultWith(R"(,"scope":["x"])", expected), TokenFault::kClaimValue);
  EXPECT_EQ(FaultWith(R"(,"scope":[])", expected), TokenFault::kClaimValue);
  EXPECT_EQ(FaultWith(R"(,"scope":["write",1])", expected), TokenFault::kClaimFormat);
  EXPECT_EQ(FaultWith(R"(,"scope":"write")", expected), TokenFault::kClaimFormat);
}

TEST(ClaimsTest, SpaceSeparatedValuesHaveAllOfThem) {
  const auto expected = ExpectedWith(config::JwtClaimFormat::kSpaceSeparatedValues, {"read", "write"});
  EXPECT_EQ(FaultWith(R"(,"scope":"write x  read")", expected), std::nullopt);
  EXPECT_EQ(FaultWith(R"(,"scope":"write")", expected), TokenFault::kClaimValue);
  EXPECT_EQ(FaultWith(R"(,"scope":"writes reads read write")", expected), std::nullopt);
  EXPECT_EQ(FaultWith(R"(,"scope":"readwrite")", expected), TokenFault::kClaimValue);
  EXPECT_EQ(FaultWith(R"(,"scope":["read","write"])", expected), TokenFault::kClaimFormat);
}

}  // namespace
}  // namespace weir::proxy
