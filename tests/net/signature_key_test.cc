#include "net/signature_key.h"

#include "tests/proxy/actions/jwt/signed_tokens.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>

namespace weir::net {
namespace {

using weir::testing::Signer;
using enum SignatureAlgorithm;

TEST(SignatureKeyTest, VerifiesWhatTheOwnerSignedByEveryAlgorithm) {
  for (std::size_t i = 0; i < kSignatureAlgorithmNames.size(); ++i) {
    const auto algorithm = static_cast<SignatureAlgorithm>(i);
    const Signer signer(algorithm);
    const auto key = SignatureKey::Build(signer.numbers());
    ASSERT_NE(key, nullptr) << kSignatureAlgorithmNames[i];
    for (const std::string message : {"", "abc", "another one"}) {
      std::string signature = signer.Sign(message);
      EXPECT_TRUE(key->Verify(algorithm, message, signature)) << kSignatureAlgorithmNames[i];
      EXPECT_TRUE(key->Verify(algorithm, message, signature)) << "a second time";
      EXPECT_FALSE(key->Verify(algorithm, message + "x", signature));
      EXPECT_FALSE(key->Verify(algorithm, message, signature + "x"));
      EXPECT_FALSE(key->Verify(algorithm, message, signature.substr(1)));
      EXPECT_FALSE(key->Verify(algorithm, message, ""));
      signature.back() = static_cast<char>(signature.back() ^ 1);
      EXPECT_FALSE(key->Verify(algorithm, message, signature));
    }
    const auto other = SignatureKey::Build(Signer(algorithm).numbers());
    EXPECT_FALSE(other->Verify(algorithm, "abc", signer.Sign("abc")));
  }
}

TEST(SignatureKeyTest, OneKeyOfRsaKeepsItsAlgorithmsApart) {
  const Signer pkcs(kRs256);
  const auto key = SignatureKey::Build(pkcs.numbers());
  const std::string signature = pkcs.Sign("abc");
  for (const auto other : {kRs384, kRs512, kPs256, kPs384, kPs512}) EXPECT_FALSE(key->Verify(other, "abc", signature));
  EXPECT_TRUE(key->Verify(kRs256, "abc", signature));
}

TEST(SignatureKeyTest, AKeySignsOnlyAsItsKindDoes) {
  EXPECT_TRUE(Signs(PublicKeyKind::kRsa, kPs512));
  EXPECT_FALSE(Signs(PublicKeyKind::kRsa, kEs256));
  EXPECT_TRUE(Signs(PublicKeyKind::kP521, kEs512));
  EXPECT_FALSE(Signs(PublicKeyKind::kP256, kEs384));
  EXPECT_FALSE(Signs(PublicKeyKind::kEd25519, kRs256));
  const Signer curve(kEs256);
  const auto key = SignatureKey::Build(curve.numbers());
  EXPECT_FALSE(key->Verify(kRs256, "abc", curve.Sign("abc")));
  EXPECT_FALSE(key->Verify(kEs384, "abc", curve.Sign("abc")));
}

TEST(SignatureKeyTest, HalvesOfZeroAreNoSignature) {
  const auto key = SignatureKey::Build(Signer(kEs256).numbers());
  EXPECT_FALSE(key->Verify(kEs256, "abc", std::string(64, '\0')));
}

TEST(SignatureKeyTest, RsaHasItsSizesAndExponents) {
  EXPECT_EQ(SignatureKey::Build(Signer(kRs256, 1024).numbers()), nullptr);
  EXPECT_EQ(SignatureKey::Build(Signer(kRs256, 2040).numbers()), nullptr);
  EXPECT_NE(SignatureKey::Build(Signer(kRs256, 3072).numbers()), nullptr);
  const PublicKeyNumbers good = Signer(kRs256).numbers();
  PublicKeyNumbers wide = good;
  wide.first = std::string(2, '\0') + wide.first;
  EXPECT_NE(SignatureKey::Build(wide), nullptr) << "leading zeros say nothing";
  wide.first = std::string(600, '\x7f');
  EXPECT_EQ(SignatureKey::Build(wide), nullptr);
  for (const std::string& exponent :
       {std::string(), std::string("\x01", 1), std::string("\x02", 1), std::string("\x01\x00\x00\x00\x01", 5)}) {
    PublicKeyNumbers odd = good;
    odd.second = exponent;
    EXPECT_EQ(SignatureKey::Build(odd), nullptr) << exponent.size();
  }
}

TEST(SignatureKeyTest, APointOffItsCurveIsNoKey) {
  PublicKeyNumbers numbers = Signer(kEs256).numbers();
  EXPECT_NE(SignatureKey::Build(numbers), nullptr);
  numbers.second.back() = static_cast<char>(numbers.second.back() ^ 1);
  EXPECT_EQ(SignatureKey::Build(numbers), nullptr);
  numbers.second.pop_back();
  EXPECT_EQ(SignatureKey::Build(numbers), nullptr);
  EXPECT_EQ(SignatureKey::Build({.kind = PublicKeyKind::kEd25519, .first = "short", .second = {}}), nullptr);
}

TEST(SignatureKeyTest, KnowsNoAlgorithmWithoutAKeyOrWithASharedOne) {
  EXPECT_EQ(FindSignatureAlgorithm("RS256"), kRs256);
  EXPECT_EQ(FindSignatureAlgorithm("EdDSA"), kEdDsa);
  for (const char* name : {"none", "None", "", "HS256", "HS512", "rs256", "RS256 ", "ES256K"}) {
    EXPECT_EQ(FindSignatureAlgorithm(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace weir::net
