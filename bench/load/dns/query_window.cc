#include "bench/load/dns/query_window.h"

#include "base/check.h"

#include <algorithm>
#include <bit>

namespace weir::bench {

QueryWindow::QueryWindow(std::size_t capacity, std::size_t allowed)
    : capacity_(capacity), allowed_(std::clamp<std::size_t>(allowed, 1, capacity)), mask_(std::bit_ceil(capacity) - 1) {
  WEIR_CHECK(capacity >= 1 && capacity <= kCapacityMax);
  slots_.resize(mask_ + 1);
  free_.resize(mask_ + 1);
  for (std::size_t i = 0; i <= mask_; ++i) {
    slots_[i].id = static_cast<std::uint16_t>(i);
    free_[i] = static_cast<std::uint16_t>(i);
  }
}

QueryWindow::Pending& QueryWindow::Open(SteadyTime due, SteadyTime sent, std::uint32_t question) {
  WEIR_DCHECK(room() > 0);
  const std::uint16_t slot = free_[free_first_++ & mask_];
  Pending& pending = slots_[slot];
  pending.due = due;
  pending.sent = sent;
  pending.question = question;
  pending.id = static_cast<std::uint16_t>(pending.id + mask_ + 1);
  pending.open = true;
  pending.older = newest_;
  pending.newer = kNone;
  (newest_ == kNone ? oldest_ : slots_[newest_].newer) = slot;
  newest_ = slot;
  ++open_count_;
  return pending;
}

QueryWindow::Pending* QueryWindow::Find(std::uint16_t id) {
  Pending& pending = slots_[SlotOf(id)];
  return pending.open && pending.id == id ? &pending : nullptr;
}

QueryWindow::Pending* QueryWindow::oldest() { return oldest_ == kNone ? nullptr : &slots_[oldest_]; }

void QueryWindow::Close(Pending& pending) {
  WEIR_DCHECK(pending.open);
  pending.open = false;
  (pending.older == kNone ? oldest_ : slots_[pending.older].newer) = pending.newer;
  (pending.newer == kNone ? newest_ : slots_[pending.newer].older) = pending.older;
  // As many slots are free as are neither open nor between the ring's first and its end.
  free_[(free_first_ + (mask_ + 1 - open_count_)) & mask_] = SlotOf(pending.id);
  --open_count_;
}

}  // namespace weir::bench
