#pragma once

#include "base/result.h"

#include <string>

namespace weir::bench {

// Whose fault it is that a load cannot be run.
enum class RefusalCause {
  kArguments,  // an option, or what an argument says
  kInput,      // a file that an argument names
  kSystem,     // a name that does not resolve, a socket that does not open
};

// Why a load cannot be run. A value.
struct Refusal {
  RefusalCause cause = RefusalCause::kArguments;
  Error error;
  std::string findings;  // what is wrong with a file, in whole lines, instead of `error`; else empty
};

}  // namespace weir::bench
