#pragma once

#include "base/clock.h"
#include "net/event_loop.h"
#include "net/stream.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::proxy {

struct ListenerSlot;
struct WorkerState;

// A client's connection as its worker sees it. Implemented for each protocol; gives its requests to exchanges. Owned by
// DownstreamConnections, which it asks to remove it when it closes. Thread: worker.
class DownstreamConnection : public net::Deferred {
 public:
  DownstreamConnection() = default;
  DownstreamConnection(const DownstreamConnection&) = delete;
  DownstreamConnection& operator=(const DownstreamConnection&) = delete;

  // No request is under way and no byte of one has arrived: ends. Otherwise the connection ends after its response.
  // Where it has ended and its client's system has the whole answer, closes; so call again while connections are left.
  virtual void CloseWhenIdle() = 0;
  // Since when it has been waiting for a further request; absent while one is under way or has begun to arrive, and
  // before the first one.
  [[nodiscard]] virtual std::optional<SteadyTime> idle_since() const = 0;
  // It has given its last answer and only waits for the client to close (RFC 9112 9.6).
  [[nodiscard]] virtual bool has_ended() const = 0;
  // Closes at once, with the exchanges under way. What was answered whole still goes out.
  virtual void Abort() = 0;
  // The listener that it came to.
  [[nodiscard]] virtual const ListenerSlot& slot() const = 0;

 private:
  friend class DownstreamConnections;
  std::size_t index_ = 0;  // its place among them
};

// Owns the client connections of one worker. Thread: worker.
class DownstreamConnections {
 public:
  void Add(std::unique_ptr<DownstreamConnection> connection);
  // Destroys it at the end of the turn, and puts the last one in its place.
  void Remove(WorkerState& worker, DownstreamConnection& connection);
  [[nodiscard]] const std::vector<std::unique_ptr<DownstreamConnection>>& all() const { return all_; }

 private:
  std::vector<std::unique_ptr<DownstreamConnection>> all_;
};

// The connection that speaks what the listener of `slot` speaks over `stream`, which was just accepted. `id` is that of
// the connection log; null: it was not logged. Give it to `connections` at once.
[[nodiscard]] std::unique_ptr<DownstreamConnection> MakeDownstreamConnection(WorkerState& worker,
                                                                             DownstreamConnections& connections,
                                                                             std::shared_ptr<ListenerSlot> slot,
                                                                             std::unique_ptr<net::Stream> stream,
                                                                             std::unique_ptr<const std::string> id);

// The first bytes of `stream`, which was just accepted or whose PROXY header was read: gives `connections` its TLS
// handshake where the listener speaks TLS, else the connection itself, once it was logged.
void BeginDownstreamConnection(WorkerState& worker, DownstreamConnections& connections,
                               const std::shared_ptr<ListenerSlot>& slot, std::unique_ptr<net::Stream> stream);

}  // namespace weir::proxy
