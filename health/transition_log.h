#pragma once

#include "base/counters.h"
#include "health/engine.h"

#include <functional>
#include <utility>

namespace weir::health {

// Where every transition goes: one log line, one count, one event. Thread: the engine's.
class TransitionLog {
 public:
  TransitionLog(Counter& total, std::function<void(const Transition&)> on_transition)
      : total_(total), on_transition_(std::move(on_transition)) {}
  void Report(const Transition& transition);

 private:
  Counter& total_;
  std::function<void(const Transition&)> on_transition_;
};

}  // namespace weir::health
