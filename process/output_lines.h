#pragma once

#include "base/clock.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace weir::process {

// Cuts what a process writes into lines, so many and no more: a process that writes without end costs the log little.
// Pure. Thread: one owner.
class OutputLines {
 public:
  // Longer ones are cut into pieces of that size, each a line.
  static constexpr std::size_t kLineBytesMax = 8 * 1024;
  // How many at once, and how many come back each second. Our choice.
  static constexpr double kLinesMax = 1'000;
  static constexpr double kLinesPerSecond = 100;

  using OnLine = std::function<void(std::string_view)>;

  // Calls `on_line` for each line that is whole, without its end (LF or CR LF).
  void Take(std::string_view bytes, SteadyTime now, const OnLine& on_line);
  // The process has ended: what is left is a line.
  void Finish(SteadyTime now, const OnLine& on_line);
  // How many lines were dropped since the last call.
  [[nodiscard]] std::size_t TakeDropped();

 private:
  void Give(std::string_view line, SteadyTime now, const OnLine& on_line);

  std::string rest_;  // of a line that is not whole
  double allowance_ = kLinesMax;
  SteadyTime counted_{};  // when allowance_ was right; the beginning: never
  std::size_t dropped_ = 0;
};

}  // namespace weir::process
