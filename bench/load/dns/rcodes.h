#pragma once

// The names of DNS response codes as answers of a run. Thread: any, for every function.

#include "base/result.h"
#include "bench/load/answers.h"

#include <string_view>

namespace weir::bench {

// What a run expects unless told: NOERROR and NXDOMAIN, the answers of a server that works.
[[nodiscard]] AnswerSet ExpectedRcodes();
// `NOERROR,NXDOMAIN`, in any case; `RCODE24` for a code without a name. Fails with the column (from 1) of the first
// part that is none.
[[nodiscard]] Result<AnswerSet> ParseRcodes(std::string_view text);

}  // namespace weir::bench
