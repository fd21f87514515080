#pragma once

#include "base/ip_address.h"
#include "http/message.h"
#include "proxy/error.h"
#include "proxy/message.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace weir::net {
struct TlsFacts;
struct TlsFailure;
}  // namespace weir::net

namespace weir::proxy {

// What an exchange learns from its target. Called from the loop, never from inside a call of the exchange into
// UpstreamStream.
class UpstreamEvents {
 public:
  // Between whom the client's connection is, for targets that are told by a PROXY header.
  struct Ends {
    Endpoint client;
    Endpoint local;
  };
  [[nodiscard]] virtual Ends ends() const { return {}; }
  // For functions, whose responses have only the fields that the function says: the listener has a Server field.
  [[nodiscard]] virtual bool wants_server_field() const { return true; }
  // A function was invoked: which version, and why it failed; `error` may be empty. `version` lives as long as the
  // routing table. Only to be noted: it comes inside of calls, too.
  virtual void NoteInvocation(std::string_view version, std::string_view error) {
    static_cast<void>(version);
    static_cast<void>(error);
  }
  // The connection is there: SendRequest may be called. Only for streams that were not connected at once.
  virtual void OnUpstreamConnected() = 0;
  // A response head; interim (1xx) heads come first and have no content. The views in `head` live only during the call.
  // 101 opens the tunnel that the request asked for: content is whatever the target sends until it ends its side.
  virtual void OnResponse(const http::ResponseHead& head, const Content& content) = 0;
  virtual void OnResponseContent(const Content& content) = 0;
  // OnResponseContent takes a pipe now.
  [[nodiscard]] virtual bool TakesResponsePipe() const = 0;
  // What was congested was written.
  virtual void OnUpstreamDrained() = 0;
  // The stream is dead. `response_began`: at least one byte of a response had arrived.
  virtual void OnUpstreamFailed(ErrorCode code, bool response_began) = 0;

 protected:
  ~UpstreamEvents() = default;
};

// The target's side of one exchange. Implemented for each HTTP version. Thread: worker.
class UpstreamStream {
 public:
  // True when requests can be sent now; otherwise OnUpstreamConnected or OnUpstreamFailed follows.
  [[nodiscard]] virtual bool connected() const = 0;
  // The connection has carried a request before: its target may be closing it right now.
  [[nodiscard]] virtual bool reused() const = 0;
  // The connection was made for this stream; others may have joined it.
  [[nodiscard]] virtual bool opens_connection() const { return !reused(); }
  // Head and content in one write. False when nothing could be sent: the request may go elsewhere, and this stream is
  // dead (no event follows; call Release).
  [[nodiscard]] virtual bool SendRequest(const RequestMessage& request, const Content& content) = 0;
  // In a tunnel the last piece ends this side, and the other goes on.
  virtual void SendContent(const Content& content) = 0;
  // SendContent takes a pipe now.
  [[nodiscard]] virtual bool takes_pipe() const = 0;
  [[nodiscard]] virtual bool congested() const = 0;
  // What the TLS handshake with the target agreed on; null without TLS, and before its end.
  [[nodiscard]] virtual const net::TlsFacts* tls() const { return nullptr; }
  // Why it failed, or TLS broke later; null without TLS.
  [[nodiscard]] virtual const net::TlsFailure* tls_failure() const { return nullptr; }
  // The error code that the target reset the stream with (RFC 9113 section 7), where it did.
  [[nodiscard]] virtual std::optional<std::uint32_t> reset_code() const { return std::nullopt; }
  virtual void PauseResponse() = 0;
  virtual void ResumeResponse() = 0;
  enum class Reusable : std::uint8_t {
    kNever,         // what is under way is not wanted any more, or its connection is not trusted
    kWhenComplete,  // the connection may serve another exchange when request and response are complete
  };
  // Ends the exchange's hold: the connection goes back to its pool or is closed. The pointer is dead after this call;
  // no event follows.
  virtual void Release(Reusable reusable) = 0;

 protected:
  ~UpstreamStream() = default;
};

struct UpstreamEndpoint;  // upstream_connection.h

// Where an exchange gets its streams from: the worker's pool. Thread: worker.
class UpstreamSource {
 public:
  enum class Mode : std::uint8_t { kReuse, kFresh };
  // A stream to `endpoint` for one exchange: over a connection that waits (connected() is true), or over a new one that
  // is being connected. Null with an errno when the system refuses at once. `idle_timeout` is how long the connection
  // may wait afterwards.
  [[nodiscard]] virtual UpstreamStream* Acquire(const std::shared_ptr<UpstreamEndpoint>& endpoint, Mode mode,
                                                std::chrono::seconds idle_timeout, UpstreamEvents& events,
                                                int& error) = 0;

 protected:
  ~UpstreamSource() = default;
};

}  // namespace weir::proxy
