#pragma once

#include "control/status_report.h"

#include <string>

namespace weir::control {

struct StatusTextOptions {
  bool colours = false;
};

// The report as aligned tables for a terminal of 80 to 100 columns.
[[nodiscard]] std::string StatusText(const StatusReport& report, const StatusTextOptions& options);

}  // namespace weir::control
