#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace weir::net {
namespace {

std::int64_t Nanoseconds(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// The first tick at whose start the deadline has passed.
std::int64_t DueTick(std::int64_t deadline_ns) {
  return (deadline_ns + TimerWheel::kSlotNanoseconds - 1) / TimerWheel::kSlotNanoseconds;
}

}  // namespace

Timer::~Timer() { Cancel(); }

void Timer::Cancel() {
  if (wheel_ != nullptr) wheel_->Unlink(*this);
}

TimerWheel::TimerWheel(SteadyTime now)
    : slots_(kSlots), occupied_(kWords), current_tick_(Nanoseconds(now) / kSlotNanoseconds) {}

TimerWheel::~TimerWheel() {
  for (Timer* head : slots_) {
    while (head != nullptr) {
      Timer* next = head->next_;
      Unlink(*head);
      head = next;
    }
  }
}

void TimerWheel::Schedule(Timer& timer, SteadyTime deadline) {
  const std::int64_t deadline_ns = Nanoseconds(deadline);
  const bool later = timer.wheel_ == this && deadline_ns >= timer.deadline_ns_;
  timer.deadline_ns_ = deadline_ns;
  if (later) return;
  if (timer.wheel_ != nullptr) timer.wheel_->Unlink(timer);
  Link(timer, std::max(DueTick(deadline_ns), current_tick_));
}

void TimerWheel::Link(Timer& timer, std::int64_t tick) {
  // Further away than the wheel is long: wait in the farthest slot and be moved on from there.
  tick = std::min(tick, current_tick_ + static_cast<std::int64_t>(kSlots) - 1);
  const auto slot = static_cast<std::size_t>(tick) % kSlots;
  timer.wheel_ = this;
  timer.slot_ = static_cast<std::uint32_t>(slot);
  timer.next_ = slots_[slot];
  timer.previous_ = &slots_[slot];
  if (timer.next_ != nullptr) timer.next_->previous_ = &timer.next_;
  slots_[slot] = &timer;
  occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  occupied_words_ |= std::uint64_t{1} << (slot / 64);
  ++size_;
}

void TimerWheel::Unlink(Timer& timer) {
  *timer.previous_ = timer.next_;
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  if (slots_[timer.slot_] == nullptr) NoteEmpty(timer.slot_);
  timer.wheel_ = nullptr;
  timer.next_ = nullptr;
  timer.previous_ = nullptr;
  --size_;
}

void TimerWheel::NoteEmpty(std::size_t slot) {
  std::uint64_t& word = occupied_[slot / 64];
  word &= ~(std::uint64_t{1} << (slot % 64));
  if (word == 0) occupied_words_ &= ~(std::uint64_t{1} << (slot / 64));
}

void TimerWheel::Advance(SteadyTime now) {
  const std::int64_t now_ns = Nanoseconds(now);
  const std::int64_t last_tick = now_ns / kSlotNanoseconds;
  // After a long pause one round over the slots visits every timer.
  current_tick_ = std::max(current_tick_, last_tick - static_cast<std::int64_t>(kSlots) + 1);
  while (current_tick_ <= last_tick) {
    const auto slot = static_cast<std::size_t>(current_tick_) % kSlots;
    // Counted up before anything fires: a callback that schedules for a moment that has passed gets the next slot, not
    // this one, which the wheel reaches again only after a whole round.
    ++current_tick_;
    if (slots_[slot] == nullptr) continue;
    // The slot's timers are moved to a list of their own first: a callback may cancel any of them.
    Timer* due = slots_[slot];
    slots_[slot] = nullptr;
    due->previous_ = &due;
    NoteEmpty(slot);
    while (due != nullptr) {
      Timer& timer = *due;
      Unlink(timer);
      if (timer.deadline_ns_ > now_ns) {
        Link(timer, std::max(DueTick(timer.deadline_ns_), current_tick_));
      } else {
        timer.OnTimer();
      }
    }
  }
}

std::optional<SteadyTime> TimerWheel::NextWake() const {
  if (size_ == 0) return std::nullopt;
  const auto start = static_cast<std::size_t>(current_tick_) % kSlots;
  const std::size_t start_word = start / 64;
  std::size_t slot = kSlots;
  if (const std::uint64_t word = occupied_[start_word] >> (start % 64); word != 0) {
    slot = start + static_cast<std::size_t>(std::countr_zero(word));
  } else if (occupied_words_ != 0) {
    // The words behind that one, round to its own beginning.
    const std::uint64_t words = std::rotr(occupied_words_, static_cast<int>(start_word + 1));
    const std::size_t next = (start_word + 1 + static_cast<std::size_t>(std::countr_zero(words))) % kWords;
    slot = next * 64 + static_cast<std::size_t>(std::countr_zero(occupied_[next]));
  }
  if (slot != kSlots) {
    const auto tick = current_tick_ + static_cast<std::int64_t>((slot + kSlots - start) % kSlots);
    return SteadyTime(std::chrono::nanoseconds(tick * kSlotNanoseconds));
  }
  return SteadyTime(std::chrono::nanoseconds(current_tick_ * kSlotNanoseconds));
}

}  // namespace weir::net
