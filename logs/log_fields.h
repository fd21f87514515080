#pragma once

// The pieces that lines of logs are made of; spec: alb.md 16. Thread: any, for every function.

#include "base/clock.h"

#include <optional>
#include <string>
#include <string_view>

namespace weir::logs {

struct LogField {
  std::string_view text;  // without its quotes
  bool quoted = false;
};
// Takes the next field, and the spaces before it, off `line`; absent at its end and for a quote that does not end.
[[nodiscard]] std::optional<LogField> TakeField(std::string_view& line);

// \xHH, as logs escape quotes, backslashes, control characters and, some of them, bytes that are not ASCII.
[[nodiscard]] std::string Unescape(std::string_view text);
// The other way, as the program's own logs escape.
void AppendEscaped(std::string& out, std::string_view text);

// 2026-11-02T10:15:30.123456Z, with up to nine digits of a fraction, or none; the Z may be missing.
[[nodiscard]] std::optional<WallTime> ParseLogTime(std::string_view text);

// The same, for many times of one log: the date is worked out once a minute. Thread: one owner.
class LogTimeReader {
 public:
  [[nodiscard]] std::optional<WallTime> Read(std::string_view text);

 private:
  static constexpr std::size_t kMinuteBytes = 16;  // 2026-11-02T10:15
  std::string minute_text_;
  WallTime minute_;
};

// Seconds with a fraction (`0.012`, `12`), as logs print times that something took: microseconds. Absent for `-1`, `-`
// and anything else.
[[nodiscard]] std::optional<std::chrono::microseconds> ParseLogSeconds(std::string_view text);

}  // namespace weir::logs
