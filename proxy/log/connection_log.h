#pragma once

#include "base/clock.h"
#include "base/ip_address.h"
#include "net/tls_client_certificate.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {
class Random;
}

namespace weir::net {
struct TlsFacts;
}

namespace weir::proxy {

// One client connection that was established, or whose TLS handshake failed, as both formats print it. spec: alb.md
// 16.3. Views live during Append.
struct ConnectionLogRecord {
  WallTime time;    // it was established, or failed
  Endpoint client;  // without a zone, IPv4 as IPv4
  std::uint16_t listener_port = 0;
  // Over TLS: what was agreed on, as far as it came; without a suite nothing was. Null: plain HTTP.
  const net::TlsFacts* tls = nullptr;
  bool failed = false;
  net::ClientCertificateFault fault = net::ClientCertificateFault::kNone;  // of a failed one; kNone: another reason
  double handshake_seconds = -1;                                           // of one that went through
  std::string_view connection_id;                                          // TID_…
  std::string_view load_balancer;
  IpAddress node;  // the address that the client connected to
};

// Appends one line, line end included: ALB's 15 fields, or one JSON object, which leaves out what ALB's line has `-`
// for.
void AppendAlbLine(std::string& out, const ConnectionLogRecord& record, Iso8601Writer& times);
void AppendJsonLine(std::string& out, const ConnectionLogRecord& record);

// TID_ and 32 hexadecimal digits: what tells connections apart in both logs.
[[nodiscard]] std::string MakeConnectionId(Random& random);

}  // namespace weir::proxy
