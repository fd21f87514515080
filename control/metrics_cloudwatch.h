#pragma once

#include "control/metrics_writer.h"
#include "control/view.h"

namespace weir::control {

// Families that count what a metric of CloudWatch counts and no other family has; spec: alb.md 17. docs/metrics.md says
// where each of AWS's metrics is.
void WriteCloudWatchMetrics(MetricsWriter& out, const View& view);

}  // namespace weir::control
