#pragma once

// The state machines of both families of checks, without time and I/O of their own: Step(state, result, now) gives the
// next state.

#include "base/clock.h"
#include "health/status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::health {

enum class ProbeOutcome : std::uint8_t {
  kPassed,
  kCodeMismatch,    // a status code outside the matcher
  kStringMismatch,  // the search string is not in the first 5,120 bytes of the content
  kTimeout,
  kFailed,         // refused, reset, closed early, not HTTP, handshake failed, name not resolved
  kInternalError,  // weir could not even try (no descriptors left): says nothing about the target
};

// The detail of a gRPC answer that does not say how it went.
inline constexpr std::string_view kNoGrpcStatus = "no grpc-status";

// What one probe found.
struct ProbeResult {
  ProbeOutcome outcome = ProbeOutcome::kFailed;
  std::uint16_t code = 0;        // the HTTP status, or gRPC's; 0 when no response head arrived
  int error = 0;                 // an errno; 0 when the cause is not the system's
  std::string_view detail = {};  // a static text: `closed before a response`; may be empty
  // How a response began that is no HTTP response; may be empty. Valid as long as the call that reports the result.
  std::string_view received = {};
  bool is_grpc = false;  // the code is gRPC's
};

// `HTTP 503`, `connection refused`, `timed out while connecting`, `malformed response ...`: what was seen, for logs and
// status. ASCII.
[[nodiscard]] std::string DescribeSeen(const ProbeResult& result);

// ---- target groups' checks; spec: alb.md section 11

struct TargetThresholds {
  std::uint32_t healthy = 5;    // consecutive successes that bring an unhealthy target back
  std::uint32_t unhealthy = 2;  // consecutive failures that take a target out
};

// What probes say about one target: kInitial, kHealthy or kUnhealthy.
struct TargetCheckState {
  HealthState state = HealthState::kInitial;
  HealthReason reason = HealthReason::kRegistrationInProgress;
  std::uint16_t code = 0;           // the status behind kResponseCodeMismatch
  std::uint32_t successes_run = 0;  // consecutive, up to now; at most one of the two is not 0
  std::uint32_t failures_run = 0;
  WallTime since;  // when `state` was entered

  friend bool operator==(const TargetCheckState&, const TargetCheckState&) = default;
};

//            one success                     `unhealthy` failures in a row
//  initial ───────────────▶ healthy ◀─────────────────────────────────────▶ unhealthy ◀──┐
//     │                              `healthy` successes in a row                        │
//     └──────────────────────────────────────────────────────────────────────────────────┘
//                              `unhealthy` failures in a row
//
// An unhealthy target shows the reason of its latest failure. kInternalError changes nothing but an initial target's
// reason: without a working probe the last known state serves.
[[nodiscard]] TargetCheckState Step(const TargetCheckState& state, const TargetThresholds& thresholds,
                                    const ProbeResult& result, WallTime now);

// The text that the API shows beside a reason: `Health checks failed with these codes: [503]`. What the probe saw
// (DescribeSeen) follows where AWS's own text leaves it open: `Health checks failed: connection refused`. Empty for
// kNone.
[[nodiscard]] std::string Describe(HealthReason reason, std::uint16_t code, std::string_view seen = {});

// ---- DNS health checks; spec: dns.md sections 2.2 and 4

// One endpoint check: healthy until there is enough data.
struct EndpointCheckState {
  bool healthy = true;
  std::uint32_t against_run = 0;  // consecutive results that contradict `healthy`

  friend bool operator==(const EndpointCheckState&, const EndpointCheckState&) = default;
};

//             `failure_threshold` failures in a row
//  healthy ◀──────────────────────────────────────────▶ unhealthy
//             `failure_threshold` successes in a row
//
// kInternalError changes nothing.
[[nodiscard]] EndpointCheckState Step(const EndpointCheckState& state, std::uint32_t failure_threshold,
                                      const ProbeResult& result);

// A CALCULATED check: at least `health_threshold` of the children are healthy. 0 is always healthy, more than there are
// children never.
[[nodiscard]] bool CalculatedHealthy(std::uint32_t healthy_children, std::uint32_t health_threshold);

// What records see of a check: disabled makes it healthy, inversion comes last, an override replaces both.
[[nodiscard]] bool EffectiveHealthy(bool measured_healthy, bool disabled, bool inverted, AdminState admin_state);

}  // namespace weir::health
