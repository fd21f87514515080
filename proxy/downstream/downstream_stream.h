#pragma once

#include "proxy/message.h"

#include <cstdint>
#include <string_view>

namespace weir::proxy {

// The client's side of one exchange: a request that came over some connection, and the way to answer it. Implemented
// for each HTTP version; the exchange knows only this. Nothing here calls back into the exchange before it returns:
// what goes wrong while writing is reported later, as OnDownstreamFailed. Thread: worker.
class DownstreamStream {
 public:
  // 100 Continue, 103 Early Hints: before the response. Not sent to clients that do not know interim responses.
  virtual void SendInterim(const ResponseMessage& response) = 0;
  // The head and what is already there of the content, in one write. Whether the connection takes a further request is
  // the stream's own affair: it knows what its protocol makes of a response that ends before its request. One that
  // opens a tunnel is followed by request content once more, which is whatever the client sends until it ends its side;
  // SendContent with kLast then ends this side, and the other goes on.
  virtual void SendResponse(const ResponseMessage& response, const Content& content) = 0;
  virtual void SendContent(const Content& content) = 0;
  // SendContent takes a pipe now.
  [[nodiscard]] virtual bool takes_pipe() const = 0;
  // Bytes wait to be written: send no more until OnDownstreamDrained.
  [[nodiscard]] virtual bool congested() const = 0;
  // Request content: stop delivering it, go on delivering it.
  virtual void PauseRequestContent() = 0;
  virtual void ResumeRequestContent() = 0;
  // The response that began cannot be completed, or the tunnel is broken: ends the connection so that the client
  // notices.
  virtual void AbortResponse() = 0;
  // Ends the stream, its response begun or not, with the error code that the target reset its own with (RFC 9113
  // section 7). False where the protocol has no such thing: nothing is done.
  [[nodiscard]] virtual bool ForwardReset(std::uint32_t /*code*/) { return false; }
  // There is no response, because nobody waits for it: the connection ends when the exchange is over. Earlier responses
  // still arrive.
  virtual void EndWithoutResponse() = 0;
  // The exchange is over; its stream pointer is dead after this call.
  virtual void FinishExchange() = 0;
  // Bytes received for and sent in this exchange, heads included.
  [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;

 protected:
  ~DownstreamStream() = default;
};

}  // namespace weir::proxy
