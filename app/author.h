#pragma once

#include <string>

namespace weir::app {

// Who runs this program, as changes say it: `alice@laptop`; behind sudo the user who called it.
[[nodiscard]] std::string Author();

}  // namespace weir::app
