#pragma once

#include "bench/load/http/connection.h"
#include "bench/load/http/http1_connection.h"
#include "bench/load/http/stream_opener.h"
#include "http/http2_client_session.h"
#include "http/message.h"
#include "net/event_loop.h"
#include "net/stream.h"
#include "net/timer_wheel.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

// One HTTP/2 connection of the generator, over TLS (ALPN `h2`) or with prior knowledge: several requests at a time.
// What a turn of the loop has to send leaves with one call. Thread: that of its loop.
class Http2Connection final : public Connection,
                              private net::StreamEvents,
                              private net::Timer,
                              private net::Task,
                              private http::Http2ClientSession::Events {
 public:
  // As Http1Connection::Open.
  [[nodiscard]] static std::unique_ptr<Connection> Open(ConnectionShared& shared, ConnectionEvents& events,
                                                        std::uint32_t origin, int& error);

  [[nodiscard]] unsigned room() const override;
  void Send(const Request& request) override;

 private:
  enum class Phase : std::uint8_t { kOpening, kOpen, kGone };
  // A request under way; its place in slots_ is the token of its stream.
  struct Slot {
    bool used = false;
    bool given_up = false;  // it timed out; the slot is free when its stream has ended
    Request request;
    SteadyTime deadline;
    ResponseFacts facts;
  };

  Http2Connection(ConnectionShared& shared, ConnectionEvents& events, std::uint32_t origin);
  void OnConnected(int error) override;
  void OnReadable() override;
  void OnWritable() override;
  void OnTimer() override;
  void RunTask() override { Flush(); }
  void OnStatus(std::uint64_t token, std::uint16_t status) override;
  void OnField(std::uint64_t token, std::string_view name, std::string_view value) override;
  void OnStreamEnd(std::uint64_t token, http::StreamEnd end, std::uint32_t code) override;

  void Submit(std::size_t slot);
  void Flush();
  // Sends `output_`; false when it did not all go.
  [[nodiscard]] bool Transmit();
  void TellUnsent();
  void Release(std::size_t slot);
  void GiveUp(std::size_t slot);
  // Closes when nothing is under way and nothing more may be.
  void LeaveIfUsedUp();
  void FailAll(ErrorKind kind, std::string_view detail);
  void Leave();

  ConnectionShared& shared_;
  ConnectionEvents& events_;
  OpenedStream stream_;
  http::Http2ClientSession session_;
  Phase phase_ = Phase::kOpening;
  bool was_used_ = false;
  std::vector<Slot> slots_;
  unsigned active_ = 0;
  std::vector<http::Field> fields_;  // of the request being submitted
  std::string output_;               // what the stream has not taken yet
  std::size_t output_sent_ = 0;
};

}  // namespace weir::bench
