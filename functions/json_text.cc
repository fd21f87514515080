#include "functions/json_text.h"

#include "base/figures.h"

#include <cstdint>

namespace weir::functions {
namespace {

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
