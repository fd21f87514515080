#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "functions/runtime_connection.h"
#include "functions/runtime_protocol.h"
#include "net/acceptor.h"
#include "net/event_loop.h"

#include <memory>
#include <string>
#include <vector>

namespace weir::functions {

// What a function has said.
class RuntimeApiEvents {
 public:
  // It waits for its next invocation: RuntimeApi::Give.
  virtual void OnNext() = 0;
  // Who waited has gone without one.
  virtual void OnNextLost() = 0;
  virtual void OnResponse(std::string response) = 0;
  // `type: message`, in one line.
  virtual void OnError(std::string error) = 0;
  virtual void OnTooLarge() = 0;
  // It cannot be started.
  virtual void OnInitError(std::string error) = 0;

 protected:
  ~RuntimeApiEvents() = default;
};

// The Lambda Runtime API of one instance of a function, on a port of its own of 127.0.0.1. Whoever may connect to
// loopback may speak to it. Thread: that of its loop.
class RuntimeApi final : public net::Deferred, private net::AcceptorEvents, private RuntimeConnectionEvents {
 public:
  // `events` outlives the API or its Close. Fails when the system refuses a socket.
  [[nodiscard]] static Result<std::unique_ptr<RuntimeApi>> Listen(net::EventLoop& loop, RuntimeApiEvents& events);

  [[nodiscard]] const Endpoint& endpoint() const { return acceptor_.bound(); }
  // True between OnNext and Give, while who asked is still there.
  [[nodiscard]] bool waiting() const { return protocol_.waiting(); }
  // Only while waiting().
  void Give(RuntimeInvocation invocation);
  // Ends all connections; nothing more is heard. Destroyed through DestroyLater from its events.
  void Close();

  RuntimeApi(net::EventLoop& loop, UniqueFd listening, RuntimeApiEvents& events);

 private:
  bool MayAccept() override;
  void OnAccepted(std::unique_ptr<net::TcpStream> stream) override;
  void OnRequest(RuntimeConnection& connection, RuntimeMessage message) override;
  void OnClosed(RuntimeConnection& connection) override;
  void Tell(RuntimeProtocol::Event event, RuntimeMessage message);

  net::EventLoop& loop_;
  RuntimeApiEvents* events_;
  net::Acceptor acceptor_;
  RuntimeProtocol protocol_;
  std::vector<std::unique_ptr<RuntimeConnection>> connections_;
  RuntimeConnection* asking_ = nullptr;  // for the next invocation
};

// `errorType: errorMessage` of an error's JSON, control characters escaped; `fallback` where it has no type, the
// beginning of the text where it is no JSON.
[[nodiscard]] std::string ErrorText(std::string_view content, std::string_view fallback);

}  // namespace weir::functions
