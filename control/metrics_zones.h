#pragma once

#include "control/appliance.h"
#include "control/metrics_writer.h"
#include "control/view.h"

namespace weir::control {

// The families about availability zones: of nodes of load balancers, of groups with cross-zone off, of zonal shifts.
// Thread: any.
void WriteZones(MetricsWriter& out, const View& view, const Runtime& runtime);

}  // namespace weir::control
