#pragma once

#include "control/appliance.h"
#include "control/metrics_writer.h"
#include "control/view.h"

#include <string>
#include <string_view>
#include <vector>

namespace weir::control {

// What names the program in weir_build_info.
struct BuildFacts {
  std::string_view version;
  std::string_view commit;
};

// How GET /metrics answers to the Accept field of a request: OpenMetrics to whoever names it before plain text.
[[nodiscard]] MetricsFormat FormatFor(std::string_view accept);
[[nodiscard]] std::string_view ContentTypeOf(MetricsFormat format);

// The body of GET /metrics. docs/metrics.md lists every family. `names` are those to write, all when empty; a name that
// is none of them is not an error. Thread: any.
[[nodiscard]] std::string MetricsText(const View& view, const Runtime& runtime, const BuildFacts& build, WallTime now,
                                      std::vector<std::string> names = {},
                                      MetricsFormat format = MetricsFormat::kPrometheus);

}  // namespace weir::control
