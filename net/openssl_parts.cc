#include "net/openssl_parts.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace weir::net {

void FreeOpenssl::operator()(bio_st* bio) const { BIO_free_all(bio); }
void FreeOpenssl::operator()(bio_method_st* method) const { BIO_meth_free(method); }
void FreeOpenssl::operator()(evp_cipher_ctx_st* state) const { EVP_CIPHER_CTX_free(state); }
void FreeOpenssl::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void FreeOpenssl::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void FreeOpenssl::operator()(ssl_session_st* session) const { SSL_SESSION_free(session); }
void FreeOpenssl::operator()(ssl_st* connection) const { SSL_free(connection); }
void FreeOpenssl::operator()(X509_crl_st* list) const { X509_CRL_free(list); }
void FreeOpenssl::operator()(x509_st* certificate) const { X509_free(certificate); }
void FreeOpenssl::operator()(x509_store_st* store) const { X509_STORE_free(store); }

std::string TakeOpensslReason() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? std::string() : std::string(reason);
}

}  // namespace weir::net
