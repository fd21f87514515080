#pragma once

#include "config/model.h"
#include "functions/function_target.h"
#include "functions/invoker_source.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::functions {

class InvokeEndpoint;

// By target group; null where it is no function.
using FunctionTargetList = std::vector<std::shared_ptr<const FunctionTarget>>;

// Makes what target groups of functions invoke, and keeps what did not change from one configuration to the next: the
// instances of programs, and who counts the calls of an endpoint. Thread: control.
class FunctionTargets {
 public:
  // `programs` outlives this; null: whatever needs a program cannot be reached.
  explicit FunctionTargets(InvokerSource* programs) : programs_(programs) {}

  // Those of a model without errors. One that is as it was before is the same object.
  [[nodiscard]] FunctionTargetList Build(const config::Model& model);

 private:
  [[nodiscard]] std::shared_ptr<FunctionInvoker> InvokerFor(const config::Model& model,
                                                            const config::TargetGroup& group,
                                                            const config::FunctionVersion& version);

  InvokerSource* programs_;
  std::map<std::string, std::weak_ptr<const FunctionTarget>> known_;  // by target group
  // By target group and version; alive while somebody holds it.
  struct Endpoint {
    config::FunctionCode code;
    std::weak_ptr<InvokeEndpoint> invoker;
  };
  std::map<std::pair<std::string, std::string>, Endpoint> endpoints_;
};

}  // namespace weir::functions
