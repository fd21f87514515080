#include "net/signing_key.h"

#include "base/check.h"
#include "base/text.h"
#include "net/key_secret.h"
#include "net/sha256.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

constexpr std::size_t kNumberBytes = 32;

template <class T, void (*kFree)(T*)>
struct Freer {
  void operator()(T* object) const { kFree(object); }
};
using Number = std::unique_ptr<BIGNUM, Freer<BIGNUM, BN_clear_free>>;
using Curve = std::unique_ptr<EC_GROUP, Freer<EC_GROUP, EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freer<EC_POINT, EC_POINT_free>>;
using Scratch = std::unique_ptr<BN_CTX, Freer<BN_CTX, BN_CTX_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM, OSSL_PARAM_free>>;
using KeyState = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using DigestState = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG, ECDSA_SIG_free>>;

// A number from 1 to the order of the curve less one, by extra random bits (FIPS 186-5 A.2.1).
Number PrivateNumber(std::span<const std::uint8_t, 32> secret, const EC_GROUP* curve, BN_CTX* scratch) {
  std::array<std::uint8_t, 48> bytes{};
  DeriveKey(secret, "weir claims signature", bytes);
  Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  const Number bound(BN_dup(EC_GROUP_get0_order(curve)));
  WEIR_CHECK(BN_sub_word(bound.get(), 1) == 1 && BN_mod(number.get(), number.get(), bound.get(), scratch) == 1 &&
             BN_add_word(number.get(), 1) == 1);
  return number;
}

OwnedKey KeyOf(std::span<const std::uint8_t, 32> secret) {
  const Scratch scratch(BN_CTX_secure_new());
  const Curve curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Number number = PrivateNumber(secret, curve.get(), scratch.get());
  const Point point(EC_POINT_new(curve.get()));
  WEIR_CHECK(EC_POINT_mul(curve.get(), point.get(), number.get(), nullptr, nullptr, scratch.get()) == 1);
  std::array<unsigned char, 2 * kNumberBytes + 1> octets{};
  WEIR_CHECK(EC_POINT_point2oct(curve.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, octets.data(), octets.size(),
                                scratch.get()) == octets.size());
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  WEIR_CHECK(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
             OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get()) == 1 &&
             OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size()) ==
                 1);
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyState state(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  WEIR_CHECK(EVP_PKEY_fromdata_init(state.get()) == 1 &&
             EVP_PKEY_fromdata(state.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) == 1);
  return OwnedKey(key);
}

std::string PublicPemOf(EVP_PKEY* key) {
  const OwnedBio memory(BIO_new(BIO_s_mem()));
  WEIR_CHECK(PEM_write_bio_PUBKEY(memory.get(), key) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

// 8-4-4-4-12 hexadecimal digits of a hash.
std::string IdOf(std::string_view public_pem) {
  const std::string hash = Sha256(public_pem);
  std::string out;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    AppendHex(out, static_cast<unsigned char>(hash[i]), 2);
  }
  return out;
}

}  // namespace

SigningKey::SigningKey(OwnedKey key)
    : key_(std::move(key)), public_pem_(PublicPemOf(key_.get())), id_(IdOf(public_pem_)) {}

SigningKey SigningKey::From(std::span<const std::uint8_t, 32> secret) { return SigningKey(KeyOf(secret)); }

std::string SigningKey::Sign(std::string_view text) const {
  const DigestState state(EVP_MD_CTX_new());
  std::array<unsigned char, 80> der{};  // at most 72
  std::size_t size = der.size();
  WEIR_CHECK(EVP_DigestSignInit(state.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
             EVP_DigestSign(state.get(), der.data(), &size, reinterpret_cast<const unsigned char*>(text.data()),
                            text.size()) == 1);
  const unsigned char* at = der.data();
  const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  std::array<unsigned char, 2 * kNumberBytes> raw{};
  WEIR_CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), kNumberBytes) >= 0 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + kNumberBytes, kNumberBytes) >= 0);
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

}  // namespace weir::net
