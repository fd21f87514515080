#include "net/tls_client_certificate.h"

#include "net/openssl_parts.h"
#include "net/tls_certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace weir::net {
namespace {

constexpr int kClientRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;

// Of any year that ASN.1 can write, unlike a WallTime.
std::string TimeText(const ASN1_TIME* time) {
  std::tm civil{};
  if (ASN1_TIME_to_tm(time, &civil) != 1) return "-";
  std::array<char, 40> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", civil.tm_year + 1900,
                                 civil.tm_mon + 1, civil.tm_mday, civil.tm_hour, civil.tm_min, civil.tm_sec);
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

std::string UnsupportedKey(const EVP_PKEY* key) {
  if (key == nullptr) return "a key that cannot be read";
  const int bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return bits >= kClientRsaBitsMin && bits <= kRsaBitsMax ? std::string()
                                                              : "an RSA key of " + std::to_string(bits) + " bits";
    case EVP_PKEY_EC:
      return IsSupportedCurve(*key) ? std::string() : "an ECDSA key on the curve " + CurveName(*key);
    default: {
      const char* const type = EVP_PKEY_get0_type_name(key);
      return type == nullptr ? "a key of an unknown kind" : "a key of the kind " + std::string(type);
    }
  }
}

std::string UnsupportedSignature(X509& certificate) {
  int digest = NID_undef;
  int key = NID_undef;
  int bits = 0;
  std::uint32_t flags = 0;
  X509_get_signature_info(&certificate, &digest, &key, &bits, &flags);
  const bool is_hash = digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
  const bool is_key = key == NID_rsaEncryption || key == NID_rsassaPss || key == NID_X9_62_id_ecPublicKey;
  if (is_hash && is_key) return {};
  const char* const name = OBJ_nid2ln(X509_get_signature_nid(&certificate));
  return "a signature by " + std::string(name == nullptr ? "an unknown algorithm" : name);
}

}  // namespace

std::string_view ToString(ClientCertificateFault fault) {
  switch (fault) {
    case ClientCertificateFault::kNone:
      return {};
    case ClientCertificateFault::kMaxChainDepthExceeded:
      return "ClientCertMaxChainDepthExceeded";
    case ClientCertificateFault::kMaxSizeExceeded:
      return "ClientCertMaxSizeExceeded";
    case ClientCertificateFault::kCrlHit:
      return "ClientCertCrlHit";
    case ClientCertificateFault::kCrlProcessingError:
      return "ClientCertCrlProcessingError";
    case ClientCertificateFault::kUntrusted:
      return "ClientCertUntrusted";
    case ClientCertificateFault::kNotYetValid:
      return "ClientCertNotYetValid";
    case ClientCertificateFault::kExpired:
      return "ClientCertExpired";
    case ClientCertificateFault::kTypeUnsupported:
      return "ClientCertTypeUnsupported";
    case ClientCertificateFault::kInvalid:
      return "ClientCertInvalid";
    case ClientCertificateFault::kPurposeInvalid:
      return "ClientCertPurposeInvalid";
    case ClientCertificateFault::kIncompatible:
      return "ClientCertIncompatible";
  }
  return {};
}

TlsClientCertificate Describe(x509_st& certificate) {
  TlsClientCertificate out{.subject = NameText(*X509_get_subject_name(&certificate)),
                           .issuer = NameText(*X509_get_issuer_name(&certificate)),
                           .serial_number = SerialText(*X509_get0_serialNumber(&certificate)),
                           .validity = "NotBefore=" + TimeText(X509_get0_notBefore(&certificate)) +
                                       ";NotAfter=" + TimeText(X509_get0_notAfter(&certificate)),
                           .leaf = {},
                           .chain = {}};
  ERR_clear_error();
  return out;
}

std::string UrlEncodedPem(const x509_st& certificate) {
  const OwnedBio memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), &certificate);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &bytes);
  const std::string_view pem(bytes, size > 0 ? static_cast<std::size_t>(size) : 0);
  std::string out;
  out.reserve(pem.size() + 2 * static_cast<std::size_t>(std::ranges::count(pem, '\n')) + 8);
  // A PEM has nothing else that must be encoded.
  for (const char c : pem) {
    if (c == ' ') {
      out += "%20";
    } else if (c == '\n') {
      out += "%0A";
    } else {
      out += c;
    }
  }
  return out;
}

std::string UnsupportedKind(x509_st& certificate) {
  std::string out;
  if (X509_get_version(&certificate) != X509_VERSION_3) {
    out = "not of X.509 version 3";
  } else {
    out = UnsupportedKey(X509_get0_pubkey(&certificate));
    if (out.empty()) out = UnsupportedSignature(certificate);
  }
  ERR_clear_error();
  return out;
}

}  // namespace weir::net
