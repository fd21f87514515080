#include "net/key_secret.h"

#include "base/check.h"
#include "base/text.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace weir::net {

KeySecret MakeKeySecret() {
  KeySecret secret{};
  WEIR_CHECK(RAND_priv_bytes(secret.data(), static_cast<int>(secret.size())) == 1);
  return secret;
}

namespace {

constexpr std::size_t kDigits = 44;  // of 32 bytes, one of padding

}  // namespace

std::optional<KeySecret> ParseKeySecret(std::string_view text) {
  text = TrimBlanks(text);
  std::array<std::uint8_t, 33> bytes{};
  const auto* const digits = reinterpret_cast<const unsigned char*>(text.data());
  const bool is_key = text.size() == kDigits && text[kDigits - 1] == '=' && text[kDigits - 2] != '=' &&
                      EVP_DecodeBlock(bytes.data(), digits, kDigits) == static_cast<int>(bytes.size());
  if (!is_key) return std::nullopt;
  KeySecret secret{};
  std::copy_n(bytes.begin(), secret.size(), secret.begin());
  return secret;
}

std::string FormatKeySecret(const KeySecret& secret) {
  std::array<unsigned char, kDigits + 1> digits{};
  EVP_EncodeBlock(digits.data(), secret.data(), static_cast<int>(secret.size()));
  return {digits.begin(), digits.begin() + kDigits};
}

void DeriveKey(std::span<const std::uint8_t, 32> secret, std::string_view label, std::span<std::uint8_t> out) {
  EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* const context = EVP_KDF_CTX_new(kdf);
  char digest[] = "SHA256";
  std::string info(label);
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::uint8_t*>(secret.data()), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()), OSSL_PARAM_construct_end()};
  const bool derived = EVP_KDF_derive(context, out.data(), out.size(), params) == 1;
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  WEIR_CHECK(derived);
}

}  // namespace weir::net
