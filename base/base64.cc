#include "base/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace weir {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNoDigit = 0xff;

using Values = std::array<std::uint8_t, 256>;
consteval Values ValuesOf(std::string_view digits) {
  Values values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr Values kValues = ValuesOf(kDigits);
constexpr Values kUrlValues = ValuesOf(kUrlDigits);

void Append(std::string& out, std::string_view bytes, std::string_view digits, Base64Padding padding) {
  const std::size_t begin = out.size();
  out.reserve(begin + (bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += digits[bits >> (count - 6) & 63U];
  }
  if (count > 0) out += digits[bits << (6 - count) & 63U];
  while (padding == Base64Padding::kWritten && (out.size() - begin) % 4 != 0) out += '=';
}

struct Decoded {
  std::string bytes;
  bool has_rest = false;  // bits that are in no byte and not 0
};
std::optional<Decoded> Decode(std::string_view text, const Values& values) {
  if (text.size() % 4 == 1) return std::nullopt;
  Decoded out;
  out.bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;  // of the bits that are not written yet
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == kNoDigit) return std::nullopt;
    bits = bits << 6U | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.bytes += static_cast<char>(bits >> count & 0xffU);
  }
  out.has_rest = (bits & ((1U << count) - 1U)) != 0;
  return out;
}

}  // namespace

void AppendBase64(std::string& out, std::string_view bytes) { Append(out, bytes, kDigits, Base64Padding::kWritten); }

std::string EncodeBase64(std::string_view bytes) {
  std::string out;
  AppendBase64(out, bytes);
  return out;
}

std::string EncodeBase64Url(std::string_view bytes, Base64Padding padding) {
  std::string out;
  Append(out, bytes, kUrlDigits, padding);
  return out;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  auto decoded = Decode(text, kValues);
  if (!decoded) return std::nullopt;
  return std::move(decoded->bytes);
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  auto decoded = Decode(text, kUrlValues);
  // Bits of no byte are 0: each text has one encoding.
  if (!decoded || decoded->has_rest) return std::nullopt;
  return std::move(decoded->bytes);
}

}  // namespace weir
