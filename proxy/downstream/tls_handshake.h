#pragma once

#include "net/stream.h"
#include "net/timer_wheel.h"
#include "proxy/downstream/downstream_connection.h"

#include <chrono>
#include <memory>
#include <optional>

namespace weir::net {
class TlsStream;
}

namespace weir::proxy {

// A client's connection while its TLS handshake runs. Then the connection that speaks what was agreed on takes its
// stream and its place. Thread: worker.
class TlsHandshake final : public DownstreamConnection, private net::StreamEvents, private net::Timer {
 public:
  // The handshake has so long, whatever the client does (docs/decisions.md).
  static constexpr std::chrono::seconds kDeadline{10};

  // `slot` has a TLS server.
  TlsHandshake(WorkerState& worker, DownstreamConnections& connections, std::shared_ptr<ListenerSlot> slot,
               std::unique_ptr<net::Stream> transport);
  ~TlsHandshake() override;

  // It goes on: a request is on its way, and the deadline is near.
  void CloseWhenIdle() override {}
  [[nodiscard]] std::optional<SteadyTime> idle_since() const override { return std::nullopt; }
  [[nodiscard]] bool has_ended() const override { return false; }
  void Abort() override;
  [[nodiscard]] const ListenerSlot& slot() const override { return *slot_; }

 private:
  void OnConnected(int error) override;
  // Nothing is readable or writable for others before OnConnected.
  void OnReadable() override {}
  void OnWritable() override {}
  void OnTimer() override;
  void Fail();
  void Leave();

  WorkerState& worker_;
  DownstreamConnections& connections_;
  std::shared_ptr<ListenerSlot> slot_;
  std::unique_ptr<net::TlsStream> stream_;
};

}  // namespace weir::proxy
