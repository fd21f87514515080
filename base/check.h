#pragma once

namespace weir {

// Prints the place and the condition to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace weir

// A programmer's error ends the process in every build. Never on anything that a peer controls.
#define WEIR_CHECK(condition) ((condition) ? static_cast<void>(0) : ::weir::CheckFailed(__FILE__, __LINE__, #condition))

#ifdef NDEBUG
#define WEIR_DCHECK(condition) static_cast<void>(0)
#else
#define WEIR_DCHECK(condition) WEIR_CHECK(condition)
#endif
