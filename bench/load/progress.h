#pragma once

#include "bench/load/run_record.h"

#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

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
// group (or value), the events. Thread: one at a time.
class Progress {
 public:
  // `out` is not owned and outlives the object; stderr as a rule.
  Progress(std::FILE* out, ProgressOptions options);
  // Shows one interval and the events that came since the last call. Where there is no terminal each event is shown
  // once; on one the latest stay until others come.
  void Show(const Interval& interval, std::span<const ApplianceEvent> new_events = {});
  // Ends the display: takes the block off a terminal, so that the closing table stands alone; elsewhere tells the
  // events that came after the last interval. May be called twice.
  void Finish(std::span<const ApplianceEvent> new_events = {});

  // What Show writes, without writing it: lines ended by line feeds. For Show and for tests.
  [[nodiscard]] std::string Block(const Interval& interval, std::span<const ApplianceEvent> events) const;
  [[nodiscard]] std::string Line(const Interval& interval, std::span<const ApplianceEvent> events) const;

 private:
  std::FILE* out_;
  ProgressOptions options_;
  std::size_t lines_on_screen_ = 0;
  std::vector<ApplianceEvent> shown_events_;  // on a terminal: the latest
};

}  // namespace weir::bench
