#pragma once

#include "config/model.h"

#include <memory>
#include <vector>

namespace weir::config {

// The zone that goes on serving once it is compiled: the same without the plain records, of which it keeps the number.
// Their texts and places would take two thirds of the memory of a large zone. `zone` itself when it has none. What
// comes back cannot be compiled again. Thread: any.
[[nodiscard]] std::shared_ptr<const Zone> WithoutPlainRecords(std::shared_ptr<const Zone> zone);

// The model with these zones in place of its own; `model` itself when they are the same. Thread: any.
[[nodiscard]] std::shared_ptr<const Model> WithZones(std::shared_ptr<const Model> model,
                                                     std::vector<std::shared_ptr<const Zone>> zones);

}  // namespace weir::config
