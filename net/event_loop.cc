#include "net/event_loop.h"

#include "base/check.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace weir::net {
namespace {

using namespace std::chrono_literals;

constexpr int kEventsPerTurnMax = 256;
// The end of a client that was answered has mostly come by then. Nobody waits for what a look finds, so that many are
// taken at once: a loop that has nothing else to do is woken for them once in a step.
constexpr std::chrono::milliseconds kLookLater{16};
constexpr std::chrono::milliseconds kLookStep{8};

// Takes the events of a watcher that has left.
class Nobody final : public FdWatcher {
 public:
  void OnEvents(std::uint32_t /*events*/) override {}
};

// The events of one turn that were fetched and may not have been delivered yet.
struct Batch {
  std::span<epoll_event> events;
  Batch* outer;  // of the loop inside whose turn this one runs
  Nobody nobody{};
};

// The batch that this thread delivers; null between two of them. Per thread and not per loop, so that a watcher need
// not know its loop, which it may outlive.
Batch*& CurrentBatch() {
  thread_local Batch* batch = nullptr;
  return batch;
}

// What was delivered already is changed too: nobody looks at it again, and nothing has to count along.
void DropEvents(const FdWatcher* watcher) {
  for (Batch* batch = CurrentBatch(); batch != nullptr; batch = batch->outer) {
    for (epoll_event& event : batch->events) {
      if (event.data.ptr == watcher) event.data.ptr = static_cast<FdWatcher*>(&batch->nobody);
    }
  }
}

// For as long as a batch is being delivered.
class BatchScope {
 public:
  explicit BatchScope(std::span<epoll_event> events) : batch_{.events = events, .outer = CurrentBatch()} {
    CurrentBatch() = &batch_;
  }
  ~BatchScope() { CurrentBatch() = batch_.outer; }
  BatchScope(const BatchScope&) = delete;
  BatchScope& operator=(const BatchScope&) = delete;

 private:
  Batch batch_;
};

// True when one of them is the loop's own.
bool Deliver(std::span<const epoll_event> events) {
  bool woken = false;
  for (const epoll_event& event : events) {
    if (event.data.ptr == nullptr) {
      woken = true;
    } else {
      static_cast<FdWatcher*>(event.data.ptr)->OnEvents(event.events);
    }
  }
  return woken;
}

}  // namespace

FdWatcher::~FdWatcher() { DropEvents(this); }

Task::~Task() {
  if (loop_ == nullptr) return;
  (running_ ? loop_->running_ : loop_->tasks_)[index_] = nullptr;
}

EventLoop::EventLoop(const Clock& clock)
    : clock_(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      now_(clock.Now()),
      wall_now_(clock.WallNow()),
      timers_(now_) {
  WEIR_CHECK(epoll_.valid() && wake_.valid());
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // null is the wake-up descriptor
  WEIR_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
}

EventLoop::~EventLoop() {
  // Objects destroyed here may hand over others.
  while (!to_destroy_.empty()) {
    auto batch = std::move(to_destroy_);
    to_destroy_.clear();
  }
  // A task may outlive the loop: it must not take itself back from a list that is gone.
  for (Task* task : tasks_) {
    if (task != nullptr) task->loop_ = nullptr;
  }
}

void EventLoop::UpdateClock() {
  now_ = clock_.Now();
  wall_now_ = clock_.WallNow();
}

bool EventLoop::Add(int fd, std::uint32_t events, FdWatcher& watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

bool EventLoop::Watch(int fd, std::uint32_t events, FdWatcher& watcher) { return Add(fd, events | EPOLLET, watcher); }

bool EventLoop::WatchLevel(int fd, std::uint32_t events, FdWatcher& watcher) { return Add(fd, events, watcher); }

void EventLoop::ModifyLevel(int fd, std::uint32_t events, FdWatcher& watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::Unwatch(int fd, const FdWatcher& watcher) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  DropEvents(&watcher);
}

void EventLoop::DestroyLater(std::unique_ptr<Deferred> object) { to_destroy_.push_back(std::move(object)); }

void EventLoop::RunSoon(Task& task) {
  if (task.loop_ != nullptr) return;
  task.loop_ = this;
  task.running_ = false;
  task.index_ = tasks_.size();
  tasks_.push_back(&task);
}

void EventLoop::LookSoon(Look& look) { soon_.Append(look, now_); }

void EventLoop::LookLater(Look& look) {
  const auto due = (now_ + kLookLater).time_since_epoch();
  later_.Append(look, SteadyTime(due + (kLookStep - due % kLookStep)));
}

void EventLoop::RunTasks() {
  // Those scheduled from here on wait for the next turn: a busy connection cannot keep the others from their events.
  running_.swap(tasks_);
  for (Task* task : running_) {
    if (task != nullptr) task->running_ = true;
  }
  for (std::size_t i = 0; i < running_.size(); ++i) {
    Task* task = running_[i];
    if (task == nullptr) continue;
    task->loop_ = nullptr;
    task->RunTask();
  }
  running_.clear();
}

void EventLoop::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  // A full eventfd counter means that a wake-up is pending already.
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof(one));
}

void EventLoop::Stop() {
  Post([this] { stopping_ = true; });
}

void EventLoop::RunPosted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void EventLoop::Run() {
  stopping_ = false;
  UpdateClock();
  while (!stopping_) RunOnce(std::chrono::milliseconds(60'000));
}

bool EventLoop::DeliverBatch(std::span<epoll_event> events) {
  const BatchScope scope(events);
  if (turn_start_) turn_start_();
  return Deliver(events);
}

void EventLoop::RunOnce(std::chrono::milliseconds wait) {
  if (const auto wake = timers_.NextWake()) {
    // Rounded up, so that the loop does not spin through the last millisecond.
    const auto until = std::chrono::ceil<std::chrono::milliseconds>(*wake - now_);
    wait = std::clamp(until, 0ms, wait);
  }
  if (!later_.empty()) wait = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(later_.due() - now_), 0ms, wait);
  if (!tasks_.empty() || !soon_.empty()) wait = 0ms;
  std::array<epoll_event, kEventsPerTurnMax> events;
  const int count = epoll_wait(epoll_.get(), events.data(), kEventsPerTurnMax, static_cast<int>(wait.count()));
  UpdateClock();
  if (DeliverBatch(std::span(events).first(static_cast<std::size_t>(std::max(count, 0))))) {
    std::uint64_t value = 0;
    [[maybe_unused]] const auto got = read(wake_.get(), &value, sizeof(value));
    RunPosted();
  }
  timers_.Advance(now_);
  if (!later_.empty()) later_.Run(now_);
  if (!soon_.empty()) soon_.Run(now_);
  if (!tasks_.empty()) RunTasks();
  if (turn_end_) turn_end_();
  if (!to_destroy_.empty()) {
    auto batch = std::move(to_destroy_);
    to_destroy_.clear();
    batch.clear();
  }
}

}  // namespace weir::net
