#pragma once

#include "bench/load/run_record.h"

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace weir::bench {

struct ProgressOptions {
  bool terminal = false;          // repaint a small block in place; else one line per interval
  bool colours = false;           // only on a terminal
  std::size_t columns = 80;       // of the terminal; longer lines are cut
  std::string unit = "requests";  // as in RunRecord
  double duration_seconds = 0;    // of the whole run, for the bar; 0: not known
};

// The options for `out` as it is: whether it is a terminal, how wide, and colours unless NO_COLOR is set.
[[nodiscard]] ProgressOptions ProgressOptionsFor(std::FILE* out);

// Shows how a run goes while it goes, once per interval: rate, errors, p50, p99 and p99.9, the share of each target
// group (or value), the latest event. Thread: one at a time.
class Progress {
 public:
  // `out` is not owned and outlives the object; stderr as a rule.
  Progress(std::FILE* out, ProgressOptions options);
  // Shows one interval; `latest_event` may be empty. Where there is no terminal, an event is shown once, not with each
  // line that follows.
  void Show(const Interval& interval, std::string_view latest_event = {});
  // Ends the display: takes the block off a terminal, so that the closing table stands alone. May be called twice.
  void Finish();

  // What Show writes, without writing it: lines ended by line feeds. For Show and for tests.
  [[nodiscard]] std::string Block(const Interval& interval, std::string_view latest_event) const;
  [[nodiscard]] std::string Line(const Interval& interval, std::string_view latest_event) const;

 private:
  std::FILE* out_;
  ProgressOptions options_;
  std::size_t lines_on_screen_ = 0;
  std::string shown_event_;
};

}  // namespace weir::bench
