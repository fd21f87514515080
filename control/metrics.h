#pragma once

#include "control/appliance.h"
#include "control/view.h"

#include <string>
#include <string_view>

namespace weir::control {

// What names the program in weir_build_info.
struct BuildFacts {
  std::string_view version;
  std::string_view commit;
};

// The body of GET /metrics: Prometheus text format 0.0.4. docs/metrics.md lists every family. Thread: any.
[[nodiscard]] std::string MetricsText(const View& view, const Runtime& runtime, const BuildFacts& build, WallTime now);

}  // namespace weir::control
