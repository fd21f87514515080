#pragma once

#include "config/model.h"
#include "control/appliance.h"
#include "health/status.h"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

// The load balancers that a zonal shift away from `zone` concerns, by name: those that have a node there and let
// themselves be shifted.
[[nodiscard]] std::vector<std::string> BalancersShifted(const config::Model& model, std::string_view zone);

// True while a shift away from `zone` can stand: it concerns somebody, and leaves all of them a zone.
[[nodiscard]] bool CanBeLeft(const config::Model& model, std::string_view zone);

// Why a zonal shift cannot be started: the zone is none, nobody lets it be left, it is the only one, another shift is
// under way (`current`), or, unless forced, a target group has no healthy target elsewhere. `health` is of the model.
[[nodiscard]] std::expected<void, control::Refusal> CheckZonalShift(const config::Model& model,
                                                                    const health::StatusTable& health,
                                                                    const std::optional<control::ZonalShift>& current,
                                                                    const control::ZonalShiftChange& change);

}  // namespace weir::app
