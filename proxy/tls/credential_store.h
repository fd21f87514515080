#pragma once

#include "config/model.h"
#include "net/tls_credentials.h"

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace weir::proxy {

// The certificates that serve, by their files: read again when a file has changed, and kept as they were where that
// cannot be used. One for the life of the program. Thread: control.
class TlsCredentialStore {
 public:
  struct Loaded {
    std::shared_ptr<const net::TlsCredential> credential;  // null: there is none, and never was
    std::optional<net::TlsCredentialFailure> failure;      // why the files as they are now cannot be used
  };
  // Blocks on the file system.
  [[nodiscard]] Loaded Load(const config::ListenerCertificate& wanted);

 private:
  // What tells one content of a file from another without reading it.
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    friend auto operator<=>(const Stamp&, const Stamp&) = default;
  };
  struct Entry {
    std::array<Stamp, 3> stamps;  // certificate, key, passphrase
    std::shared_ptr<const net::TlsCredential> credential;
  };
  [[nodiscard]] static Stamp StampOf(const std::string& path);

  std::map<std::string, Entry> entries_;
};

}  // namespace weir::proxy
