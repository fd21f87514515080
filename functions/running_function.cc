#include "functions/running_function.h"

#include "base/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::functions {

void Answer(std::shared_ptr<Caller> caller, InvokeResult result) {
  if (caller->forgotten.load(std::memory_order_relaxed)) return;
  net::EventLoop& loop = caller->loop;
  // A function object is copyable; what it holds is not copied.
  loop.Post([caller = std::move(caller), result = std::make_shared<InvokeResult>(std::move(result))] {
    if (auto done = std::exchange(caller->done, nullptr)) done(std::move(*result));
  });
}

RunningFunction::RunningFunction(net::EventLoop& loop, process::ProcessClient& processes,
                                 std::shared_ptr<const Program> program, InstanceTimes times,
                                 std::function<void()> on_over)
    : loop_(loop),
      processes_(processes),
      program_(std::move(program)),
      times_(times),
      on_over_(std::move(on_over)),
      timer_([this] { OnTimer(); }) {}

RunningFunction::~RunningFunction() = default;

void RunningFunction::Invoke(std::shared_ptr<Caller> caller, std::string event) {
  if (backing_off() && deserted()) return Answer(std::move(caller), std::unexpected(last_failure_));
  while (!queue_.empty() && queue_.front().caller->forgotten.load(std::memory_order_relaxed)) DropFront();
  if (queue_.size() >= kQueueMax || queue_bytes_ + event.size() > kQueueBytesMax) {
    return Answer(std::move(caller), std::unexpected(InvokeError{InvokeFailure::kThrottled,
                                                                 fmt::format("{} invocations wait for {} instances",
                                                                             queue_.size(), instances_.size())}));
  }
  queue_bytes_ += event.size();
  // A start and an invocation of those before it: whoever waits longer is better told.
  const auto until = loop_.now() + program_->code.timeout + times_.init_timeout;
  queue_.push_back({std::move(caller), std::move(event), until});
  Dispatch();
}

void RunningFunction::DropFront() {
  queue_bytes_ -= queue_.front().event.size();
  queue_.pop_front();
}

Instance* RunningFunction::FindReady() const {
  Instance* found = nullptr;
  for (const auto& instance : instances_) {
    if (!instance->ready()) continue;
    if (found == nullptr || instance->idle_since() >= found->idle_since()) found = instance.get();
  }
  return found;
}

bool RunningFunction::deserted() const {
  return std::ranges::all_of(instances_, [](const auto& instance) { return instance->ending(); });
}

void RunningFunction::Dispatch() {
  while (!queue_.empty()) {
    if (queue_.front().caller->forgotten.load(std::memory_order_relaxed)) {
      DropFront();
      continue;
    }
    Instance* const instance = FindReady();
    if (instance == nullptr) break;
    Waiting waiting = std::move(queue_.front());
    queue_bytes_ -= waiting.event.size();
    queue_.pop_front();
    instance->Invoke(std::move(waiting.event),
                     [caller = std::move(waiting.caller)](InvokeResult result) { Answer(caller, std::move(result)); });
  }
  StartMissing();
  ScheduleTimer();
}

void RunningFunction::StartMissing() {
  if (queue_.empty() || backing_off()) return;
  const auto starting = static_cast<std::size_t>(
      std::ranges::count_if(instances_, [](const auto& instance) { return instance->starting(); }));
  for (std::size_t i = starting; i < queue_.size() && instances_.size() < program_->code.concurrency; ++i) {
    instances_.push_back(std::make_unique<Instance>(
        loop_, processes_, Instance::Setting{.program = program_, .number = ++last_number_, .times = times_},
        static_cast<InstanceEvents&>(*this)));
    instances_.back()->Start();
  }
}

void RunningFunction::OnReady(Instance& instance) {
  back_off_ = {};
  retry_at_ = {};
  Dispatch();
  if (retired_ && instance.ready()) instance.End();
}

void RunningFunction::OnEnded(Instance& instance, std::optional<InvokeError> failure) {
  const auto found = std::ranges::find(instances_, &instance, &std::unique_ptr<Instance>::get);
  loop_.DestroyLater(std::move(*found));
  instances_.erase(found);
  if (failure) NoteFailure(std::move(*failure));
  Dispatch();
  EndWhenOver();
}

void RunningFunction::NoteFailure(InvokeError failure) {
  // Those that failed together with one that was noted already say nothing new.
  if (!backing_off()) {
    back_off_ = std::clamp(back_off_ * 2, times_.back_off_first, times_.back_off_max);
    retry_at_ = loop_.now() + back_off_;
    LogWarning(fmt::format("function cannot be started function={} version={} reason=\"{}\" next_in_ms={}",
                           program_->name, program_->version, failure.detail, back_off_.count()));
  }
  last_failure_ = std::move(failure);
  if (deserted()) FailAll(last_failure_);
}

void RunningFunction::FailAll(const InvokeError& failure) {
  for (auto& waiting : std::exchange(queue_, {})) Answer(std::move(waiting.caller), std::unexpected(failure));
  queue_bytes_ = 0;
}

void RunningFunction::OnTimer() {
  while (!queue_.empty() && queue_.front().until <= loop_.now()) {
    Answer(queue_.front().caller,
           std::unexpected(InvokeError{InvokeFailure::kThrottled, "no instance was free in time"}));
    DropFront();
  }
  for (const auto& instance : instances_) {
    if (instance->ready() && instance->idle_since() + times_.idle_max <= loop_.now()) instance->End();
  }
  Dispatch();
  EndWhenOver();
}

void RunningFunction::ScheduleTimer() {
  std::optional<SteadyTime> next;
  const auto consider = [&next](SteadyTime time) {
    if (!next || time < *next) next = time;
  };
  if (!queue_.empty()) consider(queue_.front().until);
  if (!queue_.empty() && backing_off()) consider(retry_at_);
  for (const auto& instance : instances_) {
    if (instance->ready()) consider(instance->idle_since() + times_.idle_max);
  }
  if (next) {
    loop_.timers().Schedule(timer_, *next);
  } else {
    timer_.Cancel();
  }
}

void RunningFunction::Retire() {
  retired_ = true;
  if (queue_.empty()) {
    for (const auto& instance : instances_) {
      if (!instance->busy()) instance->End();
    }
  }
  EndWhenOver();
}

void RunningFunction::EndWhenOver() {
  if (!retired_ || !queue_.empty() || !instances_.empty() || !on_over_) return;
  std::exchange(on_over_, nullptr)();
}

}  // namespace weir::functions
