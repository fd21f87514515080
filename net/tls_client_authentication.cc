#include "net/tls_client_authentication.h"

#include "base/check.h"
#include "net/tls_certificate.h"
#include "net/tls_policy.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace weir::net {
namespace {

// What Weigh has to know, and what it found.
struct Verification {
  const TlsClientAuthentication& authentication;
  ClientCertificateFault fault = ClientCertificateFault::kNone;
};

bool IsCrlTrouble(int error) {
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
      return true;
    default:
      return false;
  }
}

ClientCertificateFault FaultOfError(int error) {
  using enum ClientCertificateFault;
  if (IsCrlTrouble(error)) return kCrlProcessingError;
  switch (error) {
    case X509_V_ERR_CERT_REVOKED:
      return kCrlHit;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return kNotYetValid;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return kExpired;
    case X509_V_ERR_INVALID_PURPOSE:
      return kPurposeInvalid;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return kMaxChainDepthExceeded;
    case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
      return kTypeUnsupported;
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
    case X509_V_ERR_INVALID_EXTENSION:
    case X509_V_ERR_INVALID_POLICY_EXTENSION:
      return kInvalid;
    default:
      return kUntrusted;
  }
}

// OpenSSL found `error` in the chain: true when it does not matter here.
bool IsPardoned(X509_STORE_CTX& context, int error, const TlsClientAuthentication& authentication) {
  const int depth = X509_STORE_CTX_get_error_depth(&context);
  if (error == X509_V_ERR_CERT_HAS_EXPIRED) return depth == 0 && authentication.ignores_expiry;
  if (!IsCrlTrouble(error)) return false;
  // The store vouches for the last one, whoever may have issued it; those that are revoked are not in it.
  if (depth + 1 == sk_X509_num(X509_STORE_CTX_get0_chain(&context))) return true;
  // A list that is out of date is obeyed all the same; where an authority has none, nothing is revoked.
  if (error == X509_V_ERR_CRL_HAS_EXPIRED || error == X509_V_ERR_CRL_NOT_YET_VALID) return true;
  const X509* const certificate = X509_STORE_CTX_get_current_cert(&context);
  return error == X509_V_ERR_UNABLE_TO_GET_CRL && certificate != nullptr &&
         !authentication.trust_store->HasRevocationsOf(*X509_get_issuer_name(certificate));
}

int Weigh(int ok, X509_STORE_CTX* context) {
  if (ok == 1) return 1;
  auto& verification = *static_cast<Verification*>(X509_STORE_CTX_get_ex_data(context, 0));
  const int error = X509_STORE_CTX_get_error(context);
  if (IsPardoned(*context, error, verification.authentication)) {
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
  }
  verification.fault = FaultOfError(error);
  return 0;
}

bool IsOnCurve(const X509& certificate, std::string_view curve) {
  const EVP_PKEY* const key = X509_get0_pubkey(&certificate);
  return key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && CurveName(*key) == curve;
}

// Whether the policy has the curve of the certificate's key among its groups. P-521 is in none of them, but AWS takes
// it of clients; RFC 9151 does not.
bool IsCompatible(const X509& certificate, const TlsPolicy& policy) {
  const auto has = [&policy](std::string_view group) {
    return std::ranges::find(policy.groups, group) != policy.groups.end();
  };
  if (IsOnCurve(certificate, SN_X9_62_prime256v1)) return has("secp256r1");
  if (IsOnCurve(certificate, SN_secp384r1)) return has("secp384r1");
  return !IsOnCurve(certificate, SN_secp521r1) || policy.kind != TlsPolicyKind::kRfc9151;
}

ClientCertificateFault Refuse(X509_STORE_CTX& context, ClientCertificateFault fault, int error) {
  X509_STORE_CTX_set_error(&context, error);
  return fault;
}

}  // namespace

