#include "proxy/actions/authenticate/claims.h"

#include "base/base64.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::proxy {
namespace {

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1'700'000'000)};
const IdTokenTerms kTerms{.issuer = "https://id.test", .client_id = "weir", .nonce = "", .now = kNow};

std::string IdToken(std::string_view payload) {
  return EncodeBase64Url(R"({"alg":"RS256"})") + "." + EncodeBase64Url(payload) + ".c2ln";
}

TEST(TokenResponseTest, IsRead) {
  const auto tokens = ParseTokenResponse(
      R"({"access_token":"a","token_type":"bearer","expires_in":3600,"refresh_token":"r","id_token":"i","more":1})");
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->access_token, "a");
  EXPECT_EQ(tokens->refresh_token, "r");
  EXPECT_EQ(tokens->id_token, "i");
  EXPECT_EQ(tokens->expires_in, std::chrono::seconds(3600));
  EXPECT_EQ(ParseTokenResponse(R"({"access_token":"a","expires_in":"60"})")->expires_in, std::chrono::seconds(60));
  EXPECT_EQ(ParseTokenResponse(R"({"access_token":"a","expires_in":-1})")->expires_in, std::nullopt);
  EXPECT_EQ(ParseTokenResponse(R"({"access_token":"a","expires_in":1e300})")->expires_in, std::nullopt);
}

TEST(TokenResponseTest, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "{}", "[]", "null", "{", R"({"access_token":7})", R"({"access_token":""})", R"({"access_token":"a b"})",
        R"({"access_token":"a\r\nX: y"})", R"({"access_token":"a","token_type":"mac"})", "access_token=a"}) {
    EXPECT_FALSE(ParseTokenResponse(text)) << text;
  }
  EXPECT_EQ(ParseOauthError(R"({"error":"invalid_grant"})"), "invalid_grant");
  EXPECT_EQ(ParseOauthError("<html>"), "");
}

TEST(IdTokenTest, OneForUsIsTaken) {
  EXPECT_EQ(CheckIdToken(IdToken(R"({"iss":"https://id.test","aud":"weir","exp":1700000001,"sub":"u"})"), kTerms), "u");
  EXPECT_EQ(
      CheckIdToken(IdToken(R"({"iss":"https://id.test","aud":["x","weir"],"azp":"weir","exp":1700000001,"sub":"u"})"),
                   kTerms),
      "u");
  // Clocks may differ.
  EXPECT_EQ(CheckIdToken(IdToken(R"({"iss":"https://id.test","aud":"weir","exp":1699999941,"sub":"u"})"), kTerms), "u");
}

TEST(IdTokenTest, AnyOtherIsRefused) {
  for (const char* payload : {R"({"iss":"https://evil.test","aud":"weir","exp":1700000001,"sub":"u"})",
                              R"({"iss":"https://id.test/","aud":"weir","exp":1700000001,"sub":"u"})",
                              R"({"iss":"https://id.test","aud":"other","exp":1700000001,"sub":"u"})",
                              R"({"iss":"https://id.test","aud":["other"],"exp":1700000001,"sub":"u"})",
                              R"({"iss":"https://id.test","exp":1700000001,"sub":"u"})",
                              R"({"iss":"https://id.test","aud":["x","weir"],"azp":"x","exp":1700000001,"sub":"u"})",
                              R"({"iss":"https://id.test","aud":"weir","exp":1699999940,"sub":"u"})",
                              R"({"iss":"https://id.test","aud":"weir","sub":"u"})",
                              R"({"iss":"https://id.test","aud":"weir","exp":"soon","sub":"u"})",
                              R"({"iss":"https://id.test","aud":"weir","exp":1700000001})", "[]", "", "{"}) {
    EXPECT_EQ(CheckIdToken(IdToken(payload), kTerms), std::nullopt) << payload;
  }
  for (const char* token : {"", "a", "a.b", "a.b.c.d", "...", "a.!.c"}) {
    EXPECT_EQ(CheckIdToken(token, kTerms), std::nullopt) << token;
  }
}

TEST(IdTokenTest, ANonceThatWasSentHasToComeBack) {
  IdTokenTerms terms = kTerms;
  terms.nonce = "n1";
  const auto with = [](std::string_view nonce) {
    return IdToken(R"({"iss":"https://id.test","aud":"weir","exp":1700000001,"sub":"u")" + std::string(nonce) + "}");
  };
  EXPECT_EQ(CheckIdToken(with(R"(,"nonce":"n1")"), terms), "u");
  EXPECT_EQ(CheckIdToken(with(R"(,"nonce":"n2")"), terms), std::nullopt);
  EXPECT_EQ(CheckIdToken(with(""), terms), std::nullopt);
}

TEST(UserInfoTest, TheSubjectHasToFitIntoAField) {
  EXPECT_EQ(SubjectOf(R"({"sub":"a b","email":"x"})"), "a b");
  for (const char* text : {"", "{}", "[]", R"({"sub":7})", R"({"sub":""})", R"({"sub":"a\r\nX: y"})",
                           R"({"sub":"\u00e4"})", R"({"sub":" a"})", "eyJh.eyJz.c2ln"}) {
    EXPECT_EQ(SubjectOf(text), std::nullopt) << text;
  }
}

TEST(ClaimsTokenTest, SaysWhatAlbSaysWithPadding) {
  std::array<std::uint8_t, 32> secret{};
  const net::SigningKey key = net::SigningKey::From(secret);
  const std::string token = MakeClaimsToken(R"({"sub":"u"})",
                                            {.signer = "arn:aws:x",
                                             .issuer = "https://id.test/\"",
                                             .client_id = "weir",
                                             .expires = kNow + std::chrono::seconds(120)},
                                            key);
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  const auto decoded = [](std::string_view part) {
    while (part.ends_with('=')) part.remove_suffix(1);
    return DecodeBase64Url(part).value_or("?");
  };
  EXPECT_EQ(decoded(std::string_view(token).substr(0, first)),
            R"({"alg":"ES256","kid":")" + key.id() +
                R"(","signer":"arn:aws:x","iss":"https://id.test/\"","client":"weir","exp":1700000120})");
  EXPECT_EQ(decoded(std::string_view(token).substr(first + 1, second - first - 1)), R"({"sub":"u"})");
  EXPECT_EQ(token.substr(second + 1).size(), 88U);
  EXPECT_TRUE(token.ends_with("=="));
  EXPECT_EQ(first % 4, 0U);
  EXPECT_EQ((second - first - 1) % 4, 0U);
}

}  // namespace
}  // namespace weir::proxy
