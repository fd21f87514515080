#pragma once

#include "net/stream.h"
#include "net/timer_wheel.h"
#include "net/tls_stream.h"
#include "proxy/message_reader.h"
#include "proxy/message_writer.h"
#include "proxy/stream_writer.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/upstream/upstream_stream.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weir::proxy {

// An HTTP/1.1 connection to a target: one exchange at a time, never pipelined. Owned by its pool.
// Thread: worker.
class Http1UpstreamConnection final : public UpstreamConnection,
                                      public UpstreamStream,
                                      private net::StreamEvents,
                                      private net::Timer,
                                      private net::Task {
 public:
  Http1UpstreamConnection(WorkerState& worker, UpstreamPool& pool, std::shared_ptr<UpstreamEndpoint> endpoint);
  ~Http1UpstreamConnection() override;

  [[nodiscard]] UpstreamStream* Connect(UpstreamEvents& events, int& error) override;
  [[nodiscard]] UpstreamStream* Open(UpstreamEvents& events) override;
  [[nodiscard]] bool has_room() const override { return state_ == State::kIdle; }
  [[nodiscard]] bool is_idle() const override { return state_ == State::kIdle; }
  void Close() override;

  [[nodiscard]] bool connected() const override { return state_ == State::kActive; }
  [[nodiscard]] bool reused() const override { return reused_; }
  [[nodiscard]] bool SendRequest(const RequestMessage& request, const Content& content) override;
  void SendContent(const Content& content) override;
  [[nodiscard]] bool takes_pipe() const override;
  [[nodiscard]] bool congested() const override { return writer_.congested(); }
  [[nodiscard]] const net::TlsFacts* tls() const override { return stream_->tls(); }
  [[nodiscard]] const net::TlsFailure* tls_failure() const override {
    return tls_ == nullptr ? nullptr : &tls_->failure();
  }
  void PauseResponse() override { paused_ = true; }
  void ResumeResponse() override;
  void Release(Reusable reusable) override;

 private:
  enum class State : std::uint8_t { kConnecting, kSecuring, kActive, kIdle, kDead };

  void OnConnected(int error) override;
  void OnReadable() override;
  void OnWritable() override;
  void OnTimer() override;
  void RunTask() override;

  // The PROXY header; false when the connection broke.
  [[nodiscard]] bool SendProxyHeader();
  // The TLS handshake, over the connection that is there.
  void Secure();
  // TLS had something to say, its peer did not (tickets, key updates; RFC 8446 section 4.6).
  [[nodiscard]] bool HoldsNothing();
  void ReadResponse();
  // From MessageReader; false when the connection has nothing more to give to this exchange now.
  friend struct MessageReader;
  [[nodiscard]] bool OnBytes(std::string_view bytes, std::size_t read);
  [[nodiscard]] bool OnPiped(const Content& content);
  void OnEnd(net::IoStatus how);
  [[nodiscard]] bool FindNothingMore();
  // Uses `bytes` up; false when the connection has nothing more to give to this exchange.
  [[nodiscard]] bool Consume(std::string_view bytes);
  [[nodiscard]] bool ConsumeHead(std::string_view& bytes);
  [[nodiscard]] bool TakeInterim(const http::ResponseHead& head, std::size_t size, std::string_view& bytes);
  [[nodiscard]] bool ConsumeContent(std::string_view& bytes, const http::ResponseHead* head);
  [[nodiscard]] bool OpenTunnel(std::string_view& bytes, const http::ResponseHead& head);
  void OnTunnelEnd(net::IoStatus how);
  void Fail(ErrorCode code);

  // Interim responses of one exchange; our choice, because no target has more hints than that to give.
  static constexpr std::uint32_t kInterimCountMax = 100;
  static constexpr std::size_t kInterimBytesMax = 64 * 1024;
  // Reads of one turn, so that one fast target cannot keep the others waiting.
  static constexpr int kReadsPerTurnMax = 8;

  WorkerState& worker_;
  UpstreamPool& pool_;
  UpstreamEvents* events_ = nullptr;
  std::unique_ptr<net::Stream> stream_;
  net::TlsStream* tls_ = nullptr;  // stream_, where it speaks TLS
  State state_ = State::kConnecting;

  bool reused_ = false;
  bool reusable_ = true;
  bool paused_ = false;
  bool request_complete_ = false;
  bool write_failed_ = false;
  bool head_received_ = false;
  bool response_began_ = false;
  bool response_complete_ = false;
  bool until_close_ = false;
  bool asked_for_websocket_ = false;
  bool is_tunnel_ = false;
  std::uint32_t interim_count_ = 0;
  std::size_t interim_bytes_ = 0;
  MessageWriter framing_;
  MessageReader reader_;
  std::string method_;
  StreamWriter writer_;
};

}  // namespace weir::proxy
