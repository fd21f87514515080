#include "net/signing_key.h"

#include "net/openssl_parts.h"
#include "net/pem_file.h"
#include "net/sha256.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <cstdint>
#include <string>

namespace weir::net {
namespace {

std::array<std::uint8_t, 32> SecretOf(std::uint8_t byte) {
  std::array<std::uint8_t, 32> secret{};
  secret.fill(byte);
  return secret;
}

// As somebody does it who has the PEM text alone.
bool Verifies(const std::string& pem, const std::string& text, const std::string& signature) {
  const OwnedBio memory = MemoryOf(pem);
  const OwnedKey key(PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr));
  const auto* const bytes = reinterpret_cast<const unsigned char*>(signature.data());
  ECDSA_SIG* const parts = ECDSA_SIG_new();
  ECDSA_SIG_set0(parts, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts, &der);
  EVP_MD_CTX* const state = EVP_MD_CTX_new();
  const bool good = EVP_DigestVerifyInit(state, nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestVerify(state, der, static_cast<std::size_t>(size),
                                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(state);
  OPENSSL_free(der);
  ECDSA_SIG_free(parts);
  return good;
}

TEST(SigningKeyTest, WhatItSignsItsPublicKeyVerifies) {
  const SigningKey key = SigningKey::From(SecretOf(7));
  for (int i = 0; i < 50; ++i) {  // numbers with zeros in front keep their 32 bytes
    const std::string text = "text " + std::to_string(i);
    const std::string signature = key.Sign(text);
    ASSERT_EQ(signature.size(), 64U);
    EXPECT_TRUE(Verifies(key.public_pem(), text, signature));
    EXPECT_FALSE(Verifies(key.public_pem(), text + "x", signature));
  }
}

TEST(SigningKeyTest, OneSecretMakesOneKeyEverywhere) {
  const SigningKey key = SigningKey::From(SecretOf(7));
  EXPECT_EQ(SigningKey::From(SecretOf(7)).public_pem(), key.public_pem());
  EXPECT_EQ(SigningKey::From(SecretOf(7)).id(), key.id());
  const SigningKey other = SigningKey::From(SecretOf(8));
  EXPECT_NE(other.public_pem(), key.public_pem());
  EXPECT_NE(other.id(), key.id());
  EXPECT_TRUE(Verifies(key.public_pem(), "a", SigningKey::From(SecretOf(7)).Sign("a")));
  EXPECT_FALSE(Verifies(other.public_pem(), "a", key.Sign("a")));
}

TEST(SigningKeyTest, TheIdIsWrittenLikeAUuid) {
  const std::string id = SigningKey::From(SecretOf(1)).id();
  ASSERT_EQ(id.size(), 36U);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) EXPECT_EQ(id[dash], '-');
  EXPECT_TRUE(SigningKey::From(SecretOf(1)).public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
}

TEST(Sha256Test, OfAbc) {
  std::string hex;
  for (const char c : Sha256("abc")) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) >> 4U];
    hex += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  EXPECT_EQ(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace weir::net
