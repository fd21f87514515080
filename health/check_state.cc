#include "health/check_state.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstddef>
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

constexpr std::size_t kReceivedShownMax = 40;

// What is no HTTP may be anything: visible ASCII stays, the rest is escaped.
std::string Shown(std::string_view received) {
  std::string out;
  for (const char c : received.substr(0, kReceivedShownMax)) {
    if (c >= 0x20 && c < 0x7F) {
      out.push_back(c);
    } else {
      out.append(fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c))));
    }
  }
  return out.append(received.size() > kReceivedShownMax ? "..." : "");
}

// `text: seen`, or what AWS says alone.
std::string WithSeen(std::string_view text, std::string_view seen) {
  return seen.empty() ? std::string(text) : fmt::format("{}: {}", text, seen);
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
  if (!result.received.empty()) {
    return fmt::format("malformed response ({}), it began with \"{}\"", result.detail, Shown(result.received));
  }
  std::string seen;
  if (result.is_grpc) {
    seen = fmt::format("gRPC {}", result.code);
  } else if (result.code != 0) {
    seen = fmt::format("HTTP {}", result.code);
  }
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

std::string Describe(HealthReason reason, std::uint16_t code, std::string_view seen) {
  constexpr std::string_view kTimedOut = "timed out";
  switch (reason) {
    case HealthReason::kNone:
      return {};
    case HealthReason::kRegistrationInProgress:
      return "Target registration is in progress";
    case HealthReason::kInitialHealthChecking:
      return "Initial health checks in progress";
    case HealthReason::kInternalError:
      return WithSeen("Health checks failed due to an internal error", seen);
    case HealthReason::kResponseCodeMismatch:
      return fmt::format("Health checks failed with these codes: [{}]", code);
    case HealthReason::kTimeout:
      // `timed out while connecting` ends the sentence that AWS's text begins.
      if (seen.starts_with(kTimedOut)) return fmt::format("Request {}", seen);
      return WithSeen("Request timed out", seen);
    case HealthReason::kFailedHealthChecks:
      return WithSeen("Health checks failed", seen);
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
