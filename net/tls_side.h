#pragma once

#include "net/openssl_parts.h"

#include <memory>
#include <string>

namespace weir::net {

class TlsStream;
struct TlsFacts;

// What the TLS connections of one kind share on one thread: OpenSSL's context, from which each begins, and the room in
// which each encrypts. TlsServer and TlsClient are its kinds. Lives as long as one of its streams. Thread: that of its
// streams.
class TlsSide : public std::enable_shared_from_this<TlsSide> {
 public:
  TlsSide(const TlsSide&) = delete;
  TlsSide& operator=(const TlsSide&) = delete;

 protected:
  explicit TlsSide(OwnedSslSettings context);
  virtual ~TlsSide();
  [[nodiscard]] ssl_ctx_st* context() const { return context_.get(); }

 private:
  friend class TlsStream;
  // Adds what only this side knows of a handshake that is done.
  virtual void NoteFacts(const TlsStream& stream, ssl_st* ssl, TlsFacts& facts) const = 0;

  OwnedBioMethod bio_method_;
  OwnedSslSettings context_;
  // What one call encrypts, until the socket has taken it: empty between calls, so that it serves all connections.
  std::string out_;
};

}  // namespace weir::net
