#pragma once

#include "base/check.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace weir::proxy {

// The tries that one exchange has to get an answer: which targets it asked, and what it may still do. A value: a new
// exchange begins with a new one. Thread: worker.
class Attempts {
 public:
  // Targets that one request is sent to at most (docs/decisions.md, proxy).
  static constexpr std::size_t kTargetsMax = 3;

  // Refused streams that one request is sent again after.
  static constexpr std::uint8_t kRefusalsMax = 3;

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] bool exhausted() const { return count_ == kTargetsMax; }
  // The first target was just asked, for the first time.
  [[nodiscard]] bool is_first() const { return count_ == 1 && !forgave_ && refusals_ == 0; }
  // `target` is an index into the group's targets.
  [[nodiscard]] bool HasAsked(std::uint32_t target) const {
    return std::find(asked_.begin(), asked_.begin() + count_, target) != asked_.begin() + count_;
  }
  // Only while not exhausted().
  void Ask(std::uint32_t target) {
    WEIR_DCHECK(!exhausted());
    asked_[count_++] = target;
  }
  // Every connection after the first attempt is a new one: what was pooled may have died of the same cause.
  [[nodiscard]] bool wants_fresh_connection() const { return fresh_; }
  void WantFreshConnection() { fresh_ = true; }

  // A reused connection turned out to be dead. The target itself was not at fault: all of them may be asked again, over
  // fresh connections, once. False the second time.
  [[nodiscard]] bool ForgiveStaleConnection() {
    if (forgave_) return false;
    const std::uint8_t refusals = refusals_;
    *this = {};
    refusals_ = refusals;
    forgave_ = fresh_ = true;
    return true;
  }
  // The target took the request for certain to be sent again (a refused stream): any may be asked again, so often.
  [[nodiscard]] bool ForgiveRefusal() {
    if (refusals_ == kRefusalsMax) return false;
    const std::uint8_t refusals = refusals_;
    const bool forgave = forgave_;
    *this = {};
    refusals_ = static_cast<std::uint8_t>(refusals + 1);
    forgave_ = forgave;
    return true;
  }
  [[nodiscard]] bool may_forgive() const { return !forgave_; }

 private:
  std::array<std::uint32_t, kTargetsMax> asked_{};
  std::uint8_t count_ = 0;
  bool fresh_ = false;
  bool forgave_ = false;
  std::uint8_t refusals_ = 0;
};

}  // namespace weir::proxy
