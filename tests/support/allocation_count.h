#pragma once

#include <cstddef>

namespace weir::testing {

// How often this thread called operator new so far, in test programs that link allocation_count.cc.
[[nodiscard]] std::size_t AllocationCount();

}  // namespace weir::testing
