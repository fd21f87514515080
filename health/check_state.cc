#include "health/check_state.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace weir::health {
namespace {

HealthReason ReasonOf(ProbeOutcome outcome) {
  switch (outcome) {
    case ProbeOutcome::kPassed:
      return HealthReason::kNone;
    case ProbeOutcome::kCodeMismatch:
      return HealthReason::kResponseCodeMismatch;
    case ProbeOutcome::kTimeout:
      return HealthReason::kTimeout;
    case ProbeOutcome::kStringMismatch:
    case ProbeOutcome::kFailed:
      return HealthReason::kFailedHealthChecks;
    case ProbeOutcome::kInternalError:
      return HealthReason::kInternalError;
  }
  return HealthReason::kFailedHealthChecks;
}

std::string_view DescribeError(int error) {
  switch (error) {
    case ECONNREFUSED:
      return "connection refused";
    case ECONNRESET:
    case EPIPE:
      return "connection reset";
    case EHOSTUNREACH:
      return "no route to host";
    case ENETUNREACH:
      return "network unreachable";
    case ETIMEDOUT:
      return "connection timed out";
    default:
      return {};
  }
}

TargetCheckState StepUp(TargetCheckState next, const TargetThresholds& thresholds, WallTime now) {
  next.failures_run = 0;
  if (next.state == HealthState::kHealthy) return next;
  ++next.successes_run;
  // The first success of a new target suffices, whatever the threshold.
  if (next.state == HealthState::kUnhealthy && next.successes_run < thresholds.healthy) return next;
  return {.state = HealthState::kHealthy, .reason = HealthReason::kNone, .since = now};
}

TargetCheckState StepDown(TargetCheckState next, const TargetThresholds& thresholds, const ProbeResult& result,
                          WallTime now) {
  next.successes_run = 0;
  const bool was_unhealthy = next.state == HealthState::kUnhealthy;
  if (!was_unhealthy && ++next.failures_run < thresholds.unhealthy) {
    if (next.state == HealthState::kInitial) next.reason = HealthReason::kInitialHealthChecking;
    return next;
  }
  return {.state = HealthState::kUnhealthy,
          .reason = ReasonOf(result.outcome),
          .code = result.outcome == ProbeOutcome::kCodeMismatch ? result.code : std::uint16_t{0},
          .since = was_unhealthy ? next.since : now};
}

}  // namespace

std::string DescribeSeen(const ProbeResult& result) {
  std::string seen;
  if (result.code != 0) seen = fmt::format("HTTP {}", result.code);
  std::string_view more = result.detail;
  if (more.empty() && result.error != 0) more = DescribeError(result.error);
  if (more.empty() && result.error != 0) more = std::strerror(result.error);
  if (more.empty() && result.outcome == ProbeOutcome::kTimeout) more = "timed out";
  if (more.empty() && seen.empty() && result.outcome == ProbeOutcome::kPassed) more = "connected";
  if (!seen.empty() && !more.empty()) seen += ", ";
  seen += more;
  return seen;
}

TargetCheckState Step(const TargetCheckState& state, const TargetThresholds& thresholds, const ProbeResult& result,
                      WallTime now) {
  switch (result.outcome) {
    case ProbeOutcome::kPassed:
      return StepUp(state, thresholds, now);
    case ProbeOutcome::kInternalError: {
      TargetCheckState next = state;
      if (next.state == HealthState::kInitial) next.reason = HealthReason::kInternalError;
      return next;
    }
    default:
      return StepDown(state, thresholds, result, now);
  }
}

std::string Describe(HealthReason reason, std::uint16_t code) {
  switch (reason) {
    case HealthReason::kNone:
      return {};
    case HealthReason::kRegistrationInProgress:
      return "Target registration is in progress";
    case HealthReason::kInitialHealthChecking:
      return "Initial health checks in progress";
    case HealthReason::kInternalError:
      return "Health checks failed due to an internal error";
    case HealthReason::kResponseCodeMismatch:
      return fmt::format("Health checks failed with these codes: [{}]", code);
    case HealthReason::kTimeout:
      return "Request timed out";
    case HealthReason::kFailedHealthChecks:
      return "Health checks failed";
    case HealthReason::kNotRegistered:
      return "Target is not registered to the target group";
    case HealthReason::kNotInUse:
      return "Target group is not configured to receive traffic from the load balancer";
    case HealthReason::kDeregistrationInProgress:
      return "Target deregistration is in progress";
    case HealthReason::kHealthCheckDisabled:
      return "Health checks are disabled";
  }
  return {};
}

EndpointCheckState Step(const EndpointCheckState& state, std::uint32_t failure_threshold, const ProbeResult& result) {
  if (result.outcome == ProbeOutcome::kInternalError) return state;
  const bool passed = result.outcome == ProbeOutcome::kPassed;
  if (passed == state.healthy) return {.healthy = state.healthy, .against_run = 0};
  if (state.against_run + 1 < failure_threshold) {
    return {.healthy = state.healthy, .against_run = state.against_run + 1};
  }
  return {.healthy = passed, .against_run = 0};
}

bool CalculatedHealthy(std::uint32_t healthy_children, std::uint32_t health_threshold) {
  return healthy_children >= health_threshold;
}

bool EffectiveHealthy(bool measured_healthy, bool disabled, bool inverted, AdminState admin_state) {
  if (admin_state == AdminState::kHealthy) return true;
  if (admin_state == AdminState::kUnhealthy) return false;
  return (disabled || measured_healthy) != inverted;
}

}  // namespace weir::health
