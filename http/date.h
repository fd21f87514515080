#pragma once

#include "base/clock.h"

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace weir::http {

// Appends `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 section 5.6.7): always 29 bytes. Fractions of a second
// are cut off. Years outside 0 to 9999 have no such form: they are written as the nearest year that has one.
void AppendHttpDate(std::string& out, WallTime time);

// The text of a Date field, formatted once a second however often it is asked for.
// Thread: one worker owns each object.
class HttpDateLine {
 public:
  // The view lives until the next call with another second.
  [[nodiscard]] std::string_view At(WallTime now);

 private:
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  std::array<char, 29> text_{};
};

}  // namespace weir::http
