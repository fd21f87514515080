#pragma once

#include "base/clock.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace weir::net {

class TimerWheel;

// Something with a deadline. Embedded in what it belongs to: scheduling allocates nothing, and destruction cancels.
// Thread: that of its wheel.
class Timer {
 public:
  Timer() = default;
  virtual ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Called once after the deadline; may schedule the timer again or destroy it.
  virtual void OnTimer() = 0;
  [[nodiscard]] bool scheduled() const { return wheel_ != nullptr; }
  // The one it was last scheduled for.
  void Cancel();

 private:
  friend class TimerWheel;
  TimerWheel* wheel_ = nullptr;
  Timer* next_ = nullptr;
  Timer** previous_ = nullptr;  // the pointer that points here
  std::int64_t deadline_ns_ = 0;
  std::uint32_t slot_ = 0;
};

// A timer that calls a function: for places where a class of its own would say no more.
class CallbackTimer final : public Timer {
 public:
  explicit CallbackTimer(std::function<void()> callback) : callback_(std::move(callback)) {}
  void OnTimer() override { callback_(); }

 private:
  std::function<void()> callback_;
};

// A coarse hashed timer wheel: 4,096 slots of 16 ms. Moving a deadline further away only stores a number (the entry is
// put into its right slot when the wheel passes the old one), so a deadline that moves with each request costs nothing.
// Timers fire up to one slot late and never early. Thread: worker.
class TimerWheel {
 public:
  static constexpr std::int64_t kSlotNanoseconds = 16'000'000;
  static constexpr std::size_t kSlots = 4096;
  static constexpr std::size_t kWords = kSlots / 64;

  explicit TimerWheel(SteadyTime now);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Sets or moves the deadline of `timer`.
  void Schedule(Timer& timer, SteadyTime deadline);
  // Fires what is due. `now` never goes back.
  void Advance(SteadyTime now);
  // When Advance should next be called; absent when nothing is scheduled. May be earlier than any deadline.
  [[nodiscard]] std::optional<SteadyTime> NextWake() const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  friend class Timer;
  void Link(Timer& timer, std::int64_t tick);
  void Unlink(Timer& timer);
  void NoteEmpty(std::size_t slot);

  static_assert(kWords == 64);

  std::vector<Timer*> slots_;
  std::vector<std::uint64_t> occupied_;  // one bit for each slot
  std::uint64_t occupied_words_ = 0;     // one bit for each of these words: finding the next slot reads two
  std::int64_t current_tick_;            // every tick before this one was fired
  std::size_t size_ = 0;
};

}  // namespace weir::net
