#pragma once

#include "net/stream.h"

#include <memory>
#include <string>
#include <string_view>

namespace weir::net {

// A Stream that speaks TLS to a server; made by TlsClient. OnConnected comes after the handshake: 0, the errno of a
// failed connection, or EPROTO when the handshake failed (failure() says how). Thread: that of its loop.
class TlsClientStream : public Stream {
 public:
  // A static text: `TLS alert: handshake failure`; empty while nothing failed.
  [[nodiscard]] virtual std::string_view failure() const = 0;
};

// Makes TLS connections for probes: TLS 1.0 and later, any cipher, certificates are not validated (as the checkers of
// ALB and Route 53 do; spec: alb.md 11, dns.md 4). Not for requests. Outlives its streams. Thread: that of its loop.
class TlsClient {
 public:
  TlsClient();
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Begins to connect. `server_name` is sent as SNI (RFC 6066 section 3) unless it is empty. Null with `error` set when
  // the system refuses at once. `events` outlives the stream or its Close; like a TcpStream, the stream is not
  // destroyed in its own callbacks.
  [[nodiscard]] std::unique_ptr<TlsClientStream> Connect(EventLoop& loop, const Endpoint& peer,
                                                         const std::string& server_name, StreamEvents& events,
                                                         int& error);

 private:
  struct Settings;
  std::unique_ptr<Settings> settings_;
};

}  // namespace weir::net
