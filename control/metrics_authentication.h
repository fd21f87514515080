#pragma once

#include "control/metrics_writer.h"
#include "control/view.h"

namespace weir::control {

// Users who sign in, by listener; of those that have such an action. AWS's ELBAuthSuccess, ELBAuthFailure,
// ELBAuthError, ELBAuthUserClaimsSizeExceeded, ELBAuthRefreshTokenSuccess and ELBAuthLatency.
void WriteAuthenticationMetrics(MetricsWriter& out, const View& view);

}  // namespace weir::control
