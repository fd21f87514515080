#pragma once

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "config/diagnostic.h"
#include "config/model.h"
#include "net/tls_authorities.h"
#include "net/tls_credentials.h"
#include "net/tls_ocsp.h"
#include "net/tls_trust_store.h"

#include <array>
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

  struct LoadedResponse {
    std::shared_ptr<const net::TlsOcspResponse> response;  // null: there is none, and never was
    std::optional<Error> failure;                          // why the file as it is now cannot be used
  };
  // Blocks on the file system.
  [[nodiscard]] LoadedResponse LoadResponse(const std::string& path);

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
  struct Entry {
    std::array<FileStamp, 3> stamps;  // certificate, key, passphrase
    std::shared_ptr<const net::TlsCredential> credential;
  };
  struct ResponseEntry {
    FileStamp stamp;
    std::shared_ptr<const net::TlsOcspResponse> response;
  };
  struct AuthoritiesEntry {
    FileStamp stamp;
    std::shared_ptr<const net::TlsAuthorities> authorities;
  };
  struct TrustStoreEntry {
    std::vector<FileStamp> stamps;  // bundle, revocations
    std::shared_ptr<const net::TlsTrustStore> store;
  };

  std::map<std::string, Entry> entries_;
  std::map<std::string, ResponseEntry> responses_;
  std::map<std::string, AuthoritiesEntry> authorities_;
  std::map<std::vector<std::string>, TrustStoreEntry> trust_stores_;  // by the paths
};

void AddFinding(std::vector<config::Diagnostic>& findings, config::Severity severity, config::Position position,
                const Error& error);
// Those of `ca_bundle`; of the system where it is empty, and findings are then at `position`. Null where there are none
// and never were, which is an error among `findings`; a warning where a file that has changed cannot be used, and those
// that were loaded before serve on. Blocks on the file system. Thread: control.
[[nodiscard]] std::shared_ptr<const net::TlsAuthorities> LoadAuthorities(const config::LocatedText& ca_bundle,
                                                                         config::Position position,
                                                                         TlsCredentialStore& credentials,
                                                                         std::vector<config::Diagnostic>& findings);
// What serves by `wanted`; null where there is nothing, which is an error among `findings`. Warnings: doubts about the
// certificate; changed files that cannot be used, while what they were serves on. Thread: control.
[[nodiscard]] std::shared_ptr<const net::TlsCredential> LoadCredential(const config::CertificateFiles& wanted,
                                                                       TlsCredentialStore& credentials, WallTime now,
                                                                       std::vector<config::Diagnostic>& findings);
// What clients get with `credential` by its `ocsp-response`. A file that was never of use is an error among `findings`.
// Warnings: a changed file that is of no use, while what it was serves on; a response that says nothing of the
// certificate, or nothing good, or is out of date. Thread: control.
[[nodiscard]] net::TlsStaple LoadStaple(const config::CertificateFiles& wanted, const net::TlsCredential& credential,
                                        TlsCredentialStore& credentials, WallTime now,
                                        std::vector<config::Diagnostic>& findings);

}  // namespace weir::proxy
