#pragma once

#include "base/clock.h"

#include <algorithm>
#include <cstddef>

namespace weir::dns {

// What the TCP connections of one worker may answer in one turn of its loop, so that UDP and everything else get
// theirs between two turns, and what one connection may take of it at a time. Our choice: on a core of today a turn's
// bytes or answers take about half a millisecond.
struct TcpBudgetLimits {
  std::size_t turn_answers = 256;
  std::size_t turn_bytes = 256 * 1024;
  std::size_t visit_answers = 128;  // more than one reading of usual queries holds: they leave with one write
  std::size_t visit_bytes = 32 * 1024;
};

// Counts what is left of them. Each limit may be passed by one answer, whose size nobody knows beforehand. Inline:
// every query over TCP passes here. Thread: worker.
class TcpBudget {
 public:
  explicit TcpBudget(const TcpBudgetLimits& limits = {}) : limits_(limits) {}

  // Whether something of the turn is left; it is whole again in every turn. `turn` is net::EventLoop::now(), the time
  // at which the turn began.
  [[nodiscard]] bool HasTurn(SteadyTime turn) {
    if (turn != turn_) {
      turn_ = turn;
      turn_answers_ = limits_.turn_answers;
      turn_bytes_ = limits_.turn_bytes;
    }
    return turn_answers_ > 0 && turn_bytes_ > 0;
  }
  // A connection gets its share, which ends with that of the turn. The visit itself costs as much as an answer.
  void BeginVisit() {
    visit_answers_ = std::min(limits_.visit_answers, turn_answers_);
    visit_bytes_ = std::min(limits_.visit_bytes, turn_bytes_);
    Take(turn_answers_, 1);
  }
  [[nodiscard]] std::size_t visit_answers() const { return visit_answers_; }
  [[nodiscard]] std::size_t visit_bytes() const { return visit_bytes_; }
  [[nodiscard]] bool HasVisit() const { return visit_answers_ > 0 && visit_bytes_ > 0; }
  // So many answers of so many bytes together were made; 0 answers: older ones are sent.
  void Spend(std::size_t answers, std::size_t bytes) {
    Take(turn_answers_, answers);
    Take(visit_answers_, answers);
    Take(turn_bytes_, bytes);
    Take(visit_bytes_, bytes);
  }

 private:
  static void Take(std::size_t& left, std::size_t amount) { left -= std::min(left, amount); }

  TcpBudgetLimits limits_;
  SteadyTime turn_{};
  std::size_t turn_answers_ = 0;
  std::size_t turn_bytes_ = 0;
  std::size_t visit_answers_ = 0;
  std::size_t visit_bytes_ = 0;
};

}  // namespace weir::dns
