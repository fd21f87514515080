#pragma once

#include "base/clock.h"
#include "functions/function_invoker.h"
#include "functions/instance.h"
#include "functions/invoker_source.h"
#include "functions/runtime_limits.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "process/process_client.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::functions {

// Who waits for the result of one invocation. `done` is touched on the thread of `loop` alone.
struct Caller {
  Caller(net::EventLoop& on, FunctionInvoker::OnResult what) : loop(on), done(std::move(what)) {}
  net::EventLoop& loop;
  FunctionInvoker::OnResult done;
  std::atomic<bool> forgotten{false};  // relaxed: whoever reads it late does work for nobody, no more
};
// Calls `done` on its loop, unless it is forgotten by then. Thread: any.
void Answer(std::shared_ptr<Caller> caller, InvokeResult result);

// The instances of one function, or one version of it, and the invocations that wait for them: an instance more for
// each that waits, up to `concurrency`; the one that was used last is used next, so that those too many end for being
// idle. Thread: that of its loop.
class RunningFunction final : public net::Deferred, private InstanceEvents {
 public:
  // `on_over` is called once, when it was retired and nothing is left of it.
  RunningFunction(net::EventLoop& loop, process::ProcessClient& processes, std::shared_ptr<const Program> program,
                  InstanceTimes times, std::function<void()> on_over);
  ~RunningFunction() override;

  void Invoke(std::shared_ptr<Caller> caller, std::string event);
  // Nobody invokes it any more: what waits is finished, then the instances end.
  void Retire();

 private:
  struct Waiting {
    std::shared_ptr<Caller> caller;
    std::string event;
    SteadyTime until;
  };
  void OnReady(Instance& instance) override;
  void OnEnded(Instance& instance, std::optional<InvokeError> failure) override;
  void OnTimer();
  // Gives what waits to the instances that are ready, and starts those that are missing.
  void Dispatch();
  void StartMissing();
  void NoteFailure(InvokeError failure);
  void FailAll(const InvokeError& failure);
  void DropFront();
  void ScheduleTimer();
  void EndWhenOver();
  [[nodiscard]] Instance* FindReady() const;
  // No instance is there that could take what waits.
  [[nodiscard]] bool deserted() const;
  [[nodiscard]] bool backing_off() const { return loop_.now() < retry_at_; }

  net::EventLoop& loop_;
  process::ProcessClient& processes_;
  std::shared_ptr<const Program> program_;
  InstanceTimes times_;
  std::function<void()> on_over_;
  std::vector<std::unique_ptr<Instance>> instances_;
  std::uint64_t last_number_ = 0;
  std::deque<Waiting> queue_;
  std::size_t queue_bytes_ = 0;
  InvokeError last_failure_;
  std::chrono::milliseconds back_off_{0};
  SteadyTime retry_at_{};
  bool retired_ = false;
  net::CallbackTimer timer_;
};

}  // namespace weir::functions
