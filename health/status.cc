#include "health/status.h"

#include "config/model.h"

namespace weir::health {

std::string_view ToString(HealthState state) {
  switch (state) {
    case HealthState::kInitial:
      return "initial";
    case HealthState::kHealthy:
      return "healthy";
    case HealthState::kUnhealthy:
      return "unhealthy";
    case HealthState::kUnused:
      return "unused";
    case HealthState::kDraining:
      return "draining";
    case HealthState::kUnavailable:
      return "unavailable";
  }
  return "";
}

std::string_view ToString(HealthReason reason) {
  switch (reason) {
    case HealthReason::kNone:
      return "";
    case HealthReason::kRegistrationInProgress:
      return "Elb.RegistrationInProgress";
    case HealthReason::kInitialHealthChecking:
      return "Elb.InitialHealthChecking";
    case HealthReason::kInternalError:
      return "Elb.InternalError";
    case HealthReason::kResponseCodeMismatch:
      return "Target.ResponseCodeMismatch";
    case HealthReason::kTimeout:
      return "Target.Timeout";
    case HealthReason::kFailedHealthChecks:
      return "Target.FailedHealthChecks";
    case HealthReason::kNotRegistered:
      return "Target.NotRegistered";
    case HealthReason::kNotInUse:
      return "Target.NotInUse";
    case HealthReason::kDeregistrationInProgress:
      return "Target.DeregistrationInProgress";
    case HealthReason::kHealthCheckDisabled:
      return "Target.HealthCheckDisabled";
  }
  return "";
}

std::string_view ToString(AdminState state) {
  switch (state) {
    case AdminState::kMeasured:
      return "measured";
    case AdminState::kHealthy:
      return "healthy";
    case AdminState::kUnhealthy:
      return "unhealthy";
    case AdminState::kDraining:
      return "draining";
  }
  return "";
}

std::string_view ToString(ZonalOverride zonal_override) {
  switch (zonal_override) {
    case ZonalOverride::kNone:
      return "no_override";
    case ZonalOverride::kShiftActive:
      return "zonal_shift_active";
    case ZonalOverride::kDelegatedToDns:
      return "zonal_shift_delegated_to_dns";
  }
  return "";
}

const GroupStatus& StatusOfNode(const config::LoadBalancer& balancer, const config::LoadBalancerNode& node,
                                const config::TargetGroup& settings, const GroupStatus& status) {
  const bool keeps_zone = !CrossesZones(balancer.attributes, settings) && node.zone_index < status.by_zone.size();
  return keeps_zone ? status.by_zone[node.zone_index] : status;
}

}  // namespace weir::health
