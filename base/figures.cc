#include "base/figures.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace weir {
namespace {

// Three significant digits, no exponent.
std::string ThreeDigits(double value) {
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  if (value >= 9.995) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

struct Unit {
  double size;
  std::string_view name;
};

// `value` in the largest unit that it fills.
template <std::size_t kCount>
std::string InUnits(double value, const std::array<Unit, kCount>& units) {
  // A value that would be printed as 1000 of a unit belongs into the next one.
  constexpr double kRoundsUp = 0.9995;
  const Unit* fitting = &units.front();
  for (const Unit& unit : units) {
    if (value >= unit.size * kRoundsUp) fitting = &unit;
  }
  return fmt::format("{} {}", ThreeDigits(value / fitting->size), fitting->name);
}

// The length of the character that `text` starts with (RFC 3629); absent when it starts with none.
std::optional<std::size_t> CharacterLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || length > text.size()) return std::nullopt;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) > 0x9F;
  const bool beyond = first == 0xF4 && byte(1) > 0x8F;
  if (overlong || surrogate || beyond) return std::nullopt;
  return length;
}

}  // namespace

std::string CountText(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t i = digits.size(); i > 3;) {
    i -= 3;
    digits.insert(i, 1, ',');
  }
  return digits;
}

std::string RateText(double per_second) {
  if (per_second <= 0) return "0";
  return per_second >= 99.95 ? CountText(static_cast<std::uint64_t>(std::llround(per_second)))
                             : ThreeDigits(per_second);
}

std::string DurationText(double milliseconds) {
  if (milliseconds <= 0) return "0 ms";
  if (milliseconds < 0.001) return fmt::format("{:.0f} ns", milliseconds * 1e6);
  constexpr std::array<Unit, 3> kUnits = {{{0.001, "us"}, {1, "ms"}, {1000, "s"}}};
  return InUnits(milliseconds, kUnits);
}

std::string BytesText(double bytes) {
  if (bytes < 999.5) return fmt::format("{:.0f} B", std::max(bytes, 0.0));
  constexpr std::array<Unit, 4> kUnits = {{{1e3, "kB"}, {1e6, "MB"}, {1e9, "GB"}, {1e12, "TB"}}};
  return InUnits(bytes, kUnits);
}

std::string PercentText(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0 || part == 0) return "0 %";
  const double percent = 100 * static_cast<double>(part) / static_cast<double>(whole);
  // Neither a rare error nor a rare success is rounded away.
  if (percent < 0.01) return "<0.01 %";
  if (part < whole && percent > 99.99) return ">99.99 %";
  return fmt::format("{:.2f} %", percent);
}

std::string TerminalText(std::string_view text) {
  std::string out = Utf8(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    if (byte < 0x20 || byte == 0x7F) out[i] = '?';
    // U+0080 to U+009F are control characters as well, and terminals obey them.
    const bool c1 = byte == 0xC2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xA0;
    if (c1) out.replace(i, 2, "?");
  }
  return out;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = CharacterLength(text);
    if (!length) return false;
    text.remove_prefix(*length);
  }
  return true;
}

std::string Utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = CharacterLength(text);
    if (length) {
      out += text.substr(0, *length);
    } else {
      out += "\xEF\xBF\xBD";
    }
    text.remove_prefix(length.value_or(1));
  }
  return out;
}

void AppendJsonBytes(std::string& out, std::string_view bytes) {
  out += '"';
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += "\\u00";
      AppendHex(out, byte, 2);
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string Html(std::string_view text) {
  std::string out;
  for (const char c : Utf8(text)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Cut(std::string_view text, std::size_t columns) {
  const std::string whole = Utf8(text);
  std::size_t characters = 0;
  std::size_t kept = 0;  // bytes of the first `columns` - 1 characters
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(whole[i]) & 0xC0U) != 0x80U;
    if (starts && ++characters == columns) kept = i;
  }
  if (characters <= columns) return whole;
  return columns == 0 ? std::string() : whole.substr(0, kept) + "…";
}

std::vector<std::pair<std::string, std::uint64_t>> Ranked(const std::map<std::string, std::uint64_t>& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> out(counts.begin(), counts.end());
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

}  // namespace weir
