#include "config/document/utf8.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace weir::config {
namespace {

unsigned Byte(char c) { return static_cast<unsigned char>(c); }

// Of a sequence by its first byte; 0 when none begins so.
std::size_t LengthOf(unsigned first) {
  if (first < 0x80) return 1;
  if ((first & 0xE0U) == 0xC0) return 2;
  if ((first & 0xF0U) == 0xE0) return 3;
  if ((first & 0xF8U) == 0xF0) return 4;
  return 0;
}

bool IsAllowed(std::uint32_t c) {
  return c == 0x09 || c == 0x0A || c == 0x0D || (c >= 0x20 && c <= 0x7E) || c == 0x85 || (c >= 0xA0 && c <= 0xD7FF) ||
         (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF) || (c >= 0x10000 && c <= 0x10FFFF);
}

// What is wrong with the character that begins `text`, at its first byte or the one that is wrong. `length` is its
// length.
std::optional<TextFault> FaultOf(std::string_view text, std::size_t& length) {
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  length = LengthOf(Byte(text[0]));
  if (length == 0) return TextFault{0, "invalid leading UTF-8 octet"};
  if (length > text.size()) return TextFault{0, "incomplete UTF-8 octet sequence"};
  std::uint32_t character = length == 1 ? Byte(text[0]) : Byte(text[0]) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((Byte(text[i]) & 0xC0U) != 0x80) return TextFault{i, "invalid trailing UTF-8 octet"};
    character = (character << 6U) | (Byte(text[i]) & 0x3FU);
  }
  if (character < kSmallest[length]) return TextFault{0, "invalid length of a UTF-8 sequence"};
  if ((character >= 0xD800 && character <= 0xDFFF) || character > 0x10FFFF) {
    return TextFault{0, "invalid Unicode character"};
  }
  if (!IsAllowed(character)) return TextFault{0, "control characters are not allowed"};
  return std::nullopt;
}

}  // namespace

std::optional<TextFault> FindTextFault(std::string_view text) {
  std::size_t length = 1;
  for (std::size_t at = 0; at < text.size(); at += length) {
    const unsigned byte = Byte(text[at]);
    length = 1;
    if (byte >= 0x20 && byte <= 0x7E) continue;
    const auto fault = FaultOf(text.substr(at), length);
    if (fault) return TextFault{at + fault->offset, fault->problem};
  }
  return std::nullopt;
}

std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (Byte(c) & 0xC0U) != 0x80; }));
}

}  // namespace weir::config
