#pragma once

#include "base/block_pool.h"
#include "http/http2_session.h"
#include "net/event_loop.h"
#include "proxy/error.h"
#include "proxy/upstream/upstream_stream.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

class Http2UpstreamConnection;

// One exchange over an HTTP/2 connection to a target. Owned by its connection until both the session and the exchange
// have let it go. What the target sends while the exchange takes nothing is held, at most the stream's window, so that
// it holds no other stream. Thread: worker.
class Http2UpstreamStream final : public net::Deferred,
                                  public Pooled,
                                  public http::Http2Stream,
                                  public UpstreamStream,
                                  private net::Task {
 public:
  // `opens`: the connection is made for it. `reused`: the connection was there before it.
  Http2UpstreamStream(Http2UpstreamConnection& connection, UpstreamEvents& events, bool opens, bool reused)
      : connection_(connection), events_(&events), opens_(opens), reused_(reused) {}
  ~Http2UpstreamStream() override;

  // ---- from the connection
  // It waits to be told that it may send its request.
  [[nodiscard]] bool waits() const { return !may_send_ && events_ != nullptr; }
  // Tells the exchange so.
  void LetSend();
  // The same where the exchange sees for itself (connected).
  void MaySend() { may_send_ = true; }
  // Once at most.
  void Fail(ErrorCode code);
  void OnResponse(const http::Http2FieldSection& section, bool ends);
  void OnContent(std::string_view bytes, bool last);
  void OnTrailers(const http::Http2FieldSection& trailers);
  void OnDrained();
  void OnClosed(http::Http2Error code, bool by_peer);
  [[nodiscard]] bool has_exchange() const { return events_ != nullptr; }
  // The final response's head was passed on.
  [[nodiscard]] bool head_received() const { return head_received_; }
  // It was passed on whole, or waits to be.
  [[nodiscard]] bool response_complete() const { return response_complete_; }
  [[nodiscard]] SteadyTime sent_at() const { return sent_at_; }

  // ---- from the exchange
  [[nodiscard]] bool connected() const override { return may_send_; }
  [[nodiscard]] bool reused() const override { return reused_; }
  [[nodiscard]] bool opens_connection() const override { return opens_; }
  [[nodiscard]] bool SendRequest(const RequestMessage& request, const Content& content) override;
  void SendContent(const Content& content) override;
  [[nodiscard]] bool takes_pipe() const override { return false; }
  [[nodiscard]] bool congested() const override {
    return open() && pending_bytes() >= http::Http2Session::kPendingBytesLow;
  }
  [[nodiscard]] const net::TlsFacts* tls() const override;
  [[nodiscard]] const net::TlsFailure* tls_failure() const override;
  [[nodiscard]] std::optional<std::uint32_t> reset_code() const override { return reset_code_; }
  void PauseResponse() override { paused_ = true; }
  void ResumeResponse() override;
  void Release(Reusable reusable) override;

 private:
  friend class Http2UpstreamConnection;
  void RunTask() override;
  void Deliver(std::string_view bytes, bool last);
  void Refuse(ErrorCode code);
  void Reset(http::Http2Error code);
  [[nodiscard]] bool TakeInterim(std::size_t bytes);
  [[nodiscard]] bool holds() const { return paused_ || !held_.empty() || held_last_; }

  // As of HTTP/1.1 (Http1UpstreamConnection).
  static constexpr std::uint32_t kInterimCountMax = 100;
  static constexpr std::size_t kInterimBytesMax = 64 * 1024;

  Http2UpstreamConnection& connection_;
  UpstreamEvents* events_;  // null: the exchange has let it go, or was told that it failed
  bool opens_;
  bool reused_;
  bool may_send_ = false;
  bool sent_ = false;
  bool paused_ = false;
  bool held_last_ = false;
  bool response_began_ = false;
  bool head_received_ = false;
  bool response_complete_ = false;  // it came whole, delivered or held
  bool was_reset_ = false;          // by us
  bool released_ = false;
  std::uint32_t interim_count_ = 0;
  std::size_t interim_bytes_ = 0;
  std::optional<std::uint32_t> reset_code_;
  std::string held_;      // content that came while it was paused
  std::size_t owed_ = 0;  // of the window, not given back yet
  std::string trailer_text_;
  std::vector<http::Field> trailers_;
  std::string method_;
  SteadyTime sent_at_;
  std::size_t index_ = 0;  // its place among the connection's
};

}  // namespace weir::proxy
