#include "net/pem_file.h"

#include "base/unique_fd.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace weir::net {

Result<std::string> ReadFileUpTo(const std::string& path, std::size_t bytes_max, std::string_view noun) {
  const auto cannot = [&path](int error) {
    return Failure("cannot read " + path + ": " + std::generic_category().message(error));
  };
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return cannot(errno);
  std::string text;
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot(errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > bytes_max) return Failure(path + " is too large for " + std::string(noun));
  }
}

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
