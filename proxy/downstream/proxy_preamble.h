#pragma once

#include "net/proxy_protocol.h"
#include "net/stream.h"
#include "net/timer_wheel.h"
#include "proxy/counters.h"
#include "proxy/downstream/downstream_connection.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

namespace weir::proxy {

// A client's connection while its PROXY header is awaited, which whoever passes it on has to send first, before TLS.
// Then the connection is between those whom the header names, and begins. Thread: worker.
class ProxyPreamble final : public DownstreamConnection, private net::StreamEvents, private net::Timer {
 public:
  // The header has so long, as a handshake has (docs/decisions.md).
  static constexpr std::chrono::seconds kDeadline{10};
  // The log is told of a refusal at most so often, for each listener and worker.
  static constexpr std::chrono::seconds kLogInterval{10};

  // Takes a stream that was just accepted by the listener of `slot`: closes it where its peer may not send the header,
  // else gives `connections` what awaits it.
  static void Begin(WorkerState& worker, DownstreamConnections& connections, const std::shared_ptr<ListenerSlot>& slot,
                    std::unique_ptr<net::TcpStream> stream);

  ProxyPreamble(WorkerState& worker, DownstreamConnections& connections, std::shared_ptr<ListenerSlot> slot,
                std::unique_ptr<net::TcpStream> stream);
  ~ProxyPreamble() override;

  // A header is on its way, and the deadline is near.
  void CloseWhenIdle() override {}
  [[nodiscard]] std::optional<SteadyTime> idle_since() const override { return std::nullopt; }
  [[nodiscard]] bool has_ended() const override { return false; }
  void Abort() override;
  [[nodiscard]] const ListenerSlot& slot() const override { return *slot_; }

 private:
  void OnReadable() override;
  void OnWritable() override {}
  void OnTimer() override;
  void Accept(const net::ProxyParse& parsed);
  void Refuse(ProxyHeaderFault fault, std::string_view why);
  void Leave();

  WorkerState& worker_;
  DownstreamConnections& connections_;
  std::shared_ptr<ListenerSlot> slot_;
  std::unique_ptr<net::TcpStream> stream_;  // null: given on
};

}  // namespace weir::proxy
