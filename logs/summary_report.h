#pragma once

#include <string>

namespace weir::logs {

class Summary;

// A summary for people: tables with the most requests first, at most `rows` of each kind.
[[nodiscard]] std::string SummaryText(const Summary& summary, std::size_t rows);
// The same for programs, with everything: one JSON object. Times are seconds, as in the logs.
[[nodiscard]] std::string SummaryJson(const Summary& summary);

}  // namespace weir::logs
