#pragma once

#include "base/result.h"

#include <cstddef>
#include <memory>

namespace weir::functions {
class FunctionPool;
}  // namespace weir::functions

namespace weir::app {

// The pool of functions with the spawner that starts its processes. Called before any second thread is started: the
// spawner has what the program has by then. Fails where the system has no process for it.
[[nodiscard]] Result<std::shared_ptr<functions::FunctionPool>> StartFunctionPool();

// Raises the limit of open descriptors to what the system allows.
void RaiseDescriptorLimit();
// How many descriptors the process may have open now.
[[nodiscard]] std::size_t DescriptorLimit();

// Gives way to the other threads of the process where they have work to do: the calling thread, and those that it
// starts from now on, run at nice 10, about a tenth of a busy CPU. There is no way back without privileges.
void LowerThreadPriority();

}  // namespace weir::app
