#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

using std::chrono::milliseconds;

class TestTask final : public Task {
 public:
  explicit TestTask(std::function<void()> run) : run_(std::move(run)) {}
  void RunTask() override { run_(); }

 private:
  std::function<void()> run_;
};

TEST(EventLoopTest, RunsPostedTasksInOrderOnItsThread) {
  EventLoop loop;
  std::vector<int> order;
  std::thread thread([&] { loop.Run(); });
  const auto id = thread.get_id();
  std::atomic<bool> on_thread{true};
  for (int i = 0; i < 100; ++i) {
    loop.Post([&, i] {
      order.push_back(i);
      if (std::this_thread::get_id() != id) on_thread = false;
    });
  }
  loop.Stop();
  thread.join();
  EXPECT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_TRUE(on_thread);
}

TEST(EventLoopTest, StopBeforeRunIsNotLost) {
  EventLoop loop;
  loop.Stop();
  loop.Run();
}

TEST(EventLoopTest, ATaskPostedByATaskRunsInALaterTurn) {
  EventLoop loop;
  int ran = 0;
  loop.Post([&] { loop.Post([&] { ++ran; }); });
  loop.RunOnce(milliseconds(100));
  EXPECT_EQ(ran, 0);
  loop.RunOnce(milliseconds(100));
  EXPECT_EQ(ran, 1);
}

TEST(EventLoopTest, FiresTimers) {
  EventLoop loop;
  bool fired = false;
  CallbackTimer timer([&] { fired = true; });
  const auto start = std::chrono::steady_clock::now();
  loop.timers().Schedule(timer, loop.now() + milliseconds(30));
  while (!fired) loop.RunOnce(milliseconds(1'000));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, milliseconds(29));
  EXPECT_LT(took, milliseconds(900)) << "it woke by the timer";
}

TEST(EventLoopTest, RunSoonRunsOnceAtTheEndOfTheTurn) {
  EventLoop loop;
  int ran = 0;
  TestTask task([&] { ++ran; });
  loop.RunSoon(task);
  loop.RunSoon(task);
  loop.RunOnce(milliseconds(1'000));
  EXPECT_EQ(ran, 1);
  loop.RunOnce(milliseconds(0));
  EXPECT_EQ(ran, 1);
}

TEST(EventLoopTest, ATaskMayScheduleItselfAndDestroyAnother) {
  EventLoop loop;
  int ran = 0;
  auto other = std::make_unique<TestTask>([&] { ran += 100; });
  std::unique_ptr<TestTask> task;
  task = std::make_unique<TestTask>([&] {
    other.reset();
    if (++ran < 2) loop.RunSoon(*task);
  });
  loop.RunSoon(*task);
  loop.RunSoon(*other);
  loop.RunOnce(milliseconds(1'000));
  EXPECT_EQ(ran, 1);
  loop.RunOnce(milliseconds(1'000));
  EXPECT_EQ(ran, 2);
}

TEST(EventLoopTest, ATaskMayOutliveTheLoop) {
  TestTask task([] {});
  {
    EventLoop loop;
    loop.RunSoon(task);
  }
}

class Watcher final : public FdWatcher, public Deferred {
 public:
  Watcher(std::function<void(std::uint32_t)> on_events, bool* destroyed)
      : on_events_(std::move(on_events)), destroyed_(destroyed) {}
  ~Watcher() override { *destroyed_ = true; }
  void OnEvents(std::uint32_t events) override { on_events_(events); }

 private:
  std::function<void(std::uint32_t)> on_events_;
  bool* destroyed_;
};

TEST(EventLoopTest, WatchIsEdgeTriggeredAndWatchLevelIsNot) {
  EventLoop loop;
  const UniqueFd edge(eventfd(1, EFD_NONBLOCK));
  const UniqueFd level(eventfd(1, EFD_NONBLOCK));
  int edges = 0;
  int levels = 0;
  bool destroyed = false;
  Watcher on_edge([&](std::uint32_t) { ++edges; }, &destroyed);
  Watcher on_level([&](std::uint32_t) { ++levels; }, &destroyed);
  ASSERT_TRUE(loop.Watch(edge.get(), EPOLLIN, on_edge));
  ASSERT_TRUE(loop.WatchLevel(level.get(), EPOLLIN, on_level));
  for (int i = 0; i < 3; ++i) loop.RunOnce(milliseconds(10));
  EXPECT_EQ(edges, 1);
  EXPECT_EQ(levels, 3);
  loop.ModifyLevel(level.get(), 0, on_level);
  loop.RunOnce(milliseconds(0));
  EXPECT_EQ(levels, 3);
  loop.Unwatch(edge.get());
  loop.Unwatch(level.get());
}

TEST(EventLoopTest, DestroyLaterWaitsForTheEndOfTheTurn) {
  EventLoop loop;
  const UniqueFd fd(eventfd(1, EFD_NONBLOCK));
  bool destroyed = false;
  std::unique_ptr<Watcher> watcher;
  watcher = std::make_unique<Watcher>(
      [&](std::uint32_t) {
        loop.Unwatch(fd.get());
        loop.DestroyLater(std::move(watcher));
        EXPECT_FALSE(destroyed);
      },
      &destroyed);
  ASSERT_TRUE(loop.Watch(fd.get(), EPOLLIN, *watcher));
  loop.RunOnce(milliseconds(100));
  EXPECT_TRUE(destroyed);
}

TEST(EventLoopTest, WatchingAClosedDescriptorFails) {
  EventLoop loop;
  bool destroyed = false;
  Watcher watcher([](std::uint32_t) {}, &destroyed);
  EXPECT_FALSE(loop.Watch(-1, EPOLLIN, watcher));
}

TEST(EventLoopTest, TurnCallbacksFrameTheEvents) {
  EventLoop loop;
  std::string order;
  loop.SetTurnStart([&] { order += 's'; });
  loop.SetTurnEnd([&] { order += 'e'; });
  loop.Post([&] { order += 'p'; });
  loop.RunOnce(milliseconds(100));
  EXPECT_EQ(order, "spe");
}

}  // namespace
}  // namespace weir::net
