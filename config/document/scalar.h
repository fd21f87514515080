#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::config {

// Texts of scalars into values. All are total: absent means that the text is no such value. Thread: any.

// `250ms`, `5s`, `2m`, `1h`, `14d`: a decimal number and a unit, nothing between. Absent on overflow too.
[[nodiscard]] std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// The duration as a file would write it: `5s`, `1500ms`; whole hours and days in `h` and `d`.
[[nodiscard]] std::string DurationText(std::chrono::milliseconds duration);
// A decimal number with an optional minus sign.
[[nodiscard]] std::optional<std::int64_t> ParseInteger(std::string_view text);
// A decimal number with an optional minus sign and fraction; never infinite, never NaN.
[[nodiscard]] std::optional<double> ParseNumber(std::string_view text);
// true or false, in any case; YAML 1.1's yes, no, on and off are not booleans.
[[nodiscard]] std::optional<bool> ParseBoolean(std::string_view text);

}  // namespace weir::config
