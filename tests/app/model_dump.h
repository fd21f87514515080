#pragma once

#include "config/model.h"

#include <string>

namespace weir::app::testing {

enum class Places : bool { kLeftOut, kShown };

// Everything that a model says, a line for each thing: two models are the same when their dumps are.
[[nodiscard]] std::string DumpModel(const config::Model& model, Places places);

}  // namespace weir::app::testing
