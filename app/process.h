#pragma once

#include <cstddef>

namespace weir::app {

// Raises the limit of open descriptors to what the system allows.
void RaiseDescriptorLimit();
// How many descriptors the process may have open now.
[[nodiscard]] std::size_t DescriptorLimit();

// Gives way to the other threads of the process where they have work to do: the calling thread, and those that it
// starts from now on, run at nice 10, about a tenth of a busy CPU. There is no way back without privileges.
void LowerThreadPriority();

}  // namespace weir::app
