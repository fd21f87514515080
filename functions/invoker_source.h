#pragma once

#include "config/model.h"

#include <cstdint>
#include <memory>
#include <string>

namespace weir::functions {

class FunctionInvoker;

// A function, or one version of it, that weir runs itself: `code` has a command or a runtime.
struct Program {
  std::string name;                  // of its target group
  std::string version = "$LATEST";   // of the configuration
  std::string region = "us-east-1";  // as in the names of things of AWS (ARN)
  config::FunctionCode code = {};
  friend bool operator==(const Program&, const Program&) = default;
};

// Gives invokers of programs. Thread: any.
class InvokerSource {
 public:
  virtual ~InvokerSource() = default;
  // The one that there is for an equal program, with its instances, as long as somebody holds it; else a new one.
  // Nothing runs before it is invoked. With the last holder the program is over: invocations under way are finished,
  // then its instances end.
  [[nodiscard]] virtual std::shared_ptr<FunctionInvoker> Invoker(const Program& program) = 0;
};

}  // namespace weir::functions
