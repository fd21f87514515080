#pragma once

#include "base/counters.h"

namespace weir::health {

// What one worker saw of one target. Written by that worker, read by metrics and, later, by passive checks.
struct TargetObservation {
  Counter requests;  // requests sent to it
  Counter responses_2xx;
  Counter responses_3xx;
  Counter responses_4xx;
  Counter responses_5xx;
  Counter connection_errors;  // refused, reset or timed out before a response
  Counter connections_opened;
  Counter active_requests;  // now
};

using TargetObservations = PerWorker<TargetObservation>;

}  // namespace weir::health
