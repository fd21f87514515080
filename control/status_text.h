#pragma once

#include "control/status_rates.h"
#include "control/status_report.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace weir::control {

struct StatusTextOptions {
  bool colours = false;
  // The traffic of each target group lately, shown above the rest; empty: not shown.
  std::span<const GroupRate> rates = {};
};

// The report as aligned tables for a terminal of 80 to 100 columns.
[[nodiscard]] std::string StatusText(const StatusReport& report, const StatusTextOptions& options);

// What of `text`, whole lines, fits into a terminal: at most `rows` lines of at most `columns` cells; colours take no
// cells and are closed where a line is cut. Where lines are left out, the last one says how many. The result does not
// end in a line break, so that a terminal that shows it does not scroll.
[[nodiscard]] std::string FitToTerminal(std::string_view text, std::size_t columns, std::size_t rows);

}  // namespace weir::control
