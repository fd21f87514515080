#pragma once

#include "base/hex.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

// Appends the byte or percent-encoding of `text` at `at` in its normal form (RFC 3986 6.2.2.1 and 6.2.2.2): an encoded
// unreserved character is decoded, any other encoding has upper-case digits. A broken encoding is its `%`. Returns how
// many bytes of `text` it took. Thread: any.
inline std::size_t AppendNormalByte(std::string_view text, std::size_t at, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const char c = text[at];
  const int high = c == '%' && text.size() - at >= 3 ? HexValue(text[at + 1]) : -1;
  const int low = high < 0 ? -1 : HexValue(text[at + 2]);
  if (low < 0) {
    out.push_back(c);
    return 1;
  }
  // RFC 3986 section 2.3: their encoded and their plain form are the same.
  const char decoded = static_cast<char>(high * 16 + low);
  const char lower = static_cast<char>(decoded | 0x20);
  const bool unreserved = (lower >= 'a' && lower <= 'z') || (decoded >= '0' && decoded <= '9') || decoded == '-' ||
                          decoded == '.' || decoded == '_' || decoded == '~';
  if (unreserved) {
    out.push_back(decoded);
  } else {
    out.push_back('%');
    out.push_back(kDigits[static_cast<std::size_t>(high)]);
    out.push_back(kDigits[static_cast<std::size_t>(low)]);
  }
  return 3;
}

// The whole text with every percent-encoding in its normal form. Wildcards stay what they are: the encodings of `*` and
// `?` are not decoded, because both are reserved.
[[nodiscard]] inline std::string WithNormalEncodings(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) at += AppendNormalByte(text, at, out);
  return out;
}

}  // namespace weir
