#include "net/tls_certificate.h"

#include "base/text.h"
#include "net/openssl_parts.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace weir::net {
namespace {

std::string TextOf(bio_st* memory) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  return size <= 0 ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

std::string TextOf(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::vector<std::string> NamesOf(X509& certificate) {
  std::vector<std::string> names;
  auto* const alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type == GEN_DNS) names.push_back(ToLowerAscii(TextOf(name->d.dNSName)));
  }
  GENERAL_NAMES_free(alternatives);
  if (!names.empty()) return names;
  const X509_NAME* const subject = X509_get_subject_name(&certificate);
  int at = -1;
  while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) {
    names.push_back(ToLowerAscii(TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))));
  }
  return names;
}

std::uint16_t HashBitsOf(X509& certificate) {
  int digest = NID_undef;
  int key = NID_undef;
  int bits = 0;
  std::uint32_t flags = 0;
  // Knows RSASSA-PSS, whose hash is in its parameters.
  if (X509_get_signature_info(&certificate, &digest, &key, &bits, &flags) != 1) return 0;
  if (digest == NID_md5) return 1;
  const EVP_MD* const hash = EVP_get_digestbynid(digest);
  return hash == nullptr ? std::uint16_t{0} : static_cast<std::uint16_t>(EVP_MD_get_size(hash) * 8);
}

std::string IdOf(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(&certificate, EVP_sha256(), digest.data(), &size);
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    AppendHex(text, digest[i], 2);
  }
  return text;
}

TlsKeyType KeyTypeOf(const EVP_PKEY* key) {
  if (key == nullptr) return TlsKeyType::kOther;
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return TlsKeyType::kRsa;
    case EVP_PKEY_EC:
      return TlsKeyType::kEcdsa;
    default:
      return TlsKeyType::kOther;
  }
}

}  // namespace

std::string NameText(const X509_name_st& name) {
  const OwnedBio memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), &name, 0, XN_FLAG_RFC2253);
  return TextOf(memory.get());
}

std::string SerialText(const asn1_string_st& serial) {
  BIGNUM* const number = ASN1_INTEGER_to_BN(&serial, nullptr);
  char* const digits = number == nullptr ? nullptr : BN_bn2hex(number);
  std::string text = digits == nullptr ? std::string() : std::string(digits);
  if (text == "0") text = "00";
  OPENSSL_free(digits);
  BN_free(number);
  return text;
}

WallTime TimeOf(const asn1_string_st& time) {
  std::tm civil{};
  if (ASN1_TIME_to_tm(&time, &civil) != 1) return {};
  // Its ends are in 1677 and 2262: certificates without an end say 9999 (RFC 5280 section 4.1.2.5).
  constexpr auto kFirst = std::chrono::duration_cast<std::chrono::seconds>(WallTime::duration::min()).count();
  constexpr auto kLast = std::chrono::duration_cast<std::chrono::seconds>(WallTime::duration::max()).count();
  return std::chrono::system_clock::from_time_t(std::clamp<std::time_t>(timegm(&civil), kFirst, kLast));
}

std::string CurveName(const evp_pkey_st& key) {
  std::array<char, 64> curve{};
  std::size_t size = 0;
  EVP_PKEY_get_group_name(&key, curve.data(), curve.size(), &size);
  return {curve.data(), size};
}

bool IsSupportedCurve(const evp_pkey_st& key) {
  const std::string name = CurveName(key);
  return name == SN_X9_62_prime256v1 || name == SN_secp384r1 || name == SN_secp521r1;
}

TlsCertificateFacts FactsOf(x509_st& certificate) {
  const EVP_PKEY* const key = X509_get0_pubkey(&certificate);
  TlsCertificateFacts facts{
      .names = NamesOf(certificate),
      .subject = NameText(*X509_get_subject_name(&certificate)),
      .issuer = NameText(*X509_get_issuer_name(&certificate)),
      .serial_number = SerialText(*X509_get0_serialNumber(&certificate)),
      .key_type = KeyTypeOf(key),
      .key_bits = key == nullptr ? std::uint16_t{0} : static_cast<std::uint16_t>(EVP_PKEY_get_bits(key)),
      .hash_bits = HashBitsOf(certificate),
      .not_before = TimeOf(*X509_get0_notBefore(&certificate)),
      .not_after = TimeOf(*X509_get0_notAfter(&certificate)),
      .id = IdOf(certificate)};
  ERR_clear_error();
  return facts;
}

std::string FormatCertificateTime(WallTime time) {
  // Certificates count in seconds.
  return FormatIso8601(time).substr(0, 19) + "Z";
}

}  // namespace weir::net
