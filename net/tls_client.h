#pragma once

#include "base/result.h"
#include "net/stream.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {

// A Stream that speaks TLS to a server; made by TlsClient. OnConnected comes once, after the handshake: 0, the errno of
// a failed connection, or EPROTO when the handshake failed (failure() says how). Bytes that Write did not take are
// offered again, unchanged, before any others: they may be encrypted already. Read gives kEnd for a close_notify and
// for a connection that ends between two records; whether the message was whole is for its framing to tell (RFC 9112
// section 9.8). Thread: that of its loop.
class TlsClientStream : public Stream {
 public:
  // A static text: `sslv3 alert handshake failure`; empty while no handshake failed.
  [[nodiscard]] virtual std::string_view failure() const = 0;
  // The handshake failed because the server's certificate was not accepted; failure() says why.
  [[nodiscard]] virtual bool certificate_refused() const = 0;
  // The protocol that ALPN chose (RFC 7301): `h2`; empty when the server chose none. Once connected.
  [[nodiscard]] virtual std::string_view alpn() const = 0;
};

// How connections for requests are made: TLS 1.2 and later, with the system's policy about ciphers.
struct TlsClientSettings {
  bool verifies = true;           // certificate chain, validity and name; false accepts any certificate
  std::string ca_file;            // PEM with the authorities to trust; empty: those of the system
  std::vector<std::string> alpn;  // offered protocols, the preferred one first (RFC 7301); empty: no ALPN
};

// Makes TLS connections. Outlives its streams. Thread: that of its loop.
class TlsClient {
 public:
  // For probes: TLS 1.0 and later, any cipher, certificates are not validated (as the checkers of ALB and Route 53 do;
  // spec: alb.md 11, dns.md 4). Not for requests.
  TlsClient();
  // For requests. Fails when the file of authorities cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<TlsClient>> Build(const TlsClientSettings& settings);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Begins to connect. `server_name` is sent as SNI (RFC 6066 section 3) unless it is empty, and is what a certificate
  // must be for where certificates are verified; for requests it may be an address literal, which is verified but not
  // sent. A final dot is left out of either. Null with `error` set when the system refuses at once, and EINVAL when
  // certificates are verified and none can be for `server_name`. `events` outlives the stream or its Close; like a
  // TcpStream, the stream is not destroyed in its own callbacks.
  [[nodiscard]] std::unique_ptr<TlsClientStream> Connect(EventLoop& loop, const Endpoint& peer,
                                                         const std::string& server_name, StreamEvents& events,
                                                         int& error);

 private:
  struct Settings;
  explicit TlsClient(std::unique_ptr<Settings> settings);
  std::unique_ptr<Settings> settings_;
};

}  // namespace weir::net
