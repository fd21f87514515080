#pragma once

#include "control/metrics_writer.h"
#include "control/view.h"

namespace weir::control {

// What became of stickiness: families of listeners with sticky forward actions, and of sticky target groups.
void WriteStickinessMetrics(MetricsWriter& out, const View& view);

}  // namespace weir::control
