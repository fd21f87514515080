#include "functions/function_invoker.h"

#include <utility>

namespace weir::functions {

std::string_view ToString(InvokeFailure failure) {
  switch (failure) {
    case InvokeFailure::kFunctionError:
      return "the function failed";
    case InvokeFailure::kTimeout:
      return "the function took too long";
    case InvokeFailure::kThrottled:
      return "every instance of the function is busy";
    case InvokeFailure::kTooLarge:
      return "the function's response is too large";
    case InvokeFailure::kUnreachable:
      return "the function cannot be reached";
  }
  std::unreachable();
}

}  // namespace weir::functions
