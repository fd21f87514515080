#include "net/tls_credentials.h"

#include "base/file.h"
#include "net/pem_file.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <utility>

namespace weir::net {
namespace {

using Part = TlsCredentialFailure::Part;

// More than any chain needs; a path that leads elsewhere is not read to its end.
constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr int kRsaBitsMin = 2048;

std::unexpected<TlsCredentialFailure> Refuse(Part part, std::string message, std::string hint = {}) {
  return std::unexpected(TlsCredentialFailure{.part = part, .error = {std::move(message), std::move(hint)}});
}

Result<std::string> ReadFile(const std::string& path) {
  return ReadFileUpTo(path, kFileBytesMax, "a certificate or a key");
}

std::expected<std::vector<OwnedX509>, TlsCredentialFailure> ReadChain(const std::string& path) {
  const auto text = ReadFile(path);
  if (!text) return Refuse(Part::kCertificate, text.error().message);
  auto chain = ParseCertificates(*text, path);
  if (!chain) return Refuse(Part::kCertificate, chain.error().message, chain.error().hint);
  return std::move(*chain);
}

struct Passphrase {
  std::string_view text;
  bool asked_for = false;
};

int GivePassphrase(char* buffer, int size, int /*writing*/, void* passphrase) {
  auto& own = *static_cast<Passphrase*>(passphrase);
  own.asked_for = true;
  if (own.text.empty() || static_cast<int>(own.text.size()) > size) return -1;
  std::memcpy(buffer, own.text.data(), own.text.size());
  return static_cast<int>(own.text.size());
}

std::expected<OwnedKey, TlsCredentialFailure> ReadKey(const TlsCredential::Files& files) {
  auto text = ReadFile(files.key);
  if (!text) return Refuse(Part::kKey, text.error().message);
  Passphrase passphrase{.text = files.passphrase};
  ERR_clear_error();
  OwnedKey key(PEM_read_bio_PrivateKey(MemoryOf(*text).get(), nullptr, GivePassphrase, &passphrase));
  OPENSSL_cleanse(text->data(), text->size());
  const std::string reason = TakeOpensslReason();
  if (key) return key;
  if (!passphrase.asked_for) {
    return Refuse(Part::kKey, files.key + " has no private key in PEM form" + (reason.empty() ? "" : ": " + reason));
  }
  if (files.passphrase.empty()) {
    return Refuse(Part::kKey, "the key in " + files.key + " is encrypted", "passphrase: {file: PATH}");
  }
  return Refuse(Part::kPassphrase, "the passphrase does not open the key in " + files.key);
}

// Empty when clients and AWS take it.
std::string RefusedKind(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return bits >= kRsaBitsMin ? std::string() : "an RSA key of " + std::to_string(bits) + " bits is too short";
    case EVP_PKEY_EC:
      return IsSupportedCurve(*key) ? std::string()
                                    : "ECDSA keys on the curve " + CurveName(*key) + " are not supported";
    default: {
      const char* const type = EVP_PKEY_get0_type_name(key);
      return std::string(type == nullptr ? "keys of this kind" : type) + " keys are not supported";
    }
  }
}

// Whether the system's authorities have a certificate with this subject. Only of use for a warning.
bool IsKnownAuthority(const X509_NAME* subject) {
  X509_STORE* const store = X509_STORE_new();
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_set_default_paths(store);
  X509_STORE_CTX_init(context, store, nullptr, nullptr);
  X509_OBJECT* const found = X509_STORE_CTX_get_obj_by_subject(context, X509_LU_X509, subject);
  const bool is_known = found != nullptr;
  X509_OBJECT_free(found);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  ERR_clear_error();
  return is_known;
}

bool IsSelfIssued(X509& certificate) {
  return X509_NAME_cmp(X509_get_subject_name(&certificate), X509_get_issuer_name(&certificate)) == 0;
}

}  // namespace

TlsCredential::TlsCredential(std::string certificate_file, std::vector<OwnedX509> chain, OwnedKey key)
    : certificate_file_(std::move(certificate_file)),
      chain_(std::move(chain)),
      key_(std::move(key)),
      facts_(FactsOf(*chain_.front())) {}

TlsCredential::~TlsCredential() = default;

std::expected<std::shared_ptr<const TlsCredential>, TlsCredentialFailure> TlsCredential::Load(const Files& files) {
  auto chain = ReadChain(files.certificate);
  if (!chain) return std::unexpected(chain.error());
  auto key = ReadKey(files);
  if (!key) return std::unexpected(key.error());
  if (const std::string refused = RefusedKind(key->get()); !refused.empty()) {
    return Refuse(Part::kKey, files.key + ": " + refused,
                  "RSA of 2048 bits or more, or ECDSA on P-256, P-384 or P-521");
  }
  const bool fits = X509_check_private_key(chain->front().get(), key->get()) == 1;
  ERR_clear_error();
  if (!fits) {
    return Refuse(Part::kKey, "the key in " + files.key + " does not fit the certificate in " + files.certificate);
  }
  return std::shared_ptr<const TlsCredential>(new TlsCredential(files.certificate, std::move(*chain), std::move(*key)));
}

std::vector<Error> TlsCredential::Doubts(WallTime now) const {
  std::vector<Error> doubts;
  if (facts_.expired(now)) {
    doubts.push_back({certificate_file_ + " expired at " + FormatCertificateTime(facts_.not_after), {}});
  } else if (!facts_.valid(now)) {
    doubts.push_back({certificate_file_ + " is not valid before " + FormatCertificateTime(facts_.not_before), {}});
  }
  for (std::size_t i = 1; i < chain_.size(); ++i) {
    if (X509_check_issued(chain_[i].get(), chain_[i - 1].get()) == X509_V_OK) continue;
    doubts.push_back(
        {certificate_file_ + ": certificate " + std::to_string(i + 1) + " is not the issuer of the one before it",
         "each certificate is followed by that of its issuer"});
    ERR_clear_error();
    return doubts;
  }
  X509& last = *chain_.back();
  if (!IsSelfIssued(last) && !IsKnownAuthority(X509_get_issuer_name(&last))) {
    doubts.push_back({certificate_file_ + " does not have the certificate of its issuer, " + FactsOf(last).issuer,
                      "append the intermediate certificates: clients that do not know the issuer will refuse"});
  }
  ERR_clear_error();
  return doubts;
}

}  // namespace weir::net
