#include "functions/function_pool.h"

#include "functions/running_function.h"
#include "net/event_loop.h"
#include "process/process_client.h"
#include "process/spawner.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weir::functions {
namespace {

// The thread that owns the instances, and what it owns.
class Thread {
 public:
  Thread(std::shared_ptr<process::Spawner> spawner, InstanceTimes times)
      : processes_(loop_, std::move(spawner)), times_(times), thread_([this] { loop_.Run(); }) {}
  ~Thread() {
    loop_.Stop();
    thread_.join();
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // Thread: any. In the order of the calls.
  void Invoke(std::uint64_t function, std::shared_ptr<const Program> program, std::shared_ptr<Caller> caller,
              std::string event) {
    // A function object is copyable; what it holds is not copied.
    auto shared_event = std::make_shared<std::string>(std::move(event));
    loop_.Post([this, function, program = std::move(program), caller = std::move(caller),
                shared_event = std::move(shared_event)] {
      FunctionOf(function, program).Invoke(caller, std::move(*shared_event));
    });
  }
  void Retire(std::uint64_t function) {
    loop_.Post([this, function] {
      const auto found = functions_.find(function);
      if (found != functions_.end()) found->second->Retire();
    });
  }

 private:
  RunningFunction& FunctionOf(std::uint64_t function, const std::shared_ptr<const Program>& program) {
    auto& entry = functions_[function];
    if (!entry) {
      entry = std::make_unique<RunningFunction>(loop_, processes_, program, times_, [this, function] {
        const auto found = functions_.find(function);
        loop_.DestroyLater(std::move(found->second));
        functions_.erase(found);
      });
    }
    return *entry;
  }

  net::EventLoop loop_;
  process::ProcessClient processes_;
  InstanceTimes times_;
  std::unordered_map<std::uint64_t, std::unique_ptr<RunningFunction>> functions_;
  std::thread thread_;
};

class PooledInvocation final : public Invocation {
 public:
  explicit PooledInvocation(std::shared_ptr<Caller> caller) : caller_(std::move(caller)) {}
  ~PooledInvocation() override {
    caller_->forgotten.store(true, std::memory_order_relaxed);
    caller_->done = nullptr;
  }

 private:
  std::shared_ptr<Caller> caller_;
};

}  // namespace

class FunctionPool::Impl : public std::enable_shared_from_this<FunctionPool::Impl> {
 public:
  Impl(std::shared_ptr<process::Spawner> spawner, InstanceTimes times) : spawner_(std::move(spawner)), times_(times) {}

  std::shared_ptr<FunctionInvoker> InvokerOf(const Program& program);
  void Invoke(std::uint64_t function, std::shared_ptr<const Program> program, std::shared_ptr<Caller> caller,
              std::string event) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (!thread_) thread_ = std::make_unique<Thread>(std::move(spawner_), times_);
    thread_->Invoke(function, std::move(program), std::move(caller), std::move(event));
  }
  void Retire(std::uint64_t function) {
    const std::lock_guard lock(mutex_);
    if (thread_) thread_->Retire(function);
  }
  void Stop() {
    std::unique_ptr<Thread> thread;
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      thread = std::move(thread_);
      spawner_.reset();
    }
  }

 private:
  class Pooled;

  std::mutex mutex_;  // guards all below
  std::shared_ptr<process::Spawner> spawner_;
  InstanceTimes times_;
  std::unique_ptr<Thread> thread_;
  bool stopped_ = false;
  std::vector<std::weak_ptr<Pooled>> invokers_;
  std::uint64_t last_ = 0;
};

class FunctionPool::Impl::Pooled final : public FunctionInvoker {
 public:
  Pooled(std::shared_ptr<Impl> pool, std::uint64_t number, const Program& program)
      : pool_(std::move(pool)), number_(number), program_(std::make_shared<const Program>(program)) {}
  ~Pooled() override { pool_->Retire(number_); }

  [[nodiscard]] std::unique_ptr<Invocation> Invoke(net::EventLoop& loop, std::string event, OnResult done) override {
    auto caller = std::make_shared<Caller>(loop, std::move(done));
    auto invocation = std::make_unique<PooledInvocation>(caller);
    pool_->Invoke(number_, program_, std::move(caller), std::move(event));
    return invocation;
  }
  [[nodiscard]] const Program& program() const { return *program_; }

 private:
  std::shared_ptr<Impl> pool_;
  std::uint64_t number_;
  std::shared_ptr<const Program> program_;
};

std::shared_ptr<FunctionInvoker> FunctionPool::Impl::InvokerOf(const Program& program) {
  // One that is found and not given is released after the lock: its end takes it, too.
  std::vector<std::shared_ptr<Pooled>> looked_at;
  const std::lock_guard lock(mutex_);
  std::erase_if(invokers_, [](const auto& invoker) { return invoker.expired(); });
  for (const auto& known : invokers_) {
    auto invoker = known.lock();
    if (!invoker) continue;
    if (invoker->program() == program) return invoker;
    looked_at.push_back(std::move(invoker));
  }
  auto made = std::make_shared<Pooled>(shared_from_this(), ++last_, program);
  invokers_.push_back(made);
  return made;
}

FunctionPool::FunctionPool(std::shared_ptr<process::Spawner> spawner, InstanceTimes times)
    : impl_(std::make_shared<Impl>(std::move(spawner), times)) {}

FunctionPool::~FunctionPool() { Stop(); }

std::shared_ptr<FunctionInvoker> FunctionPool::Invoker(const Program& program) { return impl_->InvokerOf(program); }

void FunctionPool::Stop() { impl_->Stop(); }

}  // namespace weir::functions
