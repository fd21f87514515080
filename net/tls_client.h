#pragma once

#include "base/result.h"
#include "net/stream.h"
#include "net/tls_authorities.h"
#include "net/tls_client_sessions.h"
#include "net/tls_credentials.h"
#include "net/tls_policy.h"
#include "net/tls_side.h"
#include "net/tls_stream.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {

// How connections to servers of one kind are made. Immutable. Thread: any (const).
struct TlsClientPlan {
  const TlsPolicy* policy = nullptr;  // null: TLS 1.2 and later, with the system's policy about ciphers
  // Certificate chain, validity and name are verified against these, and nothing signed by SHA-1 is taken; null: any
  // certificate will do.
  std::shared_ptr<const TlsAuthorities> authorities;
  std::string server_name;                          // instead of the name of each server; empty: none
  std::shared_ptr<const TlsCredential> credential;  // shown to servers that ask for one; null: none
  std::vector<std::string> alpn;  // offered protocols, the preferred one first (RFC 7301); empty: no ALPN
};
// True when both would make the same client, so that the one that is there can stay.
[[nodiscard]] bool operator==(const TlsClientPlan& left, const TlsClientPlan& right);

// How connections of a load generator are made.
struct TlsClientSettings {
  bool verifies = true;           // certificate chain, validity and name; false accepts any certificate
  std::string ca_file;            // PEM with the authorities to trust; empty: those of the system
  std::vector<std::string> alpn;  // offered protocols, the preferred one first (RFC 7301); empty: no ALPN
};

// Makes TLS connections to servers. One for each thread; lives as long as one of its streams. Thread: that of its loop.
class TlsClient final : public TlsSide {
 public:
  // For probes: TLS 1.0 and later, any cipher, certificates are not validated (as the checkers of ALB and Route 53 do;
  // spec: alb.md 11, dns.md 4), address literals are sent as SNI. Not for requests.
  [[nodiscard]] static std::shared_ptr<TlsClient> ForProbes(std::vector<std::string> alpn = {});
  [[nodiscard]] static std::shared_ptr<TlsClient> Make(std::shared_ptr<const TlsClientPlan> plan);
  // Fails when the file of authorities cannot be used.
  [[nodiscard]] static Result<std::shared_ptr<TlsClient>> Build(const TlsClientSettings& settings);
  ~TlsClient() override;

  // Begins to connect; `events` hears OnConnected. `server_name` is sent as SNI (RFC 6066 section 3) unless it is
  // empty, and is what a certificate must be for where certificates are verified; for requests it may be an address
  // literal, which is verified but not sent. A final dot is left out of either. Null with `error` set when the system
  // refuses at once, and EINVAL when certificates are verified and none can be for `server_name`. `events` outlives the
  // stream or its Close.
  [[nodiscard]] std::unique_ptr<TlsStream> Connect(EventLoop& loop, const Endpoint& peer,
                                                   const std::string& server_name, StreamEvents& events, int& error);
  // The same over `transport`, which is connected; the handshake begins with StartHandshake. It resumes a session out
  // of `sessions`, which outlives the stream, and puts the ones that it is given there. `server_name` is a host name or
  // an address literal.
  [[nodiscard]] std::unique_ptr<TlsStream> Secure(std::unique_ptr<Stream> transport, const std::string& server_name,
                                                  TlsClientSessions& sessions, StreamEvents& events);
  // The same with a session of its own. Null where Connect would fail with EINVAL.
  [[nodiscard]] std::unique_ptr<TlsStream> SecureAlone(std::unique_ptr<Stream> transport,
                                                       const std::string& server_name, StreamEvents& events);

  // The name for a server that is known as `host`, which may be empty, at `address`: the plan's, else one of these.
  [[nodiscard]] std::string NameFor(std::string_view host, const IpAddress& address) const;
  [[nodiscard]] const TlsClientPlan& plan() const { return *plan_; }

 private:
  struct Callbacks;  // OpenSSL's, in tls_client.cc
  explicit TlsClient(std::shared_ptr<const TlsClientPlan> plan);
  void TakeAnything();
  [[nodiscard]] OwnedSsl NewConnection(const std::string& server_name) const;
  void NoteFacts(const TlsStream& stream, ssl_st* ssl, TlsFacts& facts) const override;

  std::shared_ptr<const TlsClientPlan> plan_;
  bool sends_literals_ = false;
};

// One thread's clients, by plan: what is the same is shared. Thread: that of the clients.
class TlsClients {
 public:
  // Null for a plan that is null.
  [[nodiscard]] std::shared_ptr<TlsClient> For(const std::shared_ptr<const TlsClientPlan>& plan);
  // Drops those that nobody else holds.
  void ForgetUnused();

 private:
  std::vector<std::shared_ptr<TlsClient>> clients_;
};

}  // namespace weir::net
