#include "net/signature_key.h"

#include "net/openssl_parts.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <utility>

namespace weir::net {
namespace {

using enum SignatureAlgorithm;

struct FreeParts {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(EVP_MD* hash) const { EVP_MD_free(hash); }
  void operator()(EVP_MD_CTX* state) const { EVP_MD_CTX_free(state); }
  void operator()(EVP_PKEY_CTX* state) const { EVP_PKEY_CTX_free(state); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeParts>;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Owned<BIGNUM> ToNumber(std::string_view text) {
  return Owned<BIGNUM>(BN_bin2bn(Bytes(text), static_cast<int>(text.size()), nullptr));
}

bool IsPss(SignatureAlgorithm algorithm) { return algorithm >= kPs256 && algorithm <= kPs512; }

// Null: the algorithm hashes by itself.
const char* HashOf(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case kRs256:
    case kPs256:
    case kEs256:
      return "SHA256";
    case kRs384:
    case kPs384:
    case kEs384:
      return "SHA384";
    case kRs512:
    case kPs512:
    case kEs512:
      return "SHA512";
    case kEdDsa:
      return nullptr;
  }
  std::unreachable();
}

// Of one coordinate, and of one half of a signature.
std::size_t FieldBytes(PublicKeyKind kind) {
  switch (kind) {
    case PublicKeyKind::kP256:
      return 32;
    case PublicKeyKind::kP384:
      return 48;
    case PublicKeyKind::kP521:
      return 66;
    default:
      return 0;
  }
}

const char* GroupOf(PublicKeyKind kind) {
  switch (kind) {
    case PublicKeyKind::kP256:
      return "P-256";
    case PublicKeyKind::kP384:
      return "P-384";
    case PublicKeyKind::kP521:
      return "P-521";
    default:
      return nullptr;
  }
}

OwnedKey FromParameters(const char* type, OSSL_PARAM_BLD& builder) {
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(&builder));
  const Owned<EVP_PKEY_CTX> state(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters != nullptr && state != nullptr && EVP_PKEY_fromdata_init(state.get()) == 1) {
    EVP_PKEY_fromdata(state.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  }
  return OwnedKey(key);
}

OwnedKey RsaKey(const PublicKeyNumbers& numbers) {
  constexpr int kExponentBitsMax = 32;
  const Owned<BIGNUM> modulus = ToNumber(numbers.first);
  const Owned<BIGNUM> exponent = ToNumber(numbers.second);
  if (modulus == nullptr || exponent == nullptr) return nullptr;
  const int bits = BN_num_bits(modulus.get());
  if (bits < SignatureKey::kRsaBitsMin || bits > SignatureKey::kRsaBitsMax || BN_is_odd(modulus.get()) != 1) {
    return nullptr;
  }
  if (BN_is_odd(exponent.get()) != 1 || BN_is_one(exponent.get()) == 1 ||
      BN_num_bits(exponent.get()) > kExponentBitsMax) {
    return nullptr;
  }
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return FromParameters("RSA", *builder);
}

OwnedKey CurveKey(const PublicKeyNumbers& numbers) {
  // RFC 7518 section 6.2.1.2: a coordinate has all its octets.
  const std::size_t bytes = FieldBytes(numbers.kind);
  if (numbers.first.size() != bytes || numbers.second.size() != bytes) return nullptr;
  const std::string point = "\x04" + numbers.first + numbers.second;
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, GroupOf(numbers.kind), 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return nullptr;
  }
  return FromParameters("EC", *builder);
}

OwnedKey ToKey(const PublicKeyNumbers& numbers) {
  switch (numbers.kind) {
    case PublicKeyKind::kRsa:
      return RsaKey(numbers);
    case PublicKeyKind::kP256:
    case PublicKeyKind::kP384:
    case PublicKeyKind::kP521:
      return CurveKey(numbers);
    case PublicKeyKind::kEd25519:
      return OwnedKey(
          EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(numbers.first), numbers.first.size()));
  }
  std::unreachable();
}

// r and s as OpenSSL wants them; empty when they are none.
std::string ToDer(std::string_view signature, std::size_t field_bytes) {
  if (signature.size() != 2 * field_bytes) return {};
  const Owned<ECDSA_SIG> parts(ECDSA_SIG_new());
  Owned<BIGNUM> r = ToNumber(signature.substr(0, field_bytes));
  Owned<BIGNUM> s = ToNumber(signature.substr(field_bytes));
  if (parts == nullptr || r == nullptr || s == nullptr) return {};
  if (ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

}  // namespace

std::optional<SignatureAlgorithm> FindSignatureAlgorithm(std::string_view name) {
  const auto found = std::ranges::find(kSignatureAlgorithmNames, name);
  if (found == kSignatureAlgorithmNames.end()) return std::nullopt;
  return static_cast<SignatureAlgorithm>(found - kSignatureAlgorithmNames.begin());
}

bool Signs(PublicKeyKind kind, SignatureAlgorithm algorithm) {
  switch (kind) {
    case PublicKeyKind::kRsa:
      return algorithm <= kPs512;
    case PublicKeyKind::kP256:
      return algorithm == kEs256;
    case PublicKeyKind::kP384:
      return algorithm == kEs384;
    case PublicKeyKind::kP521:
      return algorithm == kEs512;
    case PublicKeyKind::kEd25519:
      return algorithm == kEdDsa;
  }
  std::unreachable();
}

struct SignatureKey::Parts {
  // What OpenSSL needs to verify by one algorithm, made with the first such signature: looking it up anew each time
  // costs a fifth of what RSA does.
  struct Prepared {
    Owned<EVP_MD> hash;
    Owned<EVP_PKEY_CTX> state;
  };

  explicit Parts(OwnedKey own_key) : key(std::move(own_key)), digest(EVP_MD_CTX_new()) {}

  // Null when OpenSSL cannot.
  Prepared* Prepare(SignatureAlgorithm algorithm) {
    Prepared& made = prepared[std::to_underlying(algorithm)];
    if (made.state != nullptr) return &made;
    made.hash.reset(EVP_MD_fetch(nullptr, HashOf(algorithm), nullptr));
    Owned<EVP_PKEY_CTX> state(EVP_PKEY_CTX_new(key.get(), nullptr));
    if (made.hash == nullptr || state == nullptr || EVP_PKEY_verify_init(state.get()) != 1) return nullptr;
    if (EVP_PKEY_CTX_set_signature_md(state.get(), made.hash.get()) != 1) return nullptr;
    // RFC 7518 section 3.5: the salt is as long as the hash.
    if (IsPss(algorithm) && (EVP_PKEY_CTX_set_rsa_padding(state.get(), RSA_PKCS1_PSS_PADDING) != 1 ||
                             EVP_PKEY_CTX_set_rsa_pss_saltlen(state.get(), RSA_PSS_SALTLEN_DIGEST) != 1)) {
      return nullptr;
    }
    made.state = std::move(state);
    return &made;
  }

  [[nodiscard]] bool VerifyHashed(SignatureAlgorithm algorithm, std::string_view message, std::string_view signature) {
    Prepared* const ready = Prepare(algorithm);
    if (ready == nullptr) return false;
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
    unsigned size = 0;
    return EVP_DigestInit_ex2(digest.get(), ready->hash.get(), nullptr) == 1 &&
           EVP_DigestUpdate(digest.get(), message.data(), message.size()) == 1 &&
           EVP_DigestFinal_ex(digest.get(), hash.data(), &size) == 1 &&
           EVP_PKEY_verify(ready->state.get(), Bytes(signature), signature.size(), hash.data(), size) == 1;
  }

  [[nodiscard]] bool VerifyWhole(std::string_view message, std::string_view signature) {
    const Owned<EVP_MD_CTX> state(EVP_MD_CTX_new());
    return state != nullptr && EVP_DigestVerifyInit(state.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(state.get(), Bytes(signature), signature.size(), Bytes(message), message.size()) == 1;
  }

  OwnedKey key;
  Owned<EVP_MD_CTX> digest;
  std::array<Prepared, kSignatureAlgorithmNames.size()> prepared;
};

SignatureKey::SignatureKey(PublicKeyKind kind, std::unique_ptr<Parts> parts) : kind_(kind), parts_(std::move(parts)) {}
SignatureKey::~SignatureKey() = default;

std::unique_ptr<SignatureKey> SignatureKey::Build(const PublicKeyNumbers& numbers) {
  OwnedKey key = ToKey(numbers);
  ERR_clear_error();
  if (key == nullptr) return nullptr;
  return std::unique_ptr<SignatureKey>(new SignatureKey(numbers.kind, std::make_unique<Parts>(std::move(key))));
}

bool SignatureKey::Verify(SignatureAlgorithm algorithm, std::string_view message, std::string_view signature) {
  if (!Signs(kind_, algorithm)) return false;
  bool good = false;
  if (algorithm == kEdDsa) {
    good = parts_->VerifyWhole(message, signature);
  } else if (const std::size_t field_bytes = FieldBytes(kind_); field_bytes > 0) {
    const std::string der = ToDer(signature, field_bytes);
    good = !der.empty() && parts_->VerifyHashed(algorithm, message, der);
  } else {
    good = parts_->VerifyHashed(algorithm, message, signature);
  }
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace weir::net
