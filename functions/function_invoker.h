#pragma once

// Functions as targets (target-type: lambda): what invokes them. Events and responses are JSON texts, which this does
// not read. Spec: alb.md 7.4.

#include "net/event_loop.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace weir::functions {

// Why there is no response.
enum class InvokeFailure : std::uint8_t {
  kFunctionError,  // it answered with an error, threw, or its process ended
  kTimeout,        // its time-out passed
  kThrottled,      // all of its instances are busy and the queue is full
  kTooLarge,       // its response is larger than 1 MB (in an event: 1,048,576 bytes)
  kUnreachable,    // no process could be started, nobody accepts connections at the endpoint
  kNoAnswer,       // the endpoint did not answer in time
  kServiceError,   // the endpoint answered with an error of its own
  kAccessDenied,   // the endpoint's answers about the function: 403,
  kNotFound,       // 404,
  kBadRequest,     // another 4xx
};
[[nodiscard]] std::string_view ToString(InvokeFailure failure);

struct Invoked {
  std::string response;  // what the function returned
};
struct InvokeError {
  InvokeFailure failure = InvokeFailure::kFunctionError;
  std::string detail;  // for logs: errorType and errorMessage of the function, or what the system said; may be empty
};
using InvokeResult = std::expected<Invoked, InvokeError>;

// One invocation that somebody waits for. Destroying it forgets it: nothing is heard of it any more. What the function
// does is not undone. Thread: that of the loop it was begun on.
class Invocation : public net::Deferred {};

// Invokes one function, or one version of it. Shared by all workers and the health engine. Thread: any (each call says
// on which loop it wants its answer).
class FunctionInvoker {
 public:
  using OnResult = std::function<void(InvokeResult)>;

  virtual ~FunctionInvoker() = default;
  // `done` is called once, on `loop`, never before this returns.
  [[nodiscard]] virtual std::unique_ptr<Invocation> Invoke(net::EventLoop& loop, std::string event, OnResult done) = 0;
};

}  // namespace weir::functions
