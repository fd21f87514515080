#include "net/pem_file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace weir::net {

OwnedBio MemoryOf(std::string_view text) {
  return OwnedBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Result<std::vector<OwnedX509>> ParseCertificates(std::string_view text, const std::string& path) {
  const OwnedBio memory = MemoryOf(text);
  std::vector<OwnedX509> certificates;
  ERR_clear_error();
  while (auto* const certificate = PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = TakeOpensslReason();
  if (!at_end) return Failure(path + " has a certificate that cannot be read: " + reason);
  if (certificates.empty()) {
    return Failure(path + " has no certificate in PEM form", "a file that begins with -----BEGIN CERTIFICATE-----");
  }
  return certificates;
}

}  // namespace weir::net
