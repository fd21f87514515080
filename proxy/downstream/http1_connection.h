#pragma once

#include "base/block_pool.h"
#include "net/stream.h"
#include "net/timer_wheel.h"
#include "proxy/downstream/downstream_connection.h"
#include "proxy/downstream/downstream_stream.h"
#include "proxy/exchange.h"
#include "proxy/message_reader.h"
#include "proxy/message_writer.h"
#include "proxy/stream_writer.h"
#include "proxy/worker_state.h"

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::proxy {

// An HTTP/1.x connection of a client: reads heads and content, gives each request to an exchange, writes what the
// exchange answers. Pipelined requests are served one after the other. Idle, it owns no buffer. Thread: worker.
class Http1Connection final : public Pooled,
                              public DownstreamConnection,
                              public DownstreamStream,
                              private net::StreamEvents,
                              private net::Timer,
                              private net::Task {
 public:
  // Takes a stream that was just accepted, and the id that it was logged with, if it was.
  Http1Connection(WorkerState& worker, DownstreamConnections& connections, std::shared_ptr<ListenerSlot> slot,
                  std::unique_ptr<net::Stream> stream, std::unique_ptr<const std::string> id);
  ~Http1Connection() override;
  // Bytes that came before anybody knew that they would be HTTP/1.x.
  void TakeReceived(std::string_view bytes);

  void CloseWhenIdle() override;
  [[nodiscard]] std::optional<SteadyTime> idle_since() const override;
  [[nodiscard]] bool has_ended() const override { return state_ == State::kLingering; }
  void Abort() override;
  [[nodiscard]] const ListenerSlot& slot() const override { return *facts_.slot; }

  void SendInterim(const ResponseMessage& response) override;
  void SendResponse(const ResponseMessage& response, const Content& content) override;
  void SendContent(const Content& content) override;
  [[nodiscard]] bool takes_pipe() const override;
  [[nodiscard]] bool congested() const override { return writer_.congested(); }
  void PauseRequestContent() override { content_paused_ = true; }
  void ResumeRequestContent() override;
  void AbortResponse() override;
  void EndWithoutResponse() override;
  void FinishExchange() override;
  [[nodiscard]] std::uint64_t bytes_received() const override { return bytes_received_; }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return bytes_sent_; }

 private:
  enum class State : std::uint8_t {
    kHead,       // between requests, or part of a head has arrived
    kContent,    // an exchange is under way and its content is still coming
    kResponse,   // an exchange is under way, the request is complete
    kLingering,  // answered and ended for writing; what the client still sends is thrown away
    kClosed,
  };

  void OnReadable() override;
  void OnWritable() override;
  void OnTimer() override;
  void RunTask() override;

  void Read();
  // From MessageReader.
  friend struct MessageReader;
  [[nodiscard]] bool OnBytes(std::string_view bytes, std::size_t read);
  [[nodiscard]] bool OnPiped(const Content& content);
  void OnEnd(net::IoStatus how);
  void CountReceived(std::size_t bytes);
  void CountSent(std::size_t bytes);
  void UseCarried();
  // Uses up what it can of `bytes` and carries the rest.
  void Consume(std::string_view bytes);
  [[nodiscard]] bool ConsumeHead(std::string_view& bytes);
  [[nodiscard]] bool ConsumeContent(std::string_view& bytes);
  void Refuse(ErrorCode code);
  [[nodiscard]] bool Distrusts(const http::RequestHead& head) const;
  void OnPeerClosed();
  void Discard();
  [[nodiscard]] bool DiscardOnce();
  void AppendResponseHead(std::string& out, const ResponseMessage& response, bool with_framing);
  void NoteEnd(const Content& content);
  void OpenTunnel(const ResponseMessage& response, const Content& content);
  void EndTunnelWrite();
  void WriteWithContent(std::string& out, const Content& content);
  void Write(std::span<const iovec> pieces, StreamWriter::Then then);
  void WritePipe(net::PipePool::Loan& pipe);
  void OnWritten(bool written);
  void AfterResponse();
  void End();
  void Linger();
  void OnLingerTimer();
  void Close(net::Stream::CloseMode mode);
  void Touch();
  [[nodiscard]] std::chrono::seconds idle_timeout() const;
  [[nodiscard]] bool keep_alive_expired() const;
  [[nodiscard]] ListenerCounters& counters() const;
  [[nodiscard]] net::Stream& stream() const { return *facts_.stream; }

  static constexpr int kReadsPerTurnMax = 8;
  // How long, and how much, a client may go on sending after its last answer before the connection is closed under it.
  // As long as its system has not acknowledged the answer it has up to kLingersMax times as long.
  static constexpr std::chrono::seconds kLingerTime{2};
  static constexpr std::uint8_t kLingersMax = 30;
  static constexpr std::uint64_t kLingerBytesMax = 16 * 1024 * 1024;
  // A connection this young may have its first request on the way.
  static constexpr std::chrono::seconds kFreshTime{1};
  // How long a client that closed its sending side still gets a response that has not begun (docs/decisions.md).
  static constexpr std::chrono::seconds kHalfClosedGrace{1};

  WorkerState& worker_;
  DownstreamConnections& connections_;
  DownstreamConnectionFacts facts_;
  SteadyTime accepted_;
  SteadyTime keep_alive_end_;  // of the client; as it was configured when it came (spec: alb.md 12.6)
  SteadyTime answered_;        // when the last request was over
  Exchange* exchange_ = nullptr;
  State state_ = State::kHead;

  bool any_request_ = false;
  bool close_after_response_ = false;
  bool content_paused_ = false;
  bool half_closed_ = false;
  bool write_failed_ = false;
  bool client_is_http10_ = false;
  bool is_tunnel_ = false;       // from the response on; the connection serves nothing else any more
  bool tunnel_written_ = false;  // the last byte of it was given: its end follows what is kept
  std::uint8_t lingers_ = 0;     // of kLingerTime that have passed
  MessageWriter framing_;
  MessageReader reader_;
  StreamWriter writer_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t discarded_ = 0;
};

}  // namespace weir::proxy
