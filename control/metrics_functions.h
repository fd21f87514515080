#pragma once

#include "control/metrics_writer.h"
#include "control/view.h"

namespace weir::control {

// Families of target groups that are functions; spec: alb.md 17, Lambda.
void WriteFunctionMetrics(MetricsWriter& out, const View& view);

}  // namespace weir::control
