#pragma once

// Texts of peers as JSON has them (RFC 8259 section 7). Thread: any.

#include <string>
#include <string_view>

namespace weir::functions {

// Appends it in quotes. A text that is not UTF-8 is taken for ISO 8859-1.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace weir::functions
