#include "net/tls_client_sessions.h"

#include <openssl/ssl.h>

#include <utility>

namespace weir::net {
namespace {

bool ServesOnce(const SSL_SESSION& session) { return SSL_SESSION_get_protocol_version(&session) == TLS1_3_VERSION; }

}  // namespace

void TlsClientSessions::Put(OwnedSslSession session) {
  // What the server gave before it changed its version is of no use, and of the others the last one is enough.
  if (!sessions_.empty() && !(ServesOnce(*session) && ServesOnce(*sessions_.back()))) sessions_.clear();
  if (sessions_.size() == kTicketsMax) sessions_.erase(sessions_.begin());
  sessions_.push_back(std::move(session));
}

OwnedSslSession TlsClientSessions::Take() {
  if (sessions_.empty()) return nullptr;
  if (ServesOnce(*sessions_.back())) {
    OwnedSslSession taken = std::move(sessions_.back());
    sessions_.pop_back();
    return taken;
  }
  SSL_SESSION_up_ref(sessions_.back().get());
  return OwnedSslSession(sessions_.back().get());
}

}  // namespace weir::net
