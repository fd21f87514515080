#pragma once

#include "http/http2_session.h"
#include "net/stream.h"
#include "net/timer_wheel.h"
#include "proxy/downstream/connection_facts.h"
#include "proxy/downstream/downstream_connection.h"
#include "proxy/downstream/http2_stream.h"
#include "proxy/stream_writer.h"
#include "proxy/worker_state.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// An HTTP/2 connection of a client, over TLS or with prior knowledge: each of its streams is a request with an exchange
// of its own. What a turn has to say leaves with one write, and nothing is framed while the last write waits. It ends
// in two steps, so that no client loses a request (RFC 9113 section 6.8). Thread: worker.
class Http2Connection final : public DownstreamConnection,
                              private net::StreamEvents,
                              private net::Timer,
                              private net::Task,
                              private http::Http2Events {
 public:
  // spec: alb.md 12.1.
  static constexpr std::uint32_t kRequestsMax = 10'000;
  // Streams, and tunnels whose two ends were said while their targets have not taken everything.
  static constexpr std::size_t kStreamsHeldMax = 2 * http::Http2Session::kStreamsMax;
  // How long a client has to answer the PING behind the notice that it is to go (RFC 9113 section 6.8: one round trip).
  static constexpr std::chrono::seconds kNoticeTime{2};
  // A connection this young may have its first request on the way.
  static constexpr std::chrono::seconds kFreshTime{1};
  // How long, and how much, a client may go on sending after the last frame before the connection is closed under it.
  static constexpr std::chrono::seconds kLingerTime{2};
  static constexpr std::uint8_t kLingersMax = 30;
  static constexpr std::uint64_t kLingerBytesMax = 16 * 1024 * 1024;

  // Takes a stream that was just accepted, the id that it was logged with, if it was, and the bytes that came before
  // anybody knew that it would speak HTTP/2.
  Http2Connection(WorkerState& worker, DownstreamConnections& connections, std::shared_ptr<ListenerSlot> slot,
                  std::unique_ptr<net::Stream> stream, std::unique_ptr<const std::string> id,
                  std::string_view received);
  ~Http2Connection() override;

  void CloseWhenIdle() override;
  [[nodiscard]] std::optional<SteadyTime> idle_since() const override;
  [[nodiscard]] bool has_ended() const override { return state_ == State::kLingering; }
  void Abort() override;
  [[nodiscard]] const ListenerSlot& slot() const override { return *facts_.slot; }

  // ---- from its streams
  [[nodiscard]] http::Http2Session& session() { return session_; }
  [[nodiscard]] WorkerState& worker() const { return worker_; }
  [[nodiscard]] std::chrono::seconds idle_timeout() const;
  // Something is there to be framed: it goes out at the end of the turn.
  void FlushSoon() { worker_.loop.RunSoon(*this); }
  // Neither the session nor an exchange knows it any more.
  void Drop(Http2DownstreamStream& stream);

 private:
  enum class State : std::uint8_t {
    kOpen,
    kNotified,   // told to go; requests that were on their way are served
    kLeaving,    // no request is taken any more
    kLingering,  // ended for writing; what the client still sends is thrown away
    kClosed,
  };

  void OnReadable() override;
  void OnWritable() override;
  void OnTimer() override;
  void RunTask() override;

  void OnRequest(std::int32_t id, const http::Http2FieldSection& head, bool ends) override;
  void OnMalformedRequest() override;
  void OnResponse(http::Http2Stream& /*stream*/, const http::Http2FieldSection& /*head*/, bool /*ends*/) override {}
  void OnContent(http::Http2Stream& stream, std::string_view bytes, bool last) override;
  void OnTrailers(http::Http2Stream& stream, const http::Http2FieldSection& trailers) override;
  void OnDrained(http::Http2Stream& stream) override;
  void OnEarlyEnd(http::Http2Stream& stream) override;
  void OnStreamClosed(http::Http2Stream& stream, http::Http2Error code, bool by_peer) override;
  void OnPingAnswered() override;
  void OnGoAway() override { client_leaves_ = true; }

  Http2DownstreamStream& AddStream();
  void Receive(std::string_view bytes);
  void Flush();
  void OnFault();
  [[nodiscard]] bool MustGo() const;
  void Notify();
  void Leave();
  void FailStreams();
  // Ends it when nothing is left to be done.
  void EndWhenDone();
  void Linger();
  void Discard();
  void Close(net::Stream::CloseMode mode);
  void ScheduleIdle();
  [[nodiscard]] ListenerCounters& counters() const;
  [[nodiscard]] net::Stream& stream() const { return *facts_.stream; }

  static constexpr int kReadsPerTurnMax = 8;
  // Frames of one write.
  static constexpr std::size_t kOutputBytesMax = 64 * 1024;
  static constexpr int kWritesPerTurnMax = 8;

  WorkerState& worker_;
  DownstreamConnections& connections_;
  DownstreamConnectionFacts facts_;
  http::Http2Session session_;
  StreamWriter writer_;
  std::vector<std::unique_ptr<Http2DownstreamStream>> streams_;
  SteadyTime accepted_;
  SteadyTime keep_alive_end_;  // of the client; as it was configured when it came (spec: alb.md 12.6)
  SteadyTime answered_;        // when the last request was over
  State state_ = State::kOpen;
  bool write_failed_ = false;
  bool faulted_ = false;  // by the client
  bool client_leaves_ = false;
  std::uint8_t lingers_ = 0;
  std::uint32_t requests_ = 0;
  std::uint64_t discarded_ = 0;
};

}  // namespace weir::proxy
