#pragma once

#include "bench/load/run_record.h"

namespace weir::bench {

// An open-loop run of `seconds` in which a target group dies after a third and a shift repairs it: steady latency, a
// peak with errors, shares that move, five events. The same every time.
[[nodiscard]] RunRecord FailoverRecord(int seconds);

}  // namespace weir::bench
