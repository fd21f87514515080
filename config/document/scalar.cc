#include "config/document/scalar.h"

#include "base/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace weir::config {
namespace {

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kHour = 3'600 * kSecond;
constexpr std::int64_t kDay = 24 * kHour;

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  struct Unit {
    std::string_view suffix;
    std::uint64_t milliseconds;
  };
  // `ms` stands before `s` and `m`, of which it is made.
  static constexpr std::array<Unit, 5> kUnits = {
      {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    const auto count = ParseDecimal(text.substr(0, text.size() - unit.suffix.size()));
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!count || *count > kMax / unit.milliseconds) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(*count * unit.milliseconds));
  }
  return std::nullopt;
}

std::string DurationText(std::chrono::milliseconds duration) {
  const std::int64_t count = duration.count();
  const auto whole = [&](std::int64_t unit) { return count % unit == 0 && (count >= unit || unit == kSecond); };
  if (whole(kDay)) return std::to_string(count / kDay) + "d";
  if (whole(kHour)) return std::to_string(count / kHour) + "h";
  return whole(kSecond) ? std::to_string(count / kSecond) + "s" : std::to_string(count) + "ms";
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (text.empty() || error != std::errc{} || rest != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<bool> ParseBoolean(std::string_view text) {
  if (EqualsIgnoreCase(text, "true")) return true;
  if (EqualsIgnoreCase(text, "false")) return false;
  return std::nullopt;
}

}  // namespace weir::config
