#include "base/clock.h"

#include "base/text_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {
namespace {

class OperatingSystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime Now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime WallNow() const override { return std::chrono::system_clock::now(); }
};

}  // namespace

const Clock& SystemClock() {
  static const OperatingSystemClock clock;
  return clock;
}

void Iso8601Writer::Put(TextWriter& out, WallTime time) {
  using std::chrono::floor;
  const auto put = [this](std::size_t at, std::size_t digits, std::int64_t value) {
    for (std::size_t i = digits; i-- > 0; value /= 10) text_[at + i] = static_cast<char>('0' + value % 10);
  };
  const auto second = floor<std::chrono::seconds>(time);
  if (second != second_) {
    second_ = second;
    const auto day = floor<std::chrono::days>(second);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(second - day);
    std::ranges::copy(std::string_view("0000-00-00T00:00:00.000000Z"), text_.begin());
    put(0, 4, static_cast<int>(date.year()));
    put(5, 2, static_cast<unsigned>(date.month()));
    put(8, 2, static_cast<unsigned>(date.day()));
    put(11, 2, clock.hours().count());
    put(14, 2, clock.minutes().count());
    put(17, 2, clock.seconds().count());
  }
  put(20, 6, floor<std::chrono::microseconds>(time - second).count());
  out.Put(std::string_view(text_.data(), text_.size()));
}

void AppendIso8601(std::string& out, WallTime time) {
  AppendWith(out, Iso8601Writer::kTextBytes, [time](TextWriter& text) { Iso8601Writer().Put(text, time); });
}

std::string FormatIso8601(WallTime time) {
  std::string out;
  AppendIso8601(out, time);
  return out;
}

}  // namespace weir
