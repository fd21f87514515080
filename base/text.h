#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

// ASCII only, whatever the locale: protocol text has no other case rule.
[[nodiscard]] constexpr char ToLowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
[[nodiscard]] bool EqualsIgnoreCase(std::string_view a, std::string_view b);
[[nodiscard]] std::string ToLowerAscii(std::string_view text);
// 0x20-0x7E.
[[nodiscard]] constexpr bool IsPrintableAscii(char c) { return c >= 0x20 && c <= 0x7E; }
[[nodiscard]] constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// EqualsIgnoreCase for a text that was folded before: `lower` has no upper-case letter.
[[nodiscard]] bool EqualsLower(std::string_view text, std::string_view lower);

// Without the blanks and line ends (space, tab, CR, LF) at both ends.
[[nodiscard]] std::string_view TrimBlanks(std::string_view text);

// A decimal number and nothing else; absent on anything else and on overflow.
[[nodiscard]] std::optional<std::uint64_t> ParseDecimal(std::string_view text);

// The lowest `digits` (1-16) hexadecimal digits of `value`, the highest first, in lower case.
void AppendHex(std::string& out, std::uint64_t value, unsigned digits);
void AppendDecimal(std::string& out, std::uint64_t value);

// The candidate nearest to `word` by edit distance (at most 1/3 of its length, at least 1), for `did you mean`. Empty
// when none is near.
[[nodiscard]] std::string_view NearestWord(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace weir
