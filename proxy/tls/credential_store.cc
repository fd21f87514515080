#include "proxy/tls/credential_store.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace weir::proxy {
namespace {

using Part = net::TlsCredentialFailure::Part;

// The text of a secret; a file ends in a line end that is not meant.
std::expected<std::string, net::TlsCredentialFailure> TextOf(const config::Secret& secret) {
  if (secret.file.empty()) return secret.text;
  std::ifstream file(secret.file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    return std::unexpected(net::TlsCredentialFailure{
        .part = Part::kPassphrase,
        .error = {"cannot read " + secret.file + ": " + std::generic_category().message(errno), {}}});
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

TlsCredentialStore::Stamp TlsCredentialStore::StampOf(const std::string& path) {
  struct stat found{};
  if (path.empty() || stat(path.c_str(), &found) != 0) return {};
  const auto nanoseconds = [](const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  };
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .size = found.st_size,
          .modified_ns = nanoseconds(found.st_mtim),
          .changed_ns = nanoseconds(found.st_ctim)};
}

TlsCredentialStore::Loaded TlsCredentialStore::Load(const config::ListenerCertificate& wanted) {
  const config::Secret passphrase = wanted.passphrase.value_or(config::Secret{});
  std::string key;
  for (const std::string* part : {&wanted.certificate.text, &wanted.key.text, &passphrase.text, &passphrase.file}) {
    key += *part;
    key += '\0';
  }
  Entry& entry = entries_[key];
  // Taken before reading: a file that changes meanwhile is read again the next time.
  const std::array<Stamp, 3> stamps = {StampOf(wanted.certificate.text), StampOf(wanted.key.text),
                                       StampOf(passphrase.file)};
  if (entry.credential != nullptr && entry.stamps == stamps) return {.credential = entry.credential, .failure = {}};
  auto text = TextOf(passphrase);
  if (!text) return {.credential = entry.credential, .failure = text.error()};
  auto loaded = net::TlsCredential::Load(
      {.certificate = wanted.certificate.text, .key = wanted.key.text, .passphrase = std::move(*text)});
  if (!loaded) return {.credential = entry.credential, .failure = loaded.error()};
  entry.stamps = stamps;
  entry.credential = std::move(*loaded);
  return {.credential = entry.credential, .failure = {}};
}

}  // namespace weir::proxy
