#pragma once

#include "net/stream.h"
#include "net/timer_wheel.h"
#include "proxy/downstream/downstream_connection.h"
#include "proxy/worker_state.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace weir::proxy {

// A connection to an HTTP listener that takes HTTP/2 with prior knowledge, until its first bytes have said what it
// speaks: what begins like the preface of HTTP/2 (RFC 9113 section 3.4) and goes on so, or HTTP/1.x. The connection
// that speaks it takes its stream and its place. Thread: worker.
class PrefaceReader final : public DownstreamConnection, private net::StreamEvents, private net::Timer {
 public:
  PrefaceReader(WorkerState& worker, DownstreamConnections& connections, std::shared_ptr<ListenerSlot> slot,
                std::unique_ptr<net::Stream> stream, std::unique_ptr<const std::string> id);
  ~PrefaceReader() override;

  void CloseWhenIdle() override;
  [[nodiscard]] std::optional<SteadyTime> idle_since() const override { return std::nullopt; }
  [[nodiscard]] bool has_ended() const override { return false; }
  void Abort() override;
  [[nodiscard]] const ListenerSlot& slot() const override { return *slot_; }

 private:
  enum class Speaks : std::uint8_t { kUnknown, kHttp1, kHttp2 };

  void OnReadable() override;
  void OnWritable() override {}
  // It never said anything, or no more than a beginning.
  void OnTimer() override { HandOver(Speaks::kHttp1); }
  [[nodiscard]] Speaks Judge() const;
  void HandOver(Speaks what);
  void Leave();

  static constexpr std::size_t kPrefaceBytes = 24;

  WorkerState& worker_;
  DownstreamConnections& connections_;
  std::shared_ptr<ListenerSlot> slot_;
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<const std::string> id_;
  std::array<char, kPrefaceBytes> bytes_{};
  std::size_t received_ = 0;
};

}  // namespace weir::proxy
