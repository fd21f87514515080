#pragma once

#include "net/openssl_parts.h"

#include <cstddef>
#include <vector>

namespace weir::net {

// Sessions with one server that connections to come may resume: tickets of TLS 1.3, each of them for one connection
// (RFC 8446 appendix C.4), or the last session of an older version, which serves many. Only for connections by the
// same settings and for the same name. Thread: that of the streams, which it outlives.
class TlsClientSessions {
 public:
  // More tickets than a server gives in one handshake are kept for a burst of new connections; our choice.
  static constexpr std::size_t kTicketsMax = 8;

  void Put(OwnedSslSession session);
  // The newest; null when there is none.
  [[nodiscard]] OwnedSslSession Take();

 private:
  std::vector<OwnedSslSession> sessions_;  // the newest last
};

}  // namespace weir::net
