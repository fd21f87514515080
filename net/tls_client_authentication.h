#pragma once

#include "net/tls_client_certificate.h"
#include "net/tls_trust_store.h"

#include <cstddef>
#include <cstdint>
#include <memory>

struct ssl_ctx_st;
struct ssl_st;
struct x509_store_ctx_st;

namespace weir::net {

struct TlsPolicy;

// How a listener asks clients for a certificate. spec: alb.md 18.3. A value. Thread: any (const).
struct TlsClientAuthentication {
  enum class Mode : std::uint8_t {
    kPassthrough,  // asks, takes what comes, and nothing too
    kVerify,       // wants one that the trust store vouches for
  };
  Mode mode = Mode::kPassthrough;
  std::shared_ptr<const TlsTrustStore> trust_store;  // of kVerify
  bool ignores_expiry = false;                       // of the client's own certificate, not of its issuers'
  bool advertises_authorities = false;               // the client is told their subjects

  friend bool operator==(const TlsClientAuthentication&, const TlsClientAuthentication&) = default;
};

// What a client may send: its own certificate and those of its issuers (docs/decisions.md), in one message.
inline constexpr int kClientChainMax = 4;
inline constexpr std::size_t kClientChainBytesMax = 64 * 1024;

// Makes the context ask for certificates as `authentication` says, and calls `judge` with each chain. No session is
// resumed: who the client is is proved by each handshake anew.
using JudgeChain = int (*)(x509_store_ctx_st* chain, void* unused);
void AskForCertificates(ssl_ctx_st& context, const TlsClientAuthentication& authentication, JudgeChain judge);

// Whether the chain in `chain`, as it was sent, is taken: kNone. Otherwise OpenSSL's error in it tells the client by
// which alert. `policy` is that of the listener. RFC 5280 section 6; spec: alb.md 18.3.
[[nodiscard]] ClientCertificateFault Judge(x509_store_ctx_st& chain, const TlsClientAuthentication& authentication,
                                           const TlsPolicy& policy);

// A client proves by its key that the certificate is its own. In TLS 1.2 OpenSSL refuses to check that on a curve on
// which it would not exchange keys: allows it for P-521, which AWS takes. Call when the certificate is here, so that no
// key is exchanged by it.
void AllowCurve(ssl_st& ssl, const x509_st& certificate);

// What a handshake that ended with OpenSSL's error `code` while a client's certificate was expected, and that Judge did
// not refuse, has to do with it; kNone: nothing.
[[nodiscard]] ClientCertificateFault FaultOf(const ssl_st& ssl, unsigned long code);

}  // namespace weir::net
