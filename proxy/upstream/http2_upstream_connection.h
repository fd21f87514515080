#pragma once

#include "http/http2_session.h"
#include "net/stream.h"
#include "net/timer_wheel.h"
#include "net/tls_stream.h"
#include "proxy/stream_writer.h"
#include "proxy/upstream/http2_upstream_stream.h"
#include "proxy/upstream/upstream_connection.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/worker_state.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace weir::proxy {

// An HTTP/2 connection to a target, by TLS with ALPN or with prior knowledge; its streams are exchanges of any clients.
// It has room until the target allows no further stream, so that none queues in it. The exchange that it was made for
// sends at once; those that join before the target's SETTINGS wait for these. What a turn has to say leaves with one
// write. A target that says GOAWAY gets no new stream. Owned by its pool. Thread: worker.
//
//   connecting ──▶ (securing) ──▶ open ──▶ leaving ──▶ dead
//        └──────────────┴───────────┴─────────┴──────────▲ failure: every exchange is told
class Http2UpstreamConnection final : public UpstreamConnection,
                                      private net::StreamEvents,
                                      private net::Timer,
                                      private net::Task,
                                      private http::Http2Events {
 public:
  // Streams before the target has said how many it allows: RFC 9113 section 6.5.2 recommends no less.
  static constexpr std::uint32_t kStreamsAssumed = 100;
  // How long a target may take for its SETTINGS, and to answer a PING.
  static constexpr std::chrono::seconds kSettingsTime{10};
  static constexpr std::chrono::seconds kPingTime{5};
  // An exchange that was given up after so long without any answer makes the connection suspect.
  static constexpr std::chrono::seconds kSilenceTime{1};

  Http2UpstreamConnection(WorkerState& worker, UpstreamPool& pool, std::shared_ptr<UpstreamEndpoint> endpoint);
  ~Http2UpstreamConnection() override;

  [[nodiscard]] UpstreamStream* Connect(UpstreamEvents& events, int& error) override;
  [[nodiscard]] UpstreamStream* Open(UpstreamEvents& events) override;
  [[nodiscard]] bool has_room() const override;
  [[nodiscard]] bool is_idle() const override { return streams_.empty(); }
  [[nodiscard]] bool is_fresh() const override { return !answered_; }
  void Close() override;

  // ---- from its streams
  // Null before it is open.
  [[nodiscard]] http::Http2Session* session() { return session_ ? &*session_ : nullptr; }
  [[nodiscard]] WorkerState& worker() const { return worker_; }
  [[nodiscard]] const net::Stream* stream() const { return stream_.get(); }
  [[nodiscard]] const net::TlsStream* tls_stream() const { return tls_; }
  // Something is there to be framed: it goes out at the end of the turn.
  void FlushSoon() { worker_.loop.RunSoon(*this); }
  void NoteAnswered() { answered_ = true; }
  // An exchange has let `stream` go, perhaps without any answer to the request that was sent.
  void OnReleased(const Http2UpstreamStream& stream, bool unanswered);
  // Neither the session nor an exchange knows it any more.
  void Drop(Http2UpstreamStream& stream);

 private:
  enum class State : std::uint8_t { kConnecting, kSecuring, kOpen, kLeaving, kDead };

  void OnConnected(int error) override;
  void OnReadable() override;
  void OnWritable() override;
  void OnTimer() override;
  void RunTask() override;

  void OnRequest(std::int32_t /*id*/, const http::Http2FieldSection& /*head*/, bool /*ends*/) override {}
  void OnMalformedRequest() override {}
  void OnResponse(http::Http2Stream& stream, const http::Http2FieldSection& head, bool ends) override;
  void OnContent(http::Http2Stream& stream, std::string_view bytes, bool last) override;
  void OnTrailers(http::Http2Stream& stream, const http::Http2FieldSection& trailers) override;
  void OnDrained(http::Http2Stream& stream) override;
  void OnStreamClosed(http::Http2Stream& stream, http::Http2Error code, bool by_peer) override;
  void OnGoAway() override;
  void OnSettings() override;
  void OnPingAnswered() override;

  Http2UpstreamStream& AddStream(UpstreamEvents& events, bool opens);
  void Secure();
  void Begin();
  // Of the streams that wait those that the target allows may send now; the others find room elsewhere.
  void LetWaitingSend();
  void Read();
  void Receive(std::string_view bytes);
  void Flush();
  void OnEnd();
  void OnFault();
  // Tells the pool whether it has room.
  void Offer();
  // Takes no further stream.
  void Leave();
  void EndWhenDone();
  void SendLast();
  // Ends it, and tells every exchange: `code` to those without a response head.
  void Break(ErrorCode code);
  void End(net::Stream::CloseMode mode);
  void DestroyWhenUnused();
  void Watch();
  [[nodiscard]] std::uint32_t streams_max() const;

  static constexpr int kReadsPerTurnMax = 8;
  static constexpr std::size_t kOutputBytesMax = 64 * 1024;
  static constexpr int kWritesPerTurnMax = 8;

  WorkerState& worker_;
  UpstreamPool& pool_;
  std::unique_ptr<net::Stream> stream_;
  net::TlsStream* tls_ = nullptr;  // stream_, where it speaks TLS
  std::optional<http::Http2Session> session_;
  StreamWriter writer_;
  std::vector<std::unique_ptr<Http2UpstreamStream>> streams_;
  SteadyTime received_;  // when anything came last
  State state_ = State::kConnecting;
  bool answered_ = false;  // some request was
  bool settled_ = false;   // the target's SETTINGS have come
  bool pinged_ = false;    // and not been answered
  bool write_failed_ = false;
};

}  // namespace weir::proxy
