#pragma once

// Looks that an event loop takes at descriptors which epoll does not watch yet.

#include "base/clock.h"

namespace weir::net {

// A look at something that the loop does not watch yet, embedded in what it belongs to: scheduling allocates nothing,
// destruction takes it back. Thread: that of its loop.
class Look {
 public:
  Look() = default;
  virtual ~Look() { Unlink(); }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;
  virtual void OnLook() = 0;
  // Not scheduled any more.
  void Unlink();

 private:
  friend class LookQueue;
  Look* next_ = nullptr;  // null while not scheduled
  Look* previous_ = nullptr;
  SteadyTime due_;
};

// Looks in the order in which they were scheduled, which is that of their times.
class LookQueue {
 public:
  LookQueue();
  ~LookQueue();
  LookQueue(const LookQueue&) = delete;
  LookQueue& operator=(const LookQueue&) = delete;
  [[nodiscard]] bool empty() const;
  // When the first is due. Not empty.
  [[nodiscard]] SteadyTime due() const;
  // `due` is not before that of any other.
  void Append(Look& look, SteadyTime due);
  // Those that are due now; what they schedule waits for the next call.
  void Run(SteadyTime now);

 private:
  class Ring final : public Look {
    void OnLook() override {}
  };
  Ring ring_;
  Ring end_;  // while Run runs: behind those that were scheduled before
};

}  // namespace weir::net
