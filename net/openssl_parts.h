#pragma once

#include <memory>
#include <string>

struct bio_method_st;
struct bio_st;
struct evp_cipher_ctx_st;
struct evp_pkey_st;
struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;
struct X509_crl_st;
struct x509_st;
struct x509_store_st;

namespace weir::net {

// Owners of OpenSSL's objects, for the files behind the seam net/tls_*; no header of OpenSSL is needed to name them.
struct FreeOpenssl {
  void operator()(bio_st* bio) const;
  void operator()(bio_method_st* method) const;
  void operator()(evp_cipher_ctx_st* state) const;
  void operator()(evp_pkey_st* key) const;
  void operator()(ssl_ctx_st* context) const;
  void operator()(ssl_session_st* session) const;
  void operator()(ssl_st* connection) const;
  void operator()(X509_crl_st* list) const;
  void operator()(x509_st* certificate) const;
  void operator()(x509_store_st* store) const;
};
using OwnedBio = std::unique_ptr<bio_st, FreeOpenssl>;
using OwnedBioMethod = std::unique_ptr<bio_method_st, FreeOpenssl>;
using OwnedCipherState = std::unique_ptr<evp_cipher_ctx_st, FreeOpenssl>;
using OwnedKey = std::unique_ptr<evp_pkey_st, FreeOpenssl>;
using OwnedSslSettings = std::unique_ptr<ssl_ctx_st, FreeOpenssl>;
using OwnedSsl = std::unique_ptr<ssl_st, FreeOpenssl>;
using OwnedCrl = std::unique_ptr<X509_crl_st, FreeOpenssl>;
using OwnedSslSession = std::unique_ptr<ssl_session_st, FreeOpenssl>;
using OwnedX509 = std::unique_ptr<x509_st, FreeOpenssl>;
using OwnedX509Store = std::unique_ptr<x509_store_st, FreeOpenssl>;

// OpenSSL's reason for the last failure on this thread, `no start line`; empty when it gave none. Clears its queue.
[[nodiscard]] std::string TakeOpensslReason();

}  // namespace weir::net
