#pragma once

// Pieces of log lines that several logs have. Thread: any.

#include "base/text_writer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::proxy {

// `1.002`: three digits behind the point, rounded; not negative.
void PutSeconds(TextWriter& out, double seconds);

// Quotes, backslashes and control characters as \xHH: the form observed in ALB's logs. `"-"` for an empty text. At most
// QuotedBytesMax.
void PutQuoted(TextWriter& out, std::string_view text);
[[nodiscard]] constexpr std::size_t QuotedBytesMax(std::string_view text) { return 4 * text.size() + 3; }

// `app/NAME/16 hex digits`, the digits always the same for the same name.
void PutLoadBalancerId(TextWriter& out, std::string_view name);
void AppendLoadBalancerId(std::string& out, std::string_view name);

// Appends `,"key":"value"`, escaped as RFC 8259 asks; bytes that are not UTF-8 cannot stand in JSON and are written as
// \u00HH.
void AppendJsonText(std::string& out, std::string_view key, std::string_view value);
void AppendJsonNumber(std::string& out, std::string_view key, std::uint64_t value);
// Nothing for a negative number, which stands for none.
void AppendJsonSeconds(std::string& out, std::string_view key, double seconds);

}  // namespace weir::proxy
