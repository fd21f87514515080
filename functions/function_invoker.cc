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
    case InvokeFailure::kNoAnswer:
      return "the endpoint does not answer";
    case InvokeFailure::kServiceError:
      return "the endpoint fails";
    case InvokeFailure::kAccessDenied:
      return "the endpoint denies access";
    case InvokeFailure::kNotFound:
      return "the endpoint knows no such function";
    case InvokeFailure::kBadRequest:
      return "the endpoint refuses the call";
  }
  std::unreachable();
}

}  // namespace weir::functions
