#pragma once

#include "base/clock.h"
#include "bench/load/http/http_counts.h"
#include "bench/load/http/response_reader.h"
#include "net/event_loop.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::bench {

// A request on its way: what, and since when it is waited for (open loop: its scheduled time).
struct Request {
  std::uint32_t index = 0;  // in the plan
  SteadyTime due;
  bool was_sent = false;  // before, on a connection that was ended over it
};

class Connection;

// What a connection tells. A connection that is gone takes no requests any more; it says so (OnGone) before it tells
// what became of its requests, and is not to be destroyed in a callback but through EventLoop::DestroyLater.
class ConnectionEvents {
 public:
  // It is open and has room for requests, or has room again.
  virtual void OnRoom(Connection& connection) = 0;
  virtual void OnResponse(Connection& connection, const Request& request, const ResponseFacts& facts) = 0;
  // `detail` says more than the kind: for people, once.
  virtual void OnFailure(Connection& connection, const Request& request, ErrorKind kind, std::string_view detail) = 0;
  // The server ends the connection and has not acted upon the request: another connection may send it (RFC 9113 section
  // 6.8).
  virtual void OnOvertaken(Connection& connection, const Request& request) = 0;
  // Bytes came that no request had asked for.
  virtual void OnStrayBytes(Connection& connection) = 0;
  virtual void OnGone(Connection& connection) = 0;

 protected:
  ~ConnectionEvents() = default;
};

// A connection to one origin, opening or open. Thread: that of its loop.
class Connection : public net::Deferred {
 public:
  explicit Connection(std::uint32_t origin) : origin_(origin) {}

  // How many further requests it takes now; while it opens too: they are sent when it is open.
  [[nodiscard]] virtual unsigned room() const = 0;
  // Sends a request; only with room.
  virtual void Send(const Request& request) = 0;

  [[nodiscard]] std::uint32_t origin() const { return origin_; }
  // Whether it ever brought a response: one that did not is not replaced at once.
  [[nodiscard]] bool has_answered() const { return has_answered_; }

 protected:
  void set_answered() { has_answered_ = true; }

 private:
  friend class Dispatcher;
  std::uint32_t origin_;
  bool has_answered_ = false;
  bool is_listed_ = false;  // among those with room
  std::size_t index_ = 0;   // where the dispatcher keeps it
};

}  // namespace weir::bench
