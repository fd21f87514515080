#pragma once

// Domain names and the escapes in them, as people write them: one reader for the configuration and for DNS.

#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weir {

inline constexpr std::size_t kDomainNameBytesMax = 255;  // RFC 1035 2.3.4, the root label included
inline constexpr std::size_t kDomainLabelBytesMax = 63;

// A name in uncompressed, lower-case wire form, as ParseDomainName made it.
struct DomainName {
  std::array<std::uint8_t, kDomainNameBytesMax> bytes{};
  std::uint8_t size = 1;
  bool is_absolute = false;    // written with a final dot
  bool is_plain_ascii = true;  // no octet above 0x7F was written as it is

  [[nodiscard]] std::span<const std::uint8_t> wire() const { return {bytes.data(), size}; }
  // Without the root label.
  [[nodiscard]] std::size_t labels() const;
};

// An octet of a name as it is compared: ASCII letters in lower case, all others as they are (RFC 4343).
[[nodiscard]] constexpr std::uint8_t ToLowerOctet(std::uint8_t c) {
  return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c | 0x20U) : c;
}

// Whether `name` is `ancestor` or lies under it; both whole, uncompressed and lower-case, in wire form.
[[nodiscard]] bool IsNameWithin(std::span<const std::uint8_t> name, std::span<const std::uint8_t> ancestor);

// Reads an escape whose backslash stands before `text[at]`, and moves `at` past it. Escapes are Route 53's (spec:
// dns.md 2.1): three OCTAL digits up to `\377`, or any character that is no digit, for itself. Fails on everything
// else.
[[nodiscard]] Result<std::uint8_t> ParseEscape(std::string_view text, std::size_t& at);

// Reads presentation form (RFC 1035 5.1). A name without a final dot continues with `origin`, which is in wire form;
// the root makes it absolute as it is. `*` is an octet like others, whether it is written `*` or `\052`. Fails on empty
// labels, labels over 63 octets, names over 255 octets, spaces and control characters; the message does not repeat the
// text.
[[nodiscard]] Result<DomainName> ParseDomainName(std::string_view text, std::span<const std::uint8_t> origin = {});

// Appends wire form as presentation form with the final dot, escaped as Route 53 returns names: every octet but
// letters, digits, `-`, `_`, `*` and `/` as `\ooo`. Two texts made by it are equal exactly when the names are.
void AppendDomainName(std::span<const std::uint8_t> wire, std::string& out);

// What an internationalized name in UTF-8 is in DNS: each label with other than ASCII characters in Punycode (RFC 3492)
// behind `xn--`, capitals of Latin, Greek and Cyrillic in lower case. Empty when the text is ASCII, no UTF-8, holds
// combining marks (the composed form is not worked out), or gives a label over 63 octets.
[[nodiscard]] std::string ToPunycode(std::string_view text);

}  // namespace weir
