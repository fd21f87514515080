#include "http/form_urlencoded.h"

#include "base/hex.h"

#include <algorithm>
#include <cstddef>

namespace weir::http {
namespace {

bool IsUnreserved(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

std::string Decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && text.size() - i >= 3 ? HexValue(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : HexValue(text[i + 2]);
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

void AppendFormText(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 0x0fU];
  }
}

void AppendFormField(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty() && !out.ends_with('?') && !out.ends_with('&')) out += '&';
  AppendFormText(out, name);
  out += '=';
  AppendFormText(out, value);
}

std::optional<std::string> FindFormField(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t sign = std::min(pair.find('='), pair.size());
    if (Decoded(pair.substr(0, sign)) != name) continue;
    return Decoded(pair.substr(std::min(sign + 1, pair.size())));
  }
  return std::nullopt;
}

}  // namespace weir::http
