#pragma once

#include "base/clock.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "proxy/worker_state.h"

#include <chrono>
#include <cstddef>
#include <functional>

namespace weir::proxy {

class ClientCrowd;
class DownstreamConnections;

// Keeps one worker's client connections within its limit. While it is closed the kernel queues; who waits is let in as
// soon as somebody leaves. Keep-alive connections that have been idle for some seconds leave for those who wait, the
// longest idle ones first; a client that never asked anything keeps its place until its idle timeout, or opening
// connections in turns would throw out those who are about to ask. Thread: worker.
class ClientGate final : private net::Task, private net::Timer {
 public:
  // A connection idle for less may be about to be used.
  static constexpr std::chrono::seconds kIdleBeforeLeaving{5};
  // The crowd is over when nobody had to wait for so long.
  static constexpr std::chrono::seconds kCalmTime{2};

  // `crowd` may be null. `on_room` is called when there is room for those who were turned away.
  ClientGate(WorkerState& worker, const DownstreamConnections& connections, ClientCrowd* crowd,
             std::function<void()> on_room);
  ~ClientGate() override;

  [[nodiscard]] bool open() const;
  // Somebody waits and the gate is closed: on_room will tell. Until then nobody need ask again.
  void Wait();

 private:
  static constexpr std::chrono::milliseconds kCheckInterval{100};
  // Of the idle connections that leave in one check.
  static constexpr std::size_t kLeavingMax = 32;

  void RunTask() override;  // a connection has left
  void OnTimer() override;
  void SendIdleAway();

  WorkerState& worker_;
  const DownstreamConnections& connections_;
  ClientCrowd* crowd_;
  std::function<void()> on_room_;
  bool crowded_ = false;  // told to crowd_
  SteadyTime last_wait_;
};

}  // namespace weir::proxy
