#include "http/date.h"

#include <algorithm>
#include <cstddef>

namespace weir::http {

namespace {

void PutTwoDigits(char* at, unsigned number) {
  at[0] = static_cast<char>('0' + number / 10);
  at[1] = static_cast<char>('0' + number % 10);
}

void PutHttpDate(std::chrono::sys_seconds second, std::array<char, 29>& text) {
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view kPattern = "Ddd, 00 Mmm 0000 00:00:00 GMT";
  using std::chrono::year;
  constexpr std::chrono::sys_seconds kFirst = std::chrono::sys_days(year(0) / 1 / 1);
  constexpr std::chrono::sys_seconds kLast = std::chrono::sys_days(year(10'000) / 1 / 1) - std::chrono::seconds(1);
  second = std::clamp(second, kFirst, kLast);
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  const unsigned years = static_cast<unsigned>(static_cast<int>(date.year()));
  std::copy(kPattern.begin(), kPattern.end(), text.begin());
  std::copy_n(kDays.data() + 3 * std::chrono::weekday(day).c_encoding(), 3, text.data());
  PutTwoDigits(text.data() + 5, static_cast<unsigned>(date.day()));
  std::copy_n(kMonths.data() + 3 * (static_cast<unsigned>(date.month()) - 1), 3, text.data() + 8);
  PutTwoDigits(text.data() + 12, years / 100);
  PutTwoDigits(text.data() + 14, years % 100);
  PutTwoDigits(text.data() + 17, static_cast<unsigned>(time.hours().count()));
  PutTwoDigits(text.data() + 20, static_cast<unsigned>(time.minutes().count()));
  PutTwoDigits(text.data() + 23, static_cast<unsigned>(time.seconds().count()));
}

}  // namespace

void AppendHttpDate(std::string& out, WallTime time) {
  std::array<char, 29> text;
  PutHttpDate(std::chrono::floor<std::chrono::seconds>(time), text);
  out.append(text.data(), text.size());
}

std::string_view HttpDateLine::At(WallTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != second_) {
    second_ = second;
    PutHttpDate(second, text_);
  }
  return {text_.data(), text_.size()};
}

}  // namespace weir::http