void AskForCertificates(ssl_ctx_st& context, const TlsClientAuthentication& authentication, JudgeChain judge) {
  const bool verifies = authentication.mode == TlsClientAuthentication::Mode::kVerify;
  SSL_CTX_set_verify(&context, verifies ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(&context, judge, nullptr);
  SSL_CTX_set_max_cert_list(&context, static_cast<long>(kClientChainBytesMax));
  SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(&context, 0);
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  if (!verifies) return;
  const TlsTrustStore& store = *authentication.trust_store;
  SSL_CTX_set_cert_store(&context, store.MakeStore().release());
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  if (!store.revocations().empty()) flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(&context), flags);
  if (!authentication.advertises_authorities) return;
  for (const OwnedX509& authority : store.certificates()) {
    WEIR_CHECK(SSL_CTX_add_client_CA(&context, authority.get()) == 1);
  }
}

ClientCertificateFault Judge(x509_store_ctx_st& chain, const TlsClientAuthentication& authentication,
                             const TlsPolicy& policy) {
  using enum ClientCertificateFault;
  if (authentication.mode == TlsClientAuthentication::Mode::kPassthrough) return kNone;
  if (sk_X509_num(X509_STORE_CTX_get0_untrusted(&chain)) > kClientChainMax) {
    return Refuse(chain, kMaxChainDepthExceeded, X509_V_ERR_CERT_CHAIN_TOO_LONG);
  }
  X509& leaf = *X509_STORE_CTX_get0_cert(&chain);
  // unsupported_certificate (RFC 8446 section 6.2).
  if (!UnsupportedKind(leaf).empty()) return Refuse(chain, kTypeUnsupported, X509_V_ERR_INVALID_PURPOSE);
  if (!IsCompatible(leaf, policy)) return Refuse(chain, kIncompatible, X509_V_ERR_INVALID_PURPOSE);
  Verification verification{.authentication = authentication};
  X509_STORE_CTX_set_ex_data(&chain, 0, &verification);
  X509_STORE_CTX_set_verify_cb(&chain, Weigh);
  const bool verified = X509_verify_cert(&chain) == 1;
  X509_STORE_CTX_set_ex_data(&chain, 0, nullptr);
  ERR_clear_error();
  if (!verified) {
    const int error = X509_STORE_CTX_get_error(&chain);
    if (verification.fault == kNone) verification.fault = FaultOfError(error);
    // "expired or is not currently valid": the same alert for both (RFC 8446 section 6.2).
    return Refuse(chain, verification.fault,
                  error == X509_V_ERR_CERT_NOT_YET_VALID ? int{X509_V_ERR_CERT_HAS_EXPIRED} : error);
  }
  // The last one is of the trust store, which has none of another kind.
  const STACK_OF(X509)* const built = X509_STORE_CTX_get0_chain(&chain);
  for (int i = 1; i + 1 < sk_X509_num(built); ++i) {
    if (UnsupportedKind(*sk_X509_value(built, i)).empty()) continue;
    return Refuse(chain, kTypeUnsupported, X509_V_ERR_INVALID_PURPOSE);
  }
  return kNone;
}

void AllowCurve(ssl_st& ssl, const x509_st& certificate) {
  if (SSL_version(&ssl) >= TLS1_3_VERSION || !IsOnCurve(certificate, SN_secp521r1)) return;
  SSL_set1_groups_list(&ssl, "P-521");
}

ClientCertificateFault FaultOf(const ssl_st& ssl, unsigned long code) {
  using enum ClientCertificateFault;
  const int reason = ERR_GET_REASON(code);
  switch (SSL_get_state(&ssl)) {
    case TLS_ST_SR_CERT:
      if (reason == SSL_R_EXCESSIVE_MESSAGE_SIZE) return kMaxSizeExceeded;
      return reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? kNone : kInvalid;
    case TLS_ST_SR_CERT_VRFY:
      return reason == SSL_R_WRONG_CURVE || reason == SSL_R_WRONG_SIGNATURE_TYPE ? kIncompatible : kInvalid;
    default:
      return kNone;
  }
}

}  // namespace weir::net
