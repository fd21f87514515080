#pragma once

// How figures and foreign strings are written for people and for documents. Thread: any, for every function.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir {

// 1234567 as `1,234,567`.
[[nodiscard]] std::string CountText(std::uint64_t count);
// Per second: `12,345` from 100 on, `12.3` and `0.12` below.
[[nodiscard]] std::string RateText(double per_second);
// Milliseconds with three digits and their unit: `870 ns`, `123 us`, `1.23 ms`, `12.3 s`.
[[nodiscard]] std::string DurationText(double milliseconds);
// `512 B`, `1.23 kB`, `45.6 MB`: decimal units.
[[nodiscard]] std::string BytesText(double bytes);
// `part` of `whole`: `12.34 %`; `0 %` of nothing.
[[nodiscard]] std::string PercentText(std::uint64_t part, std::uint64_t whole);

// Valid UTF-8 with control characters shown as `?`, so that what a peer sent cannot steer a terminal; a character of
// the text is one column, which weir::Printable does not promise.
[[nodiscard]] std::string TerminalText(std::string_view text);
// RFC 3629.
[[nodiscard]] bool IsUtf8(std::string_view text);
// The text as valid UTF-8: each byte that is not part of a character becomes U+FFFD.
[[nodiscard]] std::string Utf8(std::string_view text);
// Appends bytes as a JSON string in quotes (RFC 8259 section 7): those above ASCII, which may be no UTF-8, as \u00HH.
void AppendJsonBytes(std::string& out, std::string_view bytes);
// Valid UTF-8 for text and attribute values of HTML: `&`, `<`, `>` and both quotes are escaped.
[[nodiscard]] std::string Html(std::string_view text);
// At most `columns` characters (UTF-8) of valid UTF-8; the last one is `…` when something was cut.
[[nodiscard]] std::string Cut(std::string_view text, std::size_t columns);

// The entries with the highest counts first, equal ones by name.
[[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> Ranked(
    const std::map<std::string, std::uint64_t>& counts);

}  // namespace weir
