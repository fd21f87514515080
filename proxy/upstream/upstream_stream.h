#pragma once

#include "http/message.h"
#include "proxy/error.h"
#include "proxy/message.h"

#include <cstdint>

namespace weir::proxy {

// What an exchange learns from its target. Called from the loop, never from inside a call of the exchange into
// UpstreamStream.
class UpstreamEvents {
 public:
  // The connection is there: SendRequest may be called. Only for streams that were not connected at once.
  virtual void OnUpstreamConnected() = 0;
  // A response head; interim (1xx) heads come first and have no content. The views in `head` live only during the call.
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
  // Head and content in one write. False when nothing could be sent: the request may go elsewhere, and this stream is
  // dead (no event follows; call Release).
  [[nodiscard]] virtual bool SendRequest(const RequestMessage& request, const Content& content) = 0;
  virtual void SendContent(const Content& content) = 0;
  // SendContent takes a pipe now.
  [[nodiscard]] virtual bool takes_pipe() const = 0;
  [[nodiscard]] virtual bool congested() const = 0;
  virtual void PauseResponse() = 0;
  virtual void ResumeResponse() = 0;
  // Ends the exchange's hold. The connection goes back to its pool when request and response are complete and it may be
  // reused; otherwise it is closed. The pointer is dead after this call; no event follows.
  virtual void Release() = 0;
  // Never reuse the connection after this exchange.
  virtual void CloseAfterExchange() = 0;

 protected:
  ~UpstreamStream() = default;
};

}  // namespace weir::proxy
