#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "config/diagnostic.h"
#include "config/model.h"
#include "net/tls_authorities.h"
#include "net/tls_credentials.h"
#include "net/tls_trust_store.h"

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::proxy {

// The certificates that serve, the trust stores of clients and the authorities of targets, by their files: read again
// when a file has changed, and kept as they were where that cannot be used. One for the life of the program.
// Thread: control.
class TlsCredentialStore {
 public:
  struct Loaded {
    std::shared_ptr<const net::TlsCredential> credential;  // null: there is none, and never was
    std::optional<net::TlsCredentialFailure> failure;      // why the files as they are now cannot be used
  };
  // Blocks on the file system.
  [[nodiscard]] Loaded Load(const config::CertificateFiles& wanted);

  struct LoadedAuthorities {
    std::shared_ptr<const net::TlsAuthorities> authorities;  // null: there are none, and never were
    std::optional<Error> failure;                            // why the file as it is now cannot be used
  };
  // Those of the system for an empty path. Blocks on the file system.
  [[nodiscard]] LoadedAuthorities LoadAuthorities(const std::string& path);

  struct LoadedTrustStore {
    std::shared_ptr<const net::TlsTrustStore> store;   // null: there is none, and never was
    std::optional<net::TlsTrustStoreFinding> failure;  // why the files as they are now cannot be used
  };
  // The same.
  [[nodiscard]] LoadedTrustStore Load(const config::TrustStore& wanted);

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
  struct AuthoritiesEntry {
    Stamp stamp;
    std::shared_ptr<const net::TlsAuthorities> authorities;
  };
  struct TrustStoreEntry {
    std::vector<Stamp> stamps;  // bundle, revocations
    std::shared_ptr<const net::TlsTrustStore> store;
  };
  [[nodiscard]] static Stamp StampOf(const std::string& path);

  std::map<std::string, Entry> entries_;
  std::map<std::string, AuthoritiesEntry> authorities_;
  std::map<std::vector<std::string>, TrustStoreEntry> trust_stores_;  // by the paths
};

void AddFinding(std::vector<config::Diagnostic>& findings, config::Severity severity, config::Position position,
                const Error& error);
// What serves by `wanted`; null where there is nothing, which is an error among `findings`. Warnings: doubts about the
// certificate; changed files that cannot be used, while what they were serves on. Thread: control.
[[nodiscard]] std::shared_ptr<const net::TlsCredential> LoadCredential(const config::CertificateFiles& wanted,
                                                                       TlsCredentialStore& credentials, WallTime now,
                                                                       std::vector<config::Diagnostic>& findings);

}  // namespace weir::proxy
