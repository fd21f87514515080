#pragma once

// What a finished run is shown as: a table for the terminal, JSON for programs, a page for a browser. docs/bench.md
// describes all three. Thread: any, for every function.

#include "bench/load/run_record.h"

#include <string>

namespace weir::bench {

struct TableOptions {
  bool colours = false;  // ANSI colours, for a terminal
};

// The closing table: settings, throughput, latency percentiles, outcomes, errors by kind, shares, events. Control
// characters in what came from outside are shown as `?`. Ends with a line feed.
[[nodiscard]] std::string Table(const RunRecord& record, const TableOptions& options = {});

// One JSON document with stable keys; the histogram's buckets are in it, so that results can be merged. Bytes that are
// not UTF-8 become U+FFFD. Ends with a line feed.
[[nodiscard]] std::string Json(const RunRecord& record);

// One HTML page that needs nothing besides itself: charts over one time axis with the appliance's events, the
// percentile curve, and the same numbers as tables. Every string of the record is escaped.
[[nodiscard]] std::string Page(const RunRecord& record);

}  // namespace weir::bench
