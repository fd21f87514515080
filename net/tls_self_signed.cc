#include "net/tls_self_signed.h"

#include "base/check.h"
#include "base/ip_address.h"
#include "net/openssl_parts.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace weir::net {
namespace {

// A host name or a wildcard of one label: letters, digits, - and _, in labels.
bool IsName(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= 253 && name.front() != '.' && name.back() != '.' &&
         name.find("..") == std::string_view::npos && std::ranges::all_of(name, is_plain);
}

void AddExtension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX about{};
  X509V3_set_ctx(&about, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &about, kind, value.c_str());
  WEIR_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void SetSerial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  WEIR_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  bytes[0] &= 0x7F;  // positive
  BIGNUM* const number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
}

std::string PemOf(bio_st* memory) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

Result<SelfSignedCertificate> MakeSelfSigned(const SelfSignedRequest& request) {
  WEIR_CHECK(!request.names.empty());
  std::string alternatives;
  for (const std::string& name : request.names) {
    const bool is_address = IpAddress::Parse(name).has_value();
    if (!is_address && !IsName(name)) {
      return Failure("a certificate cannot be for `" + name + "`",
                     "a host name, *.NAME or an address; other letters in their xn-- form");
    }
    alternatives += (alternatives.empty() ? "" : ",") + std::string(is_address ? "IP:" : "DNS:") + name;
  }
  const OwnedKey key(EVP_EC_gen("P-256"));
  const OwnedX509 certificate(X509_new());
  WEIR_CHECK(key != nullptr && certificate != nullptr);
  X509_set_version(certificate.get(), X509_VERSION_3);
  SetSerial(certificate.get());
  const auto begin = request.now - std::chrono::hours(1);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), std::chrono::system_clock::to_time_t(begin));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()),
                std::chrono::system_clock::to_time_t(request.now + request.lifetime));
  X509_set_pubkey(certificate.get(), key.get());
  // The common name is short; what counts is in the alternative names.
  const std::string subject = request.names.front().substr(0, 64);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(certificate.get(), NID_key_usage, "critical,digitalSignature");
  AddExtension(certificate.get(), NID_ext_key_usage, "serverAuth");
  AddExtension(certificate.get(), NID_subject_alt_name, alternatives);
  WEIR_CHECK(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  const OwnedBio certificate_text(BIO_new(BIO_s_mem()));
  const OwnedBio key_text(BIO_new(BIO_s_secmem()));
  PEM_write_bio_X509(certificate_text.get(), certificate.get());
  PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  ERR_clear_error();
  return SelfSignedCertificate{.certificate = PemOf(certificate_text.get()), .key = PemOf(key_text.get())};
}

}  // namespace weir::net
