#pragma once

#include "base/clock.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::bench {

// The queries that wait for an answer on one socket, found by their identifier. The upper bits of an identifier count
// how often its slot was used, so that an answer that comes too late does not pass for that of a later query. Allocates
// when it is made. Thread: one.
class QueryWindow {
 public:
  // Identifiers are left over for late answers to be told apart.
  static constexpr std::size_t kCapacityMax = 32'768;

  struct Pending {
    SteadyTime due;              // latency counts from here
    SteadyTime sent;             // the timeout counts from here
    std::uint32_t question = 0;  // of the QuerySet
    std::uint16_t id = 0;
    bool open = false;

   private:
    friend class QueryWindow;
    std::uint16_t older = 0;  // slots, in the order of sending
    std::uint16_t newer = 0;
  };

  // `capacity` is 1 to kCapacityMax. The window begins with `allowed` queries and grows by one with each Widen.
  QueryWindow(std::size_t capacity, std::size_t allowed);

  [[nodiscard]] std::size_t room() const { return allowed_ > open_count_ ? allowed_ - open_count_ : 0; }
  [[nodiscard]] std::size_t open_count() const { return open_count_; }

  // Takes a slot; there is room. The identifier to send is in the answer.
  Pending& Open(SteadyTime due, SteadyTime sent, std::uint32_t question);
  // The query that an answer belongs to; null when none waits for it.
  [[nodiscard]] Pending* Find(std::uint16_t id);
  // The one that was sent first; null when none waits.
  [[nodiscard]] Pending* oldest();
  void Widen() { allowed_ += allowed_ < capacity_ ? 1 : 0; }
  // `pending` is open; its slot is free afterwards.
  void Close(Pending& pending);

 private:
  static constexpr std::uint16_t kNone = 0xFFFF;
  [[nodiscard]] std::uint16_t SlotOf(std::uint16_t id) const { return static_cast<std::uint16_t>(id & mask_); }

  std::size_t capacity_;
  std::size_t allowed_;
  std::size_t mask_;
  std::vector<Pending> slots_;
  std::vector<std::uint16_t> free_;  // a ring: the slot that has been free longest is used next
  std::size_t free_first_ = 0;
  std::size_t open_count_ = 0;
  std::uint16_t oldest_ = kNone;
  std::uint16_t newest_ = kNone;
};

}  // namespace weir::bench
