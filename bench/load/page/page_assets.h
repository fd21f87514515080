#pragma once

#include <string_view>

namespace weir::bench {

// page.css, and drawing.js with charts.js as one script, put into the program while it is built.
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace weir::bench
