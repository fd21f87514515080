#include "proxy/actions/jwt/key_set.h"

#include "tests/proxy/actions/jwt/signed_tokens.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using net::SignatureAlgorithm;
using weir::testing::Signer;

std::string SetOf(const std::vector<std::string>& keys) {
  std::string text = R"({"keys":[)";
  for (const std::string& key : keys) text += (text.ends_with('[') ? "" : ",") + key;
  return text + "]}";
}
std::size_t UsableKeys(const std::vector<std::string>& keys) {
  const auto set = ParseKeySet(SetOf(keys));
  EXPECT_TRUE(set);
  return set ? set->size() : 0;
}

TEST(KeySetTest, ReadsKeysOfEveryKind) {
  std::vector<std::string> jwks;
  for (const auto algorithm : {SignatureAlgorithm::kRs256, SignatureAlgorithm::kEs256, SignatureAlgorithm::kEs384,
                               SignatureAlgorithm::kEs512, SignatureAlgorithm::kEdDsa}) {
    jwks.push_back(Signer(algorithm).Jwk("k" + std::to_string(jwks.size())));
  }
  const auto set = ParseKeySet(SetOf(jwks));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->size(), 5U);
  TokenKeys keys;
  keys.Set(*set);
  EXPECT_NE(keys.Find("k0", SignatureAlgorithm::kPs384).key, nullptr);
  EXPECT_NE(keys.Find("k3", SignatureAlgorithm::kEs512).key, nullptr);
  EXPECT_NE(keys.Find("k4", SignatureAlgorithm::kEdDsa).key, nullptr);
  EXPECT_TRUE(keys.Find("k1", SignatureAlgorithm::kRs256).is_known);
  EXPECT_EQ(keys.Find("k1", SignatureAlgorithm::kRs256).key, nullptr);
  EXPECT_FALSE(keys.Find("k9", SignatureAlgorithm::kRs256).is_known);
}

TEST(KeySetTest, LeavesOutKeysThatVerifyNothing) {
  const Signer signer(SignatureAlgorithm::kRs256);
  EXPECT_EQ(UsableKeys({signer.Jwk("k", R"(,"use":"sig","key_ops":["sign","verify"],"alg":"RS256","x5c":["a"])")}), 1U);
  EXPECT_EQ(UsableKeys({signer.Jwk("k", R"(,"use":"enc")"), signer.Jwk("k", R"(,"use":null)"),
                        signer.Jwk("k", R"(,"key_ops":["sign"])"), signer.Jwk("k", R"(,"key_ops":"verify")"),
                        signer.Jwk("k", R"(,"alg":1)"), R"({"kty":"oct","kid":"k","k":"AAAA"})",
                        R"({"kty":"EC","kid":"k","crv":"secp256k1","x":"AA","y":"AA"})", R"({"kty":"RSA","kid":"k"})"}),
            0U);
  EXPECT_EQ(
      UsableKeys({R"({"kty":"RSA","kid":"k","n":"A+/=","e":"AQAB"})", R"({"n":"AAAA","e":"AQAB","kid":"k"})", "{}",
                  R"({"kty":"RSA","n":"AAAA","e":"AQAB"})", R"({"kty":"RSA","kid":7,"n":"AAAA","e":"AQAB"})"}),
      0U);
}

TEST(KeySetTest, AKeyThatIsForOneAlgorithmServesNoOther) {
  TokenKeys keys;
  const Signer signer(SignatureAlgorithm::kRs256);
  keys.Set(*ParseKeySet(
      SetOf({signer.Jwk("k", R"(,"alg":"RS256")"), Signer(SignatureAlgorithm::kRs256, 1024).Jwk("small")})));
  EXPECT_NE(keys.Find("k", SignatureAlgorithm::kRs256).key, nullptr);
  EXPECT_EQ(keys.Find("k", SignatureAlgorithm::kPs256).key, nullptr);
  EXPECT_FALSE(keys.Find("small", SignatureAlgorithm::kRs256).is_known);
}

TEST(KeySetTest, OfKeysWithOneNameTheOneThatFitsServes) {
  TokenKeys keys;
  keys.Set(
      *ParseKeySet(SetOf({Signer(SignatureAlgorithm::kEs256).Jwk("k"), Signer(SignatureAlgorithm::kRs256).Jwk("k")})));
  EXPECT_NE(keys.Find("k", SignatureAlgorithm::kRs256).key, nullptr);
  EXPECT_NE(keys.Find("k", SignatureAlgorithm::kEs256).key, nullptr);
}

TEST(KeySetTest, WhatIsNoKeySetIsMalformed) {
  for (const char* text : {"", "{}", "[]", R"({"keys":{}})", R"({"keys":[1]})", R"({"keys":null})", "<html>",
                           R"({"keys":[]})"
                           "x"}) {
    const auto set = ParseKeySet(text);
    ASSERT_FALSE(set) << text;
    EXPECT_EQ(set.error(), KeySetFault::kMalformed);
  }
  EXPECT_EQ(UsableKeys({}), 0U);
}

TEST(KeySetTest, HasTenKeysAtMostOfWhateverKind) {
  EXPECT_EQ(UsableKeys(std::vector<std::string>(10, "{}")), 0U);
  const auto set = ParseKeySet(SetOf(std::vector<std::string>(11, "{}")));
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error(), KeySetFault::kTooManyKeys);
}

}  // namespace
}  // namespace weir::proxy
