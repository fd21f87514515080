#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::config {

// A name as records write it: relative to `origin` unless it ends in a dot, `@` is the origin itself. The answer is
// absolute, in lower case, with the final dot. Fails on empty labels, labels over 63 octets, names over 255 octets
// (RFC 1035 2.3.4), spaces, and a `*` that is not the whole leftmost label. `\.` and `\DDD` are one octet of a label.
[[nodiscard]] Result<std::string> ParseDnsName(std::string_view text, std::string_view origin);

// Whether `name` is `zone` or lies under it; both absolute and in lower case.
[[nodiscard]] bool IsInZone(std::string_view name, std::string_view zone);

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
inline constexpr std::uint16_t kTypeAaaa = 28;
inline constexpr std::uint16_t kTypeDs = 43;

// Whether the text may be a host name: letters, digits, hyphens, underscores and dots, labels of 1 to 63, 253 at most.
[[nodiscard]] bool IsHostName(std::string_view text);

}  // namespace weir::config
