#pragma once

#include "base/result.h"
#include "control/status_report.h"

#include <optional>
#include <string>
#include <string_view>

namespace weir::control {

// The body of GET /v1/status.
[[nodiscard]] std::string StatusJson(const StatusReport& report);

// The body of GET /v1/zonal-shift, and back. Fails when the text is no such body.
[[nodiscard]] std::string ZonalShiftJson(const std::optional<ZonalShiftReport>& shift);
[[nodiscard]] Result<std::optional<ZonalShiftReport>> ParseZonalShiftJson(std::string_view text);

// Reads a status back. Fails when the text is no JSON or no status of an appliance; members it does not know are
// left out.
[[nodiscard]] Result<StatusReport> ParseStatusJson(std::string_view text);

}  // namespace weir::control
