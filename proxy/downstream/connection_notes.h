#pragma once

#include "net/tls_client_certificate.h"
#include "proxy/worker_state.h"

#include <memory>
#include <string>

namespace weir::net {
class Stream;
struct TlsFacts;
}  // namespace weir::net

namespace weir::proxy {

// How a connection began, or did not.
struct ConnectionOutcome {
  const net::TlsFacts* tls = nullptr;  // null: plain HTTP; of a handshake that failed, as far as it came
  bool failed = false;
  net::ClientCertificateFault fault = net::ClientCertificateFault::kNone;
  double handshake_seconds = -1;  // of one that went through
};

// Writes the line of `stream`, a connection to the listener of `slot`, into the connection log; gives the id that its
// requests are to be logged with. Null, and nothing is done, where the load balancer does not log connections.
std::unique_ptr<const std::string> NoteConnection(WorkerState& worker, const ListenerSlot& slot,
                                                  const net::Stream& stream, const ConnectionOutcome& outcome);

}  // namespace weir::proxy
