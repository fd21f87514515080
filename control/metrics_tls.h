#pragma once

#include "control/view.h"

namespace weir::control {

class MetricsWriter;

// The families of listeners and target groups that speak TLS: handshakes, suites, failures, certificates.
// docs/metrics.md.
void WriteTlsMetrics(MetricsWriter& out, const View& view);

}  // namespace weir::control
