#pragma once

#include "base/result.h"

#include <cstdint>
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

// What would be a record type instead of `text`: `did you mean AAAA?`.
[[nodiscard]] std::string RecordTypeHint(std::string_view text);
// Whether the text may be a host name: letters, digits, hyphens, underscores and dots, labels of 1 to 63, 253 at most.
[[nodiscard]] bool IsHostName(std::string_view text);

}  // namespace weir::config
