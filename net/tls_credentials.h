#pragma once

#include "base/result.h"
#include "net/openssl_parts.h"
#include "net/tls_certificate.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {

// Why a certificate and its key cannot be used, and whose fault it is.
struct TlsCredentialFailure {
  enum class Part : std::uint8_t { kCertificate, kKey, kPassphrase };
  Part part = Part::kCertificate;
  Error error;
};

// A certificate with its chain and its private key. Immutable. Thread: any (const).
class TlsCredential {
 public:
  struct Files {
    std::string certificate;  // PEM: the certificate, then what it was issued by, in order
    std::string key;          // PEM
    std::string passphrase;   // of the key; empty: the key is not encrypted
  };
  // Reads and checks: keys are RSA of 2048 bits and more or ECDSA on P-256, P-384 or P-521 (spec: alb.md 18.1), and
  // belong to the certificate. What is merely doubtful is in Doubts. Blocks on the file system. Thread: any.
  [[nodiscard]] static std::expected<std::shared_ptr<const TlsCredential>, TlsCredentialFailure> Load(
      const Files& files);
  ~TlsCredential();
  TlsCredential(const TlsCredential&) = delete;
  TlsCredential& operator=(const TlsCredential&) = delete;

  [[nodiscard]] const TlsCertificateFacts& facts() const { return facts_; }
  // The file that it came from.
  [[nodiscard]] const std::string& certificate_file() const { return certificate_file_; }
  // What is worth a warning: it has expired or is not valid yet, with the date; certificates of the file that did not
  // issue one another; an issuer that clients cannot know from the file. One sentence each.
  [[nodiscard]] std::vector<Error> Doubts(WallTime now) const;

  // For the files behind the seam.
  [[nodiscard]] x509_st& certificate() const { return *chain_.front(); }
  [[nodiscard]] std::span<const OwnedX509> issuers() const { return std::span(chain_).subspan(1); }
  [[nodiscard]] evp_pkey_st& key() const { return *key_; }

 private:
  TlsCredential(std::string certificate_file, std::vector<OwnedX509> chain, OwnedKey key);

  std::string certificate_file_;
  std::vector<OwnedX509> chain_;  // the certificate first; not empty
  OwnedKey key_;
  TlsCertificateFacts facts_;
};

}  // namespace weir::net
