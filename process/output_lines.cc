#include "process/output_lines.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace weir::process {

void OutputLines::Take(std::string_view bytes, SteadyTime now, const OnLine& on_line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = kLineBytesMax - rest_.size();
    if (end == std::string_view::npos && bytes.size() < room) {
      rest_.append(bytes);
      return;
    }
    const bool whole = end != std::string_view::npos && end <= room;
    const std::size_t size = whole ? end : room;
    rest_.append(bytes.substr(0, size));
    bytes.remove_prefix(whole ? size + 1 : size);
    Give(std::exchange(rest_, {}), now, on_line);
  }
}

void OutputLines::Finish(SteadyTime now, const OnLine& on_line) {
  if (!rest_.empty()) Give(std::exchange(rest_, {}), now, on_line);
}

void OutputLines::Give(std::string_view line, SteadyTime now, const OnLine& on_line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (counted_ != SteadyTime{}) {
    const auto passed = std::chrono::duration<double>(now - counted_).count();
    allowance_ = std::min(kLinesMax, allowance_ + passed * kLinesPerSecond);
  }
  counted_ = now;
  if (allowance_ < 1) {
    ++dropped_;
    return;
  }
  allowance_ -= 1;
  on_line(line);
}

std::size_t OutputLines::TakeDropped() { return std::exchange(dropped_, 0); }

}  // namespace weir::process
