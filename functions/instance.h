#pragma once

#include "base/clock.h"
#include "functions/function_invoker.h"
#include "functions/invoker_source.h"
#include "functions/runtime_api.h"
#include "functions/runtime_limits.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "process/process_client.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir::functions {

class Instance;

// Who owns instances. Each call may lead to Instance::Invoke or End, and to DestroyLater of the instance once it ended.
class InstanceEvents {
 public:
  // It waits for an invocation.
  virtual void OnReady(Instance& instance) = 0;
  // Its process has ended, or there was none. `failure` when it had not come to its first OnReady; absent when that is
  // nobody's fault (it was ended, or the spawner died).
  virtual void OnEnded(Instance& instance, std::optional<InvokeError> failure) = 0;

 protected:
  ~InstanceEvents() = default;
};

// One process that is a function, and the Runtime API that it speaks to: invoked with one event at a time.
//
//   starting --next--> ready --Invoke--> busy --response, error--> answered --next--> ready
//   any --the process ends; init or invocation time out: it is killed--> ended
//
// Thread: that of its loop.
class Instance final : public net::Deferred, private process::ProcessEvents, private RuntimeApiEvents {
 public:
  using OnResult = std::function<void(InvokeResult)>;

  struct Setting {
    std::shared_ptr<const Program> program;
    std::uint64_t number = 0;  // in logs
    InstanceTimes times = {};
  };
  // `processes` and `events` outlive it.
  Instance(net::EventLoop& loop, process::ProcessClient& processes, Setting setting, InstanceEvents& events);
  ~Instance() override;

  // Starts the process. OnEnded follows, at the latest when that failed; never before this returns.
  void Start();
  // Only while ready(). `done` is called once, never before this returns.
  void Invoke(std::string event, OnResult done);
  // Asks the process to end (SIGTERM), and kills it after the grace. OnEnded follows.
  void End();

  [[nodiscard]] bool starting() const { return phase_ == Phase::kStarting; }
  [[nodiscard]] bool ready() const { return phase_ == Phase::kReady && api_->waiting(); }
  // With an invocation, or about to ask for the next one.
  [[nodiscard]] bool busy() const { return phase_ == Phase::kBusy || phase_ == Phase::kAnswered; }
  [[nodiscard]] bool ending() const { return phase_ == Phase::kEnding; }
  // Since when it waits for an invocation; only while ready().
  [[nodiscard]] SteadyTime idle_since() const { return idle_since_; }

 private:
  enum class Phase : std::uint8_t { kStarting, kReady, kBusy, kAnswered, kEnding, kEnded };
  void OnStarted(pid_t pid) override;
  void OnOutput(process::OutputStream stream, std::string_view line) override;
  void OnOutputDropped(process::OutputStream stream, std::size_t lines) override;
  void OnEnded(const process::ProcessEnd& end) override;
  void OnNext() override;
  void OnNextLost() override;
  void OnResponse(std::string response) override;
  void OnError(std::string error) override;
  void OnTooLarge() override;
  void OnInitError(std::string error) override;
  void OnTimer();
  void Finish(InvokeResult result);
  void FinishFailed(InvokeFailure failure, std::string detail);
  void Kill();
  void EndLater(InvokeError failure);
  [[nodiscard]] process::SpawnRequest RequestOf(const std::string& root) const;
  [[nodiscard]] std::string Name() const;

  net::EventLoop& loop_;
  process::ProcessClient& processes_;
  Setting setting_;
  InstanceEvents& events_;
  std::unique_ptr<RuntimeApi> api_;
  std::optional<process::ProcessId> process_;
  Phase phase_ = Phase::kStarting;
  bool was_ready_ = false;
  std::optional<InvokeError> init_failure_;  // what it said or was told of, before its process ended
  OnResult done_;                            // while busy
  std::string stream_name_;
  SteadyTime idle_since_;
  net::CallbackTimer timer_;  // of the start; of the invocation until the next one is asked for
  net::CallbackTimer refusal_timer_;
};

}  // namespace weir::functions
