#include "base/printable.h"

#include "base/text.h"

#include <cstddef>

namespace weir {
namespace {

// The bytes of the control character at `at`; 0 when there is none.
std::size_t ControlBytes(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7F) return 1;
  // U+0080 to U+009F.
  if (byte != 0xC2 || at + 1 == text.size()) return 0;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  return second >= 0x80 && second <= 0x9F ? 2 : 0;
}

}  // namespace

bool IsPrintable(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (ControlBytes(text, at) != 0) return false;
  }
  return true;
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = ControlBytes(text, at);
    if (bytes == 0) {
      out.push_back(text[at++]);
      continue;
    }
    out.append("\\x");
    AppendHex(out, static_cast<unsigned char>(text[at + bytes - 1]), 2);
    at += bytes;
  }
  return out;
}

}  // namespace weir
