#pragma once

#include "base/clock.h"
#include "net/tls_certificate.h"
#include "net/tls_credentials.h"
#include "net/tls_policy.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::net {

// Which certificates a client can verify.
struct TlsClientOffer {
  bool takes_rsa = true;
  std::array<bool, 3> takes_ecdsa = {true, true, true};  // keys on P-256, P-384, P-521

  [[nodiscard]] bool Takes(const TlsCertificateFacts& certificate) const;
};

// What a ClientHello says about that, by the numbers of IANA's registries.
struct TlsClientHello {
  TlsVersion version = TlsVersion::k12;                   // that will be spoken
  std::span<const std::uint16_t> suites;                  // of the client that the policy has, too
  std::optional<std::span<const std::uint16_t>> schemes;  // signature_algorithms; absent: SHA-1 (RFC 5246 7.4.1.4.1)
  std::optional<std::span<const std::uint16_t>> groups;   // supported_groups; absent: any
};
[[nodiscard]] TlsClientOffer OfferOf(const TlsClientHello& hello);

// Why a client gets the certificate that it gets.
struct TlsChoiceExplanation {
  struct Candidate {
    bool chosen = false;
    std::string reason;  // `ECDSA comes before RSA`
  };
  std::vector<Candidate> certificates;  // in the order of the file
  std::size_t chosen = 0;
};

// The certificates of one listener, and which of them a client gets. spec: alb.md 18.1. Immutable. Thread: any (const).
class TlsChoice {
 public:
  // The first is the default one. Not empty.
  explicit TlsChoice(std::vector<std::shared_ptr<const TlsCredential>> credentials);

  // Of those for `server_name` (SNI; empty: none was sent) that the client can verify: ECDSA before RSA, then what has
  // not expired, then the highest hash (any SHA over MD5), the longest key, the longest validity; then the order of the
  // file. The default without a name or a match. Where the client can verify none of the matches, the best of them: the
  // handshake then says so.
  [[nodiscard]] std::size_t Select(std::string_view server_name, const TlsClientOffer& offer, WallTime now) const;
  // The same, with what it says of each certificate.
  [[nodiscard]] TlsChoiceExplanation Explain(std::string_view server_name, const TlsClientOffer& offer,
                                             WallTime now) const;
  // True when a certificate is for this name.
  [[nodiscard]] bool Matches(std::string_view server_name) const { return !Candidates(server_name).empty(); }
  [[nodiscard]] const std::vector<std::shared_ptr<const TlsCredential>>& credentials() const { return credentials_; }

 private:
  [[nodiscard]] std::vector<std::size_t> Candidates(std::string_view server_name) const;
  [[nodiscard]] bool IsBetter(std::size_t left, std::size_t right, WallTime now) const;
  // Why `loser` comes after `winner`.
  [[nodiscard]] std::string WhyAfter(std::size_t loser, std::size_t winner, WallTime now) const;

  std::vector<std::shared_ptr<const TlsCredential>> credentials_;
  // By their names as the certificates spell them, wildcards included.
  std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
};

}  // namespace weir::net
