#pragma once

#include "bench/load/http/connection.h"
#include "bench/load/http/http1_connection.h"
#include "bench/load/http/stream_opener.h"
#include "bench/load/http/websocket_frames.h"
#include "net/event_loop.h"
#include "net/stream.h"
#include "net/timer_wheel.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weir::bench {

// One WebSocket connection of the generator: the opening handshake once, then a message for each request, one at a
// time, whose answer is the next message that comes back. It counts with the status of the handshake.
// Thread: that of its loop.
class WebSocketConnection final : public Connection, private net::StreamEvents, private net::Timer {
 public:
  // As Http1Connection::Open. The plan has one request: its head is the handshake, its content the message as a frame.
  [[nodiscard]] static std::unique_ptr<Connection> Open(ConnectionShared& shared, ConnectionEvents& events,
                                                        std::uint32_t origin, int& error);

  [[nodiscard]] unsigned room() const override { return has_request_ ? 0 : may_take_; }
  void Send(const Request& request) override;

 private:
  // kOpening -> kShaking -> kIdle <-> kWaiting; any -> kGone. A request that is given before kIdle is sent then.
  enum class Phase : std::uint8_t { kOpening, kShaking, kIdle, kWaiting, kGone };

  WebSocketConnection(ConnectionShared& shared, ConnectionEvents& events, std::uint32_t origin);
  void OnConnected(int error) override;
  void OnReadable() override;
  void OnWritable() override;
  void OnTimer() override;

  void Transmit(std::string_view bytes);
  void Flush();
  void Take(std::string_view bytes);
  // False when the handshake has not come whole, or failed.
  [[nodiscard]] bool TakeHandshake(std::string_view& bytes);
  void TakeFrames(std::string_view bytes);
  void TakeEnd(int error);
  void FinishMessage();
  void Fail(ErrorKind kind, std::string_view detail);
  void Leave(net::Stream::CloseMode mode);

  ConnectionShared& shared_;
  ConnectionEvents& events_;
  OpenedStream stream_;
  ServerFrames frames_;
  ResponseFacts facts_;
  Phase phase_ = Phase::kOpening;
  unsigned may_take_ = 1;
  bool has_request_ = false;
  Request request_;
  std::string unsent_;   // what the stream did not take
  std::string partial_;  // of the handshake's answer
  std::size_t scanned_ = 0;
  std::string why_;
};

}  // namespace weir::bench
