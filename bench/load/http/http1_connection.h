#pragma once

#include "bench/load/http/connection.h"
#include "bench/load/http/load_plan.h"
#include "bench/load/http/response_reader.h"
#include "bench/load/http/stream_opener.h"
#include "net/event_loop.h"
#include "net/stream.h"
#include "net/timer_wheel.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace weir::bench {

// What the connections of one thread have together.
struct ConnectionShared {
  net::EventLoop& loop;
  StreamOpener& opener;
  const LoadPlan& plan;
  HeadReader& heads;
  HttpCounts& counts;
  std::span<char> scratch;           // what is read goes through here and is not kept
  std::chrono::nanoseconds timeout;  // for a request, from being given to a connection
  bool keeps_connections = true;
  unsigned streams_max = 1;  // HTTP/2: requests at a time
};

// One HTTP/1.1 connection of the generator: one request at a time, sent with one call, its answer read with one where
// it comes whole. Thread: that of its loop.
class Http1Connection final : public Connection, private net::StreamEvents, private net::Timer {
 public:
  // Begins to open. Null with `error` set when the system refuses at once. Both references outlive the connection.
  [[nodiscard]] static std::unique_ptr<Connection> Open(ConnectionShared& shared, ConnectionEvents& events,
                                                        std::uint32_t origin, int& error);

  [[nodiscard]] unsigned room() const override { return has_request_ ? 0 : may_take_; }
  void Send(const Request& request) override;

 private:
  // kOpening -> kIdle <-> kWaiting; any -> kGone. A request that is given while it opens is sent when it is open.
  enum class Phase : std::uint8_t { kOpening, kIdle, kWaiting, kGone };

  Http1Connection(ConnectionShared& shared, ConnectionEvents& events, std::uint32_t origin);
  void OnConnected(int error) override;
  void OnReadable() override;
  void OnWritable() override;
  void OnTimer() override;

  void Transmit();
  [[nodiscard]] const PreparedRequest& prepared() const { return shared_.plan.requests()[request_.index]; }
  void Take(std::string_view bytes);
  void TakeEnd(int error);
  void FinishResponse(std::string_view rest);
  void Fail(ErrorKind kind, std::string_view detail);
  void Leave(net::Stream::CloseMode mode);

  ConnectionShared& shared_;
  ConnectionEvents& events_;
  OpenedStream stream_;
  ResponseReader reader_;
  Phase phase_ = Phase::kOpening;
  unsigned may_take_ = 1;  // 0 when the connection will not be used again
  bool has_request_ = false;
  Request request_;
  std::size_t sent_ = 0;  // bytes of it
};

}  // namespace weir::bench
