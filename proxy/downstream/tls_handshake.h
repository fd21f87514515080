#pragma once

#include "net/stream.h"
#include "net/timer_wheel.h"
#include "proxy/downstream/downstream_connection.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

namespace weir::net {
class TlsStream;
}

namespace weir::proxy {

// A client's connection while its TLS handshake runs. Then the connection that speaks what was agreed on takes its
// stream and its place; after one that failed it only waits for the client to read the alert. Thread: worker.
class TlsHandshake final : public DownstreamConnection, private net::StreamEvents, private net::Timer {
 public:
  // The handshake has so long, whatever the client does (docs/decisions.md).
  static constexpr std::chrono::seconds kDeadline{10};
  // A client that has been told why it failed may go on sending so long, and so much, before the connection is closed
  // under it, which would take the alert away from it: in TLS 1.3 its request is on its way when its certificate is
  // refused.
  static constexpr std::chrono::seconds kLingerTime{2};
  static constexpr std::size_t kLingerBytesMax = 256 * 1024;

  // `slot` has a TLS server.
  TlsHandshake(WorkerState& worker, DownstreamConnections& connections, std::shared_ptr<ListenerSlot> slot,
               std::unique_ptr<net::Stream> transport);
  ~TlsHandshake() override;

  // A handshake goes on: a request is on its way, and the deadline is near.
  void CloseWhenIdle() override;
  [[nodiscard]] std::optional<SteadyTime> idle_since() const override { return std::nullopt; }
  [[nodiscard]] bool has_ended() const override { return ended_ != nullptr; }
  void Abort() override;
  [[nodiscard]] const ListenerSlot& slot() const override { return *slot_; }

 private:
  void OnConnected(int error) override;
  // Of the handshake nothing is readable or writable for others before OnConnected.
  void OnReadable() override;
  void OnWritable() override {}
  void OnTimer() override;
  void Fail();
  void Linger();
  void Leave();

  WorkerState& worker_;
  DownstreamConnections& connections_;
  std::shared_ptr<ListenerSlot> slot_;
  SteadyTime begun_;
  std::unique_ptr<net::TlsStream> stream_;
  std::unique_ptr<net::Stream> ended_;  // the connection below, of a handshake that has failed
  std::size_t discarded_ = 0;
};

}  // namespace weir::proxy
