#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::config {

// A name as records write it (base/domain_name.h): relative to `origin`, an absolute name, unless it ends in a dot; `@`
// is the origin itself. The answer is absolute, with the final dot and in the one form that AppendDomainName gives a
// name. Fails on what is no name, and on characters that are not ASCII, for which the hint has the Punycode.
[[nodiscard]] Result<std::string> ParseDnsName(std::string_view text, std::string_view origin);

// Whether `text`, relative to `zone`, ends in the zone's name all the same: the final dot was most likely forgotten.
[[nodiscard]] bool RepeatsZone(std::string_view text, std::string_view zone);

// Whether `name` is `zone` or lies under it; both as ParseDnsName gives them.
[[nodiscard]] bool IsInZone(std::string_view name, std::string_view zone);

// How the value of a TXT or SPF record is written.
enum class TextForm : std::uint8_t {
  kQuoted,
  kUnquoted,       // one string all the same
  kUnquotedWords,  // blanks divide it into several strings
};
[[nodiscard]] TextForm TextFormOf(std::string_view value);

// The name at the end of a value of a type that has one there (CNAME, MX ...), when it is written in UTF-8; else empty.
[[nodiscard]] std::string_view InternationalName(std::uint16_t type, std::string_view value);

// `A`, `aaaa`, `TYPE65280` into the number; absent for anything that cannot be stored in a zone (ANY, AXFR, OPT).
[[nodiscard]] std::optional<std::uint16_t> ParseRecordType(std::string_view text);
// `did you mean AAAA?` or nothing.
[[nodiscard]] std::string RecordTypeHint(std::string_view text);
// `A`, `TYPE65280`.
[[nodiscard]] std::string RecordTypeName(std::uint16_t type);

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeNs = 2;
inline constexpr std::uint16_t kTypeCname = 5;
inline constexpr std::uint16_t kTypeSoa = 6;
inline constexpr std::uint16_t kTypeTxt = 16;
inline constexpr std::uint16_t kTypeAaaa = 28;
inline constexpr std::uint16_t kTypeDs = 43;
inline constexpr std::uint16_t kTypeSpf = 99;

// Whether the text may be a host name: letters, digits, hyphens, underscores and dots, labels of 1 to 63, 253 at most.
[[nodiscard]] bool IsHostName(std::string_view text);

}  // namespace weir::config
