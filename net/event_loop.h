#pragma once

// Event loops and sockets. One EventLoop belongs to one thread; everything that is registered with it lives and dies
// there. The loop is epoll, edge-triggered, one registration for the life of a descriptor: docs/adr says why it is not
// Asio's reactor.

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "net/look_queue.h"
#include "net/timer_wheel.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

struct epoll_event;

namespace weir::net {

class EventLoop;

// Receives the readiness of one descriptor.
class FdWatcher {
 public:
  // `events` are epoll's bits (EPOLLIN …). May destroy any other watcher at once, events already fetched for that one
  // are then dropped; itself, and whatever called it, only through EventLoop::DestroyLater.
  virtual void OnEvents(std::uint32_t events) = 0;

 protected:
  FdWatcher() = default;
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;
  // Drops the events that this thread's loops have fetched for it and not delivered yet.
  ~FdWatcher();
};

// What EventLoop::DestroyLater takes: anything that must outlive the call that ends it.
class Deferred {
 public:
  virtual ~Deferred() = default;
};

// Work put off to the end of the turn, embedded in what it belongs to: scheduling allocates nothing, destruction takes
// it back. Thread: that of its loop.
class Task {
 public:
  Task() = default;
  virtual ~Task();
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual void RunTask() = 0;

 private:
  friend class EventLoop;
  EventLoop* loop_ = nullptr;  // null while not scheduled
  std::size_t index_ = 0;      // where the loop's list of this turn holds it
  bool running_ = false;       // in the list that is being run
};

// Thread: the one that calls Run, except where a method says `any`.
class EventLoop {
 public:
  // Aborts when the system has no descriptors left: only at start. `clock` outlives the loop.
  explicit EventLoop(const Clock& clock = SystemClock());
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until Stop. Objects given to DestroyLater are destroyed at the end of each turn.
  void Run();
  // One turn: waits at most `wait`, then dispatches. For tests and for loops inside another loop.
  void RunOnce(std::chrono::milliseconds wait);
  // Thread: any.
  void Stop();
  // Runs `task` on the loop's thread in a later turn, in the order of the calls. Thread: any.
  void Post(std::function<void()> task);

  // The clock as read once per turn.
  [[nodiscard]] SteadyTime now() const { return now_; }
  [[nodiscard]] WallTime wall_now() const { return wall_now_; }
  [[nodiscard]] TimerWheel& timers() { return timers_; }

  // Runs `task` once at the end of this turn, or of the next one when called from a task. Scheduling again before it
  // ran is no-op.
  void RunSoon(Task& task);

  // Registers `fd` edge-triggered for `events`; EPOLLET is added. The watcher stays registered until the descriptor is
  // closed or Unwatch. Fails when the system refuses.
  [[nodiscard]] bool Watch(int fd, std::uint32_t events, FdWatcher& watcher);
  // The same level-triggered: for listening sockets, where a turn may stop early on purpose.
  [[nodiscard]] bool WatchLevel(int fd, std::uint32_t events, FdWatcher& watcher);
  void ModifyLevel(int fd, std::uint32_t events, FdWatcher& watcher);
  // Ends it: `watcher`, which was given for `fd`, hears nothing of it from here on, also not what was already fetched.
  void Unwatch(int fd, const FdWatcher& watcher);

  // Calls OnLook at the end of this turn, or of the next one when called from a look or a task; or 16 to 24
  // milliseconds later, many at a time. The last call counts.
  void LookSoon(Look& look);
  void LookLater(Look& look);

  // Destroys `object` at the end of the turn, when no call of its own is under way any more.
  void DestroyLater(std::unique_ptr<Deferred> object);

  // Called in every turn after waiting and before the first event: to take over a new snapshot. One only.
  void SetTurnStart(std::function<void()> callback) { turn_start_ = std::move(callback); }
  // Called at the end of every turn, after the events: to send what was batched during it. One only.
  void SetTurnEnd(std::function<void()> callback) { turn_end_ = std::move(callback); }

 private:
  friend class Task;
  void RunTasks();
  // True when the loop was woken.
  bool DeliverBatch(std::span<epoll_event> events);
  void UpdateClock();
  void RunPosted();
  bool Add(int fd, std::uint32_t events, FdWatcher& watcher);

  const Clock& clock_;
  UniqueFd epoll_;
  UniqueFd wake_;  // an eventfd: Post and Stop write to it
  SteadyTime now_;
  WallTime wall_now_;
  TimerWheel timers_;
  std::vector<std::unique_ptr<Deferred>> to_destroy_;
  std::vector<Task*> tasks_;    // null: taken back
  std::vector<Task*> running_;  // those of the turn that is ending
  LookQueue soon_;
  LookQueue later_;
  std::function<void()> turn_start_;
  std::function<void()> turn_end_;
  bool stopping_ = false;

  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by posted_mutex_
};

}  // namespace weir::net
