#pragma once

#include "net/openssl_parts.h"
#include "net/stream.h"
#include "net/tls_choice.h"
#include "net/tls_client_authentication.h"
#include "net/tls_ocsp.h"
#include "net/tls_policy.h"
#include "net/tls_session_cache.h"
#include "net/tls_side.h"
#include "net/tls_stream.h"
#include "net/tls_ticket_keys.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {

// How one listener speaks TLS. Immutable. Thread: any (const).
struct TlsServerPlan {
  const TlsPolicy* policy = nullptr;
  std::shared_ptr<const TlsChoice> choice;
  std::vector<TlsStaple> staples = {};  // by index of the certificates of `choice`; may be empty
  std::vector<std::string> alpn;        // protocols that are spoken, the preferred one first
  // Sessions are resumed only where this and the policy are the same: the listener's name.
  std::string session_scope;
  // Absent: clients are not asked for certificates. With it no session is resumed.
  std::optional<TlsClientAuthentication> client_authentication = std::nullopt;
};

// What all listeners and workers share. Outlives the servers.
struct TlsSharedState {
  const TlsTicketKeys* ticket_keys = nullptr;
  TlsSessionCache* session_cache = nullptr;
};

// One worker's TLS of one listener. Workers share none, so that handshakes do not meet in the reference counts of
// OpenSSL's context. Lives as long as one of its streams. No renegotiation, no compression, no early data.
// Thread: worker.
class TlsServer final : public TlsSide {
 public:
  [[nodiscard]] static std::shared_ptr<TlsServer> Make(std::shared_ptr<const TlsServerPlan> plan,
                                                       const TlsSharedState& shared);
  ~TlsServer() override;

  // The stream that speaks TLS over `transport`, which was just accepted. The handshake runs by itself: `events` hears
  // OnConnected once, with 0 or an errno (EPROTO: TlsStream::failure says why), before anything else.
  [[nodiscard]] std::unique_ptr<TlsStream> Accept(std::unique_ptr<Stream> transport, StreamEvents& events);
  [[nodiscard]] const TlsServerPlan& plan() const { return *plan_; }

 private:
  struct Callbacks;   // OpenSSL's, in tls_server.cc
  struct Algorithms;  // fetched once

  TlsServer(std::shared_ptr<const TlsServerPlan> plan, const TlsSharedState& shared);
  void SetResumption();
  void NoteFacts(const TlsStream& stream, ssl_st* ssl, TlsFacts& facts) const override;

  std::shared_ptr<const TlsServerPlan> plan_;
  Published<TlsTicketKeySet>::Reader ticket_keys_;
  TlsSessionCache* session_cache_;
  std::string alpn_;  // each name behind its length
  std::unique_ptr<Algorithms> algorithms_;
};

}  // namespace weir::net
