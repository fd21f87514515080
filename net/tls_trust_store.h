#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "net/openssl_parts.h"
#include "net/tls_certificate.h"

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct X509_name_st;

namespace weir::net {

// Something that is wrong with a trust store, or worth a warning, and in which of its files.
struct TlsTrustStoreFinding {
  std::optional<std::size_t> revocation;  // index of the revocation list; absent: the bundle
  Error error;
};

// The authorities whose certificates clients may have, and what these have revoked. Each authority is trusted, whether
// a root or not. spec: alb.md 18.3. Immutable. Thread: any (const).
class TlsTrustStore {
 public:
  struct Files {
    std::string bundle;                    // PEM: certificates of the authorities
    std::vector<std::string> revocations;  // PEM: revocation lists
  };
  // Reads and checks. Of an authority: it is one (CA:TRUE), with a key and a signature of the kinds that AWS takes. Of
  // a list: an authority of the bundle has signed it, may sign lists, and it can be obeyed. What is merely doubtful is
  // in Doubts. An authority that a list revokes is left out. Blocks on the file system. Thread: any.
  [[nodiscard]] static std::expected<std::shared_ptr<const TlsTrustStore>, TlsTrustStoreFinding> Load(
      const Files& files);
  ~TlsTrustStore();
  TlsTrustStore(const TlsTrustStore&) = delete;
  TlsTrustStore& operator=(const TlsTrustStore&) = delete;

  // Authorities that have expired, are not valid yet or are revoked, lists that are out of date (they are obeyed all
  // the same), entries that AWS does not obey.
  [[nodiscard]] std::vector<TlsTrustStoreFinding> Doubts(WallTime now) const;
  // What AWS would refuse: more certificates or entries, larger files, other text in the bundle.
  [[nodiscard]] const std::vector<TlsTrustStoreFinding>& aws_objections() const { return aws_objections_; }

  [[nodiscard]] const std::vector<TlsCertificateFacts>& authorities() const { return facts_; }
  struct Revocations {
    std::size_t file_index = 0;
    std::string file;
    std::string issuer;  // RFC 2253
    std::size_t entries = 0;
    std::optional<WallTime> next_update;  // absent: the list does not say
  };
  // What each authority has revoked by each file, in their order.
  [[nodiscard]] const std::vector<Revocations>& revocations() const { return revocation_facts_; }
  // The subjects of all authorities together, as clients are told them.
  [[nodiscard]] std::size_t subject_bytes() const { return subject_bytes_; }

  // For the files behind the seam. All of it, for one server.
  [[nodiscard]] OwnedX509Store MakeStore() const;
  [[nodiscard]] std::span<const OwnedX509> certificates() const { return authorities_; }
  [[nodiscard]] bool HasRevocationsOf(const X509_name_st& issuer) const;

 private:
  TlsTrustStore() = default;
  [[nodiscard]] std::optional<TlsTrustStoreFinding> ReadBundle(const std::string& path);
  [[nodiscard]] std::optional<TlsTrustStoreFinding> ReadRevocations(const std::string& path, std::size_t file);
  [[nodiscard]] std::optional<Error> CheckList(X509_crl_st& list, const std::string& path) const;
  void NoteList(const X509_crl_st& list, const std::string& path, std::size_t file, std::size_t entries);
  void LeaveOutRevoked();

  std::string bundle_;
  std::vector<OwnedX509> authorities_;
  std::vector<TlsCertificateFacts> facts_;  // of authorities_
  std::vector<OwnedCrl> lists_;
  std::vector<Revocations> revocation_facts_;  // of lists_
  std::vector<std::string> revoked_;           // subjects of authorities that were left out
  std::vector<TlsTrustStoreFinding> unobeyed_;
  std::vector<TlsTrustStoreFinding> aws_objections_;
  std::size_t subject_bytes_ = 0;
};

}  // namespace weir::net
