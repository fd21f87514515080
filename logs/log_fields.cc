#include "logs/log_fields.h"

#include "base/hex.h"
#include "base/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace weir::logs {

std::optional<LogField> TakeField(std::string_view& line) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  if (line.empty()) return std::nullopt;
  const bool quoted = line.front() == '"';
  const std::size_t end = quoted ? line.find('"', 1) : std::min(line.find(' '), line.size());
  if (end == std::string_view::npos) return std::nullopt;
  const LogField field{.text = quoted ? line.substr(1, end - 1) : line.substr(0, end), .quoted = quoted};
  line.remove_prefix(quoted ? end + 1 : end);
  return field;
}

std::string Unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text.substr(i, 2) == "\\x" && text.size() - i >= 4;
    const int high = escape ? HexValue(text[i + 2]) : -1;
    const int low = escape ? HexValue(text[i + 3]) : -1;
    if (high < 0 || low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 3;
  }
  return out;
}

void AppendEscaped(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f && c != '"' && c != '\\') {
      out += c;
    } else {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
}

namespace {

// A decimal number of exactly `digits` digits at the front, taken off, and `after` behind it.
std::optional<int> TakeNumber(std::string_view& text, std::size_t digits, std::string_view after) {
  if (text.size() < digits + after.size() || text.substr(digits, after.size()) != after) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits + after.size());
  return value;
}

// `.123456`, up to nine digits, as nanoseconds; the fraction may be missing.
std::optional<std::chrono::nanoseconds> ParseFraction(std::string_view text) {
  constexpr std::size_t kDigitsMax = 9;
  if (text.empty()) return std::chrono::nanoseconds(0);
  if (text.front() != '.' || text.size() < 2 || text.size() - 1 > kDigitsMax) return std::nullopt;
  std::int64_t nanoseconds = 0;
  for (const char c : text.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    nanoseconds = nanoseconds * 10 + (c - '0');
  }
  for (std::size_t i = text.size() - 1; i < kDigitsMax; ++i) nanoseconds *= 10;
  return std::chrono::nanoseconds(nanoseconds);
}

// 2026-11-02T10:15, taken off.
std::optional<WallTime> TakeMinute(std::string_view& text) {
  using namespace std::chrono;  // the names of the calendar
  const auto year_number = TakeNumber(text, 4, "-");
  const auto month_number = year_number ? TakeNumber(text, 2, "-") : std::nullopt;
  const auto day_number = month_number ? TakeNumber(text, 2, "T") : std::nullopt;
  const auto hour = day_number ? TakeNumber(text, 2, ":") : std::nullopt;
  const auto minute = hour ? TakeNumber(text, 2, "") : std::nullopt;
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number))};
  if (!date.ok()) return std::nullopt;
  return WallTime(sys_days(date) + hours(*hour) + minutes(*minute));
}

// :30.123456Z
std::optional<std::chrono::nanoseconds> ParseSeconds(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (!text.starts_with(':')) return std::nullopt;
  text.remove_prefix(1);
  const auto second = TakeNumber(text, 2, "");
  const auto fraction = second ? ParseFraction(text) : std::nullopt;
  if (!fraction || *second > 60) return std::nullopt;
  return std::chrono::seconds(*second) + *fraction;
}

WallTime After(WallTime minute, std::chrono::nanoseconds rest) {
  return minute + std::chrono::duration_cast<WallTime::duration>(rest);
}

}  // namespace

std::optional<WallTime> ParseLogTime(std::string_view text) {
  const auto minute = TakeMinute(text);
  const auto rest = minute ? ParseSeconds(text) : std::nullopt;
  if (!rest) return std::nullopt;
  return After(*minute, *rest);
}

std::optional<WallTime> LogTimeReader::Read(std::string_view text) {
  if (text.size() <= kMinuteBytes || text.substr(0, kMinuteBytes) != minute_text_) {
    std::string_view rest = text;
    const auto minute = TakeMinute(rest);
    if (!minute) return std::nullopt;
    minute_text_ = text.substr(0, kMinuteBytes);
    minute_ = *minute;
  }
  const auto rest = ParseSeconds(text.substr(kMinuteBytes));
  if (!rest) return std::nullopt;
  return After(minute_, *rest);
}

std::optional<std::chrono::microseconds> ParseLogSeconds(std::string_view text) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  const auto whole = ParseDecimal(text.substr(0, dot));
  const auto fraction = whole ? ParseFraction(text.substr(dot)) : std::nullopt;
  constexpr std::uint64_t kSecondsMax = 100'000'000;  // three years
  if (!fraction || *whole > kSecondsMax) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(*whole)) +
         std::chrono::duration_cast<std::chrono::microseconds>(*fraction);
}

}  // namespace weir::logs
