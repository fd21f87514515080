#pragma once

#include "base/ip_address.h"
#include "base/unique_fd.h"
#include "net/event_loop.h"
#include "net/stream.h"
#include "net/timer_wheel.h"

#include <chrono>
#include <cstdint>
#include <memory>

namespace weir::net {

// Whom an Acceptor gives its connections to.
class AcceptorEvents {
 public:
  // Asked before each connection is taken. False: the kernel queues those that come, until Acceptor::Resume.
  [[nodiscard]] virtual bool MayAccept() { return true; }
  // Somebody came and MayAccept was false.
  virtual void OnMustWait() {}
  // A connection, non-blocking and without delay (TCP_NODELAY). Whoever takes it calls set_events before it returns, or
  // destroys it.
  virtual void OnAccepted(std::unique_ptr<TcpStream> stream) = 0;
  // The system has no descriptor or memory for a further connection. True: something was closed in its favour. False:
  // accepting rests for a moment.
  [[nodiscard]] virtual bool MakeRoom() { return false; }

 protected:
  ~AcceptorEvents() = default;
};

// Takes connections from one listening socket, some in each turn, so that a flood of them cannot keep the others
// waiting. Rests while the system has no descriptors left, and says so once. Destroyed at once or through DestroyLater.
// Thread: that of its loop.
class Acceptor final : public Deferred, private FdWatcher, private Timer {
 public:
  // `listening` is non-blocking and bound (ListenTcp). `events` outlives the acceptor or its Close.
  Acceptor(EventLoop& loop, UniqueFd listening, AcceptorEvents& events);

  // False when the loop refuses the socket.
  [[nodiscard]] bool Start();
  // There is room again for those that MayAccept refused.
  void Resume();
  // Takes what the kernel has queued, as far as MayAccept allows, then closes the socket: what is left is refused.
  void CloseAfterQueue();
  void Close();
  // With the real port.
  [[nodiscard]] const Endpoint& bound() const { return bound_; }

 private:
  void OnEvents(std::uint32_t events) override;
  void OnTimer() override;
  // False when there is nothing more to take now.
  bool AcceptOne();
  bool OnExhausted(int error);
  void Watch(std::uint32_t events);

  static constexpr int kPerTurnMax = 64;
  // The kernel queues meanwhile, and the loop does not spin.
  static constexpr std::chrono::milliseconds kRest{100};

  EventLoop& loop_;
  UniqueFd listening_;
  Endpoint bound_;
  AcceptorEvents& events_;
  bool resting_ = false;      // the system refuses
  bool awaits_room_ = false;  // MayAccept refused
};

}  // namespace weir::net
