#pragma once

#include "config/model.h"

#include <memory>

namespace weir::config {

// The model that goes on serving once its zones are compiled: the same without the plain records, of which Zone keeps
// the number. Their texts and places would take two thirds of the memory of a large zone. `model` itself when it has
// none. What comes back cannot be compiled into zones again. Thread: any.
[[nodiscard]] std::shared_ptr<const Model> WithoutPlainRecords(std::shared_ptr<const Model> model);

}  // namespace weir::config
