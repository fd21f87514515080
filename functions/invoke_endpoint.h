#pragma once

#include "config/model.h"
#include "functions/function_invoker.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace weir::net {
class TlsAuthorities;
}

namespace weir::functions {

// A function behind an HTTP endpoint that speaks Lambda's Invoke call, such as the runtime interface emulator: each
// invocation is a POST of the event. An answer with X-Amz-Function-Error is an error of the function, 429 is a
// throttle. At most `concurrency` invocations are under way at a time, over all workers. Thread: any.
class InvokeEndpoint final : public FunctionInvoker {
 public:
  // `code` has an endpoint. For https the authorities of the system are read now, not with each call.
  explicit InvokeEndpoint(config::FunctionCode code);

  [[nodiscard]] std::unique_ptr<Invocation> Invoke(net::EventLoop& loop, std::string event, OnResult done) override;

 private:
  class Call;

  const config::FunctionCode code_;
  std::shared_ptr<const net::TlsAuthorities> authorities_;  // of https
  // Shared with the invocations, which may outlive this.
  std::shared_ptr<std::atomic<std::uint32_t>> active_ = std::make_shared<std::atomic<std::uint32_t>>(0);
};

}  // namespace weir::functions
