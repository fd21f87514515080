#include "net/tls_authorities.h"

#include "base/check.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <system_error>

namespace weir::net {
namespace {

// Why OpenSSL did not take the file; clears its errors.
std::string AuthoritiesRefused(const std::string& file) {
  const unsigned long first = ERR_peek_error();
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(first)) {
    return "cannot read " + file + ": " + std::generic_category().message(ERR_GET_REASON(first));
  }
  return file + " has no certificate authorities in PEM form" + (reason == nullptr ? "" : std::string(": ") + reason);
}

OwnedX509Store MakeStore() {
  OwnedX509Store store(X509_STORE_new());
  WEIR_CHECK(store != nullptr);
  ERR_clear_error();
  return store;
}

}  // namespace

Result<std::shared_ptr<const TlsAuthorities>> TlsAuthorities::Load(const std::string& file) {
  OwnedX509Store store = MakeStore();
  if (X509_STORE_load_file(store.get(), file.c_str()) != 1) return Failure(AuthoritiesRefused(file));
  return std::shared_ptr<const TlsAuthorities>(new TlsAuthorities(std::move(store)));
}

Result<std::shared_ptr<const TlsAuthorities>> TlsAuthorities::OfSystem() {
  OwnedX509Store store = MakeStore();
  if (X509_STORE_set_default_paths(store.get()) != 1) {
    ERR_clear_error();
    return Failure("the system's certificate authorities cannot be read");
  }
  return std::shared_ptr<const TlsAuthorities>(new TlsAuthorities(std::move(store)));
}

}  // namespace weir::net
