#pragma once

#include <string>
#include <string_view>

namespace weir {

// False when `text` holds a control character: C0 (a line end, ESC), DEL, or C1 in UTF-8, which terminals obey too.
[[nodiscard]] bool IsPrintable(std::string_view text);

// The text with its control characters written as `\x1b`, so that it stays in its line of a table or a message.
[[nodiscard]] std::string Printable(std::string_view text);

}  // namespace weir
