#pragma once

#include "functions/function_invoker.h"
#include "functions/invoker_source.h"
#include "functions/runtime_limits.h"

#include <memory>

namespace weir::process {
class Spawner;
}  // namespace weir::process

namespace weir::functions {

// Runs the programs that are functions: a thread with an event loop, made with the first invocation, owns all
// instances; processes are started by `spawner`. docs/lambda.md says how long they live and what bounds them. Thread:
// any, except where a method says otherwise.
class FunctionPool final : public InvokerSource {
 public:
  // `spawner` was started before the program had a second thread.
  explicit FunctionPool(std::shared_ptr<process::Spawner> spawner, InstanceTimes times = {});
  // Stop()
  ~FunctionPool() override;
  FunctionPool(const FunctionPool&) = delete;
  FunctionPool& operator=(const FunctionPool&) = delete;

  [[nodiscard]] std::shared_ptr<FunctionInvoker> Invoker(const Program& program) override;

  // Ends all instances and joins the thread; what was invoked and not answered stays so. Called once nobody invokes any
  // more, and before any loop is destroyed that was given to Invoke. Thread: the one that made the pool.
  void Stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weir::functions
