#include "tests/proxy/actions/jwt/signed_tokens.h"

#include "base/base64.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <cstddef>
#include <utility>

namespace weir::testing {

using enum net::SignatureAlgorithm;

namespace {

bool IsPss(net::SignatureAlgorithm algorithm) { return algorithm >= kPs256 && algorithm <= kPs512; }
bool IsRsa(net::SignatureAlgorithm algorithm) { return algorithm <= kPs512; }

std::size_t FieldBytes(net::SignatureAlgorithm algorithm) {
  return algorithm == kEs256 ? 32 : algorithm == kEs384 ? 48 : algorithm == kEs512 ? 66 : 0;
}

const char* CurveOf(net::SignatureAlgorithm algorithm) {
  return algorithm == kEs256 ? "P-256" : algorithm == kEs384 ? "P-384" : "P-521";
}

const EVP_MD* HashOf(net::SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case kRs256:
    case kPs256:
    case kEs256:
      return EVP_sha256();
    case kRs384:
    case kPs384:
    case kEs384:
      return EVP_sha384();
    case kEdDsa:
      return nullptr;
    default:
      return EVP_sha512();
  }
}

std::string NumberOf(const EVP_PKEY* key, const char* name, std::size_t bytes) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  std::string out(bytes == 0 ? static_cast<std::size_t>(BN_num_bytes(number)) : bytes, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  BN_free(number);
  return out;
}

}  // namespace

struct Signer::Key {
  EVP_PKEY* pair = nullptr;
  ~Key() { EVP_PKEY_free(pair); }
};

Signer::Signer(net::SignatureAlgorithm algorithm, unsigned rsa_bits)
    : algorithm_(algorithm), key_(std::make_unique<Key>()) {
  if (IsRsa(algorithm)) {
    key_->pair = EVP_RSA_gen(rsa_bits);
  } else if (algorithm == kEdDsa) {
    key_->pair = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  } else {
    key_->pair = EVP_EC_gen(CurveOf(algorithm));
  }
}
Signer::~Signer() = default;

net::PublicKeyNumbers Signer::numbers() const {
  if (IsRsa(algorithm_)) {
    return {.kind = net::PublicKeyKind::kRsa,
            .first = NumberOf(key_->pair, OSSL_PKEY_PARAM_RSA_N, 0),
            .second = NumberOf(key_->pair, OSSL_PKEY_PARAM_RSA_E, 0)};
  }
  if (algorithm_ == kEdDsa) {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key_->pair, reinterpret_cast<unsigned char*>(raw.data()), &size);
    return {.kind = net::PublicKeyKind::kEd25519, .first = raw, .second = {}};
  }
  const auto kind = algorithm_ == kEs256   ? net::PublicKeyKind::kP256
                    : algorithm_ == kEs384 ? net::PublicKeyKind::kP384
                                           : net::PublicKeyKind::kP521;
  return {.kind = kind,
          .first = NumberOf(key_->pair, OSSL_PKEY_PARAM_EC_PUB_X, FieldBytes(algorithm_)),
          .second = NumberOf(key_->pair, OSSL_PKEY_PARAM_EC_PUB_Y, FieldBytes(algorithm_))};
}

std::string Signer::Sign(std::string_view message) const {
  EVP_MD_CTX* const state = EVP_MD_CTX_new();
  EVP_PKEY_CTX* options = nullptr;
  EVP_DigestSignInit(state, &options, HashOf(algorithm_), nullptr, key_->pair);
  if (IsPss(algorithm_)) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
  }
  std::string out(1024, '\0');
  std::size_t size = out.size();
  EVP_DigestSign(state, reinterpret_cast<unsigned char*>(out.data()), &size,
                 reinterpret_cast<const unsigned char*>(message.data()), message.size());
  EVP_MD_CTX_free(state);
  out.resize(size);
  const std::size_t field = FieldBytes(algorithm_);
  if (field == 0) return out;
  const auto* der = reinterpret_cast<const unsigned char*>(out.data());
  ECDSA_SIG* const parts = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(out.size()));
  std::string raw(2 * field, '\0');
  auto* const bytes = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(parts), bytes, static_cast<int>(field));
  BN_bn2binpad(ECDSA_SIG_get0_s(parts), bytes + field, static_cast<int>(field));
  ECDSA_SIG_free(parts);
  return raw;
}

std::string Signer::Jwk(std::string_view id, std::string_view more) const {
  const net::PublicKeyNumbers own = numbers();
  const std::string first = EncodeBase64Url(own.first);
  const std::string second = EncodeBase64Url(own.second);
  std::string members;
  if (IsRsa(algorithm_)) {
    members = fmt::format(R"("kty":"RSA","n":"{}","e":"{}")", first, second);
  } else if (algorithm_ == kEdDsa) {
    members = fmt::format(R"("kty":"OKP","crv":"Ed25519","x":"{}")", first);
  } else {
    members = fmt::format(R"("kty":"EC","crv":"{}","x":"{}","y":"{}")", CurveOf(algorithm_), first, second);
  }
  return fmt::format(R"({{"kid":"{}",{}{}}})", id, members, more);
}

std::string Signer::Token(std::string_view header, std::string_view claims) const {
  std::string text = EncodeBase64Url(header) + "." + EncodeBase64Url(claims);
  const std::string signature = EncodeBase64Url(Sign(text));
  return text + "." + signature;
}

}  // namespace weir::testing
