#include "base/text_writer.h"

#include "base/words.h"

#include <array>
#include <bit>
#include <cstring>

namespace weir {
namespace {

// The eight hexadecimal digits of `value` in the order of memory: one nibble in each byte, made a digit.
std::uint64_t HexDigits(std::uint32_t value) {
  std::uint64_t nibbles = value;
  nibbles = (nibbles | nibbles << 16) & 0x0000FFFF0000FFFFULL;
  nibbles = (nibbles | nibbles << 8) & 0x00FF00FF00FF00FFULL;
  nibbles = (nibbles | nibbles << 4) & EachByte(0x0F);
  const std::uint64_t letters = (nibbles + EachByte(6)) >> 4 & EachByte(1);
  const std::uint64_t digits = nibbles + EachByte('0') + letters * ('a' - '0' - 10);
  return std::endian::native == std::endian::little ? __builtin_bswap64(digits) : digits;
}

// "00", "01" … "99".
consteval std::array<char, 200> BuildDigitPairs() {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
constexpr std::array<char, 200> kDigitPairs = BuildDigitPairs();

}  // namespace

void TextWriter::PutLongDecimal(std::uint64_t value) {
  char text[kDecimalBytesMax];
  char* const end = text + sizeof(text);
  char* at = end;
  while (value >= 100) {
    at -= 2;
    std::memcpy(at, &kDigitPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if (value >= 10) {
    at -= 2;
    std::memcpy(at, &kDigitPairs[2 * value], 2);
  } else {
    *--at = static_cast<char>('0' + value);
  }
  Put(std::string_view(at, static_cast<std::size_t>(end - at)));
}

void TextWriter::PutHex(std::uint64_t value, unsigned digits) {
  const std::uint64_t halves[] = {HexDigits(static_cast<std::uint32_t>(value >> 32)),
                                  HexDigits(static_cast<std::uint32_t>(value))};
  char text[sizeof(halves)];
  std::memcpy(text, halves, sizeof(text));
  Put(std::string_view(text + (sizeof(text) - digits), digits));
}

}  // namespace weir
