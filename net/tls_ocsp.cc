#include "net/tls_ocsp.h"

#include "base/file.h"
#include "net/openssl_parts.h"
#include "net/tls_certificate.h"
#include "net/tls_credentials.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

namespace weir::net {
namespace {

// A response about one certificate has some kilobytes, with those of its signers.
constexpr std::size_t kResponseBytesMax = 64 * 1024;

struct FreeOcsp {
  void operator()(OCSP_RESPONSE* response) const { OCSP_RESPONSE_free(response); }
  void operator()(OCSP_BASICRESP* basic) const { OCSP_BASICRESP_free(basic); }
};
using OwnedResponse = std::unique_ptr<OCSP_RESPONSE, FreeOcsp>;
using OwnedBasic = std::unique_ptr<OCSP_BASICRESP, FreeOcsp>;

OwnedResponse Parse(const std::string& encoded) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(encoded.data());
  const auto* const end = bytes + encoded.size();
  OwnedResponse response(d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(encoded.size())));
  if (bytes != end) response.reset();
  ERR_clear_error();
  return response;
}

// The issuer of the certificate, where its file has it.
X509* IssuerOf(const TlsCredential& credential) {
  X509& certificate = credential.certificate();
  const auto issuers = credential.issuers();
  X509* const issuer = issuers.empty() ? &certificate : issuers.front().get();
  const bool is_issuer = X509_check_issued(issuer, &certificate) == X509_V_OK;
  ERR_clear_error();
  return is_issuer ? issuer : nullptr;
}

// Whether the entry is about the certificate: by its serial number and the hash of its issuer's name.
bool IsAbout(const OCSP_CERTID& id, const X509& certificate) {
  ASN1_OCTET_STRING* name_hash = nullptr;
  ASN1_OBJECT* algorithm = nullptr;
  ASN1_INTEGER* serial = nullptr;
  if (OCSP_id_get0_info(&name_hash, &algorithm, nullptr, &serial, const_cast<OCSP_CERTID*>(&id)) != 1) return false;
  const EVP_MD* const digest = EVP_get_digestbyobj(algorithm);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  return digest != nullptr && ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(&certificate)) == 0 &&
         X509_NAME_digest(X509_get_issuer_name(&certificate), digest, hash.data(), &size) == 1 &&
         ASN1_STRING_length(name_hash) == static_cast<int>(size) &&
         std::memcmp(ASN1_STRING_get0_data(name_hash), hash.data(), size) == 0;
}

bool IsSignedFor(OCSP_BASICRESP& basic, X509& issuer) {
  const OwnedX509Store store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), &issuer);
  // The issuer need not be a root.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  STACK_OF(X509)* const signers = sk_X509_new_null();
  sk_X509_push(signers, &issuer);
  const bool is_signed = OCSP_basic_verify(&basic, signers, store.get(), OCSP_TRUSTOTHER) == 1;
  sk_X509_free(signers);
  return is_signed;
}

TlsOcspAnswer AnswerOf(OCSP_SINGLERESP& single) {
  using enum TlsOcspAnswer::Standing;
  ASN1_GENERALIZEDTIME* this_update = nullptr;
  ASN1_GENERALIZEDTIME* next_update = nullptr;
  const int status = OCSP_single_get0_status(&single, nullptr, nullptr, &this_update, &next_update);
  TlsOcspAnswer answer;
  if (status == V_OCSP_CERTSTATUS_GOOD) answer.standing = kGood;
  if (status == V_OCSP_CERTSTATUS_REVOKED) answer.standing = kRevoked;
  if (this_update != nullptr) answer.this_update = TimeOf(*this_update);
  if (next_update != nullptr) answer.next_update = TimeOf(*next_update);
  return answer;
}

}  // namespace

Result<std::shared_ptr<const TlsOcspResponse>> TlsOcspResponse::Load(const std::string& path) {
  auto text = ReadFileUpTo(path, kResponseBytesMax, "an OCSP response");
  if (!text) return std::unexpected(text.error());
  const OwnedResponse response = Parse(*text);
  if (response == nullptr)
    return Failure(path + " holds no OCSP response", "DER, as `openssl ocsp -respout` writes it");
  if (const int status = OCSP_response_status(response.get()); status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return Failure(path + " holds no answer of the authority: " + OCSP_response_status_str(status));
  }
  if (OwnedBasic(OCSP_response_get1_basic(response.get())) == nullptr) {
    ERR_clear_error();
    return Failure(path + " holds an OCSP response of a kind that is not known");
  }
  return std::shared_ptr<const TlsOcspResponse>(new TlsOcspResponse(path, std::move(*text)));
}

Result<TlsOcspAnswer> TlsOcspResponse::AnswerFor(const TlsCredential& credential) const {
  const OwnedResponse response = Parse(encoded_);
  const OwnedBasic basic(OCSP_response_get1_basic(response.get()));
  OCSP_SINGLERESP* found = nullptr;
  for (int i = 0; i < OCSP_resp_count(basic.get()) && found == nullptr; ++i) {
    OCSP_SINGLERESP* const single = OCSP_resp_get0(basic.get(), i);
    if (IsAbout(*OCSP_SINGLERESP_get0_id(single), credential.certificate())) found = single;
  }
  ERR_clear_error();
  if (found == nullptr) {
    return Failure(file_ + " says nothing of the certificate in " + credential.certificate_file(),
                   "ask its authority anew");
  }
  X509* const issuer = IssuerOf(credential);
  if (issuer != nullptr && !IsSignedFor(*basic, *issuer)) {
    return Failure(file_ + " is not signed by the issuer of the certificate: " + TakeOpensslReason());
  }
  return AnswerOf(*found);
}

}  // namespace weir::net
