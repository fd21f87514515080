#pragma once

#include "base/block_pool.h"
#include "http/http2_session.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "proxy/downstream/downstream_stream.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

class Exchange;
class Http2Connection;

// One request over an HTTP/2 connection, and its answer. Its own timer watches it, so that neither PING nor the other
// streams keep it. Owned by its connection until both the session and the exchange have let it go. Thread: worker.
class Http2DownstreamStream final : public net::Deferred,
                                    public Pooled,
                                    public http::Http2Stream,
                                    public DownstreamStream,
                                    private net::Timer,
                                    private net::Task {
 public:
  explicit Http2DownstreamStream(Http2Connection& connection) : connection_(connection) {}
  ~Http2DownstreamStream() override;

  // ---- from the connection
  // Its exchange begins; `head_bytes` are those of the request's head. `asks_for_tunnel`: what comes on the stream is
  // no content of the request, and is held until the response opens the tunnel.
  void Begin(Exchange& exchange, std::size_t head_bytes, bool asks_for_tunnel);
  void OnContent(std::string_view bytes, bool last);
  void OnTrailers(const http::Http2FieldSection& trailers);
  void OnDrained();
  void OnEarlyEnd();
  void OnClosed(http::Http2Error code, bool by_peer);
  [[nodiscard]] Exchange* exchange() const { return exchange_; }

  // ---- from the exchange
  void SendInterim(const ResponseMessage& response) override;
  void SendResponse(const ResponseMessage& response, const Content& content) override;
  void SendContent(const Content& content) override;
  [[nodiscard]] bool takes_pipe() const override { return false; }
  [[nodiscard]] bool congested() const override { return pending_bytes() >= http::Http2Session::kPendingBytesLow; }
  void PauseRequestContent() override { paused_ = true; }
  void ResumeRequestContent() override;
  void AbortResponse() override;
  [[nodiscard]] bool ForwardReset(std::uint32_t code) override;
  void EndWithoutResponse() override;
  void FinishExchange() override;
  [[nodiscard]] std::uint64_t bytes_received() const override { return bytes_received_; }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return bytes_sent_; }

 private:
  friend class Http2Connection;
  // How long a client whose answer is complete may go on with its request, up to its window, before it is told to stop:
  // some take RST_STREAM for the loss of an answer that came with it.
  static constexpr std::chrono::seconds kEarlyEndTime{1};

  void OnTimer() override;
  void RunTask() override;
  // Gives content to the exchange; the client may send as much again unless that is too much for the target.
  void Deliver(std::string_view bytes, bool last);
  [[nodiscard]] bool holds() const { return paused_ || awaits_tunnel_ || !held_.empty() || held_last_; }
  [[nodiscard]] bool is_tunnel() const { return asks_for_tunnel_ && !awaits_tunnel_; }
  void OpenTunnel(const ResponseMessage& response, const Content& content);
  void Touch();
  void DropWhenUnused();

  Http2Connection& connection_;
  Exchange* exchange_ = nullptr;
  bool paused_ = false;
  bool asks_for_tunnel_ = false;
  bool awaits_tunnel_ = false;  // it asks, and none is open
  bool held_last_ = false;
  std::string held_;      // content that came while it was paused: at most the stream's window
  std::size_t owed_ = 0;  // of the window, not given back yet
  std::size_t pending_at_timer_ = 0;
  std::string trailer_text_;
  std::vector<http::Field> trailers_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::size_t index_ = 0;  // its place among the connection's
};

}  // namespace weir::proxy
