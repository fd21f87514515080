#include "functions/json_text.h"

#include <cstdint>

namespace weir::functions {
namespace {

// How many bytes follow the first one of a character; -1: none can begin so.
int FollowersOf(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  if (first >= 0xf0 && first <= 0xf4) return 3;
  return -1;
}

// Neither an overlong form, nor a surrogate, nor beyond the last character.
bool IsSecondByte(unsigned char first, unsigned char second) {
  if (first == 0xe0) return second >= 0xa0;
  if (first == 0xed) return second < 0xa0;
  if (first == 0xf0) return second >= 0x90;
  if (first == 0xf4) return second < 0x90;
  return true;
}

void AppendEscaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
    case '\\':
      (out += '\\') += c;
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  ((out += "\\u00") += kHex[byte >> 4U]) += kHex[byte & 15U];
}

}  // namespace

bool IsUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at++]);
    const int followers = FollowersOf(first);
    if (followers < 0 || text.size() - at < static_cast<std::size_t>(followers)) return false;
    if (followers > 0 && !IsSecondByte(first, static_cast<unsigned char>(text[at]))) return false;
    for (int i = 0; i < followers; ++i) {
      if ((static_cast<unsigned char>(text[at++]) & 0xc0U) != 0x80U) return false;
    }
  }
  return true;
}

void AppendJsonString(std::string& out, std::string_view text) {
  const bool is_utf8 = IsUtf8(text);
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '"' || c == '\\' || (byte >= 0x80 && !is_utf8)) {
      AppendEscaped(out, c);
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace weir::functions
