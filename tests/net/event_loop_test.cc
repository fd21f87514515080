#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
  loop.Unwatch(edge.get(), on_edge);
  loop.Unwatch(level.get(), on_level);
}

TEST(EventLoopTest, DestroyLaterWaitsForTheEndOfTheTurn) {
  EventLoop loop;
  const UniqueFd fd(eventfd(1, EFD_NONBLOCK));
  bool destroyed = false;
  std::unique_ptr<Watcher> watcher;
  watcher = std::make_unique<Watcher>(
      [&](std::uint32_t) {
        loop.Unwatch(fd.get(), *watcher);
        loop.DestroyLater(std::move(watcher));
        EXPECT_FALSE(destroyed);
      },
      &destroyed);
  ASSERT_TRUE(loop.Watch(fd.get(), EPOLLIN, *watcher));
  loop.RunOnce(milliseconds(100));
  EXPECT_TRUE(destroyed);
}

// Two watchers whose descriptors are ready in the same turn; whichever is asked first does `act` to the other.
class SigtermWatcherTest : public ::testing::Test {
 protected:
  void Prepare(const std::function<void(std::size_t other)>& act) {
    for (std::size_t i = 0; i < 2; ++i) {
      watchers_[i] = std::make_unique<Watcher>(
          [this, act, i](std::uint32_t) {
            ++calls_;
            act(1 - i);
          },
          &destroyed_[i]);
      ASSERT_TRUE(loop_.WatchLevel(fds_[i].get(), EPOLLIN, *watchers_[i]));
    }
  }
  // The other one, gone before this returns.
  void Destroy(std::size_t other) {
    loop_.Unwatch(fds_[other].get(), *watchers_[other]);
    watchers_[other].reset();
  }

  EventLoop loop_;
  std::array<UniqueFd, 2> fds_ = {UniqueFd(eventfd(1, EFD_NONBLOCK)), UniqueFd(eventfd(1, EFD_NONBLOCK))};
  std::array<bool, 2> destroyed_{};
  std::array<std::unique_ptr<Watcher>, 2> watchers_;
  int calls_ = 0;
};

TEST_F(SigtermWatcherTest, AWatcherDestroyedByAnotherHearsNothingOfTheSameTurn) {
  Prepare([this](std::size_t other) { Destroy(other); });
  loop_.RunOnce(milliseconds(1'000));
  EXPECT_EQ(calls_, 1);
  EXPECT_NE(destroyed_[0], destroyed_[1]);
}

TEST_F(SigtermWatcherTest, AWatcherDestroyedWithoutUnwatchHearsNothingOfTheSameTurn) {
  // As streams end: closing the descriptor takes it out of epoll.
  Prepare([this](std::size_t other) {
    fds_[other].Reset();
    watchers_[other].reset();
  });
  loop_.RunOnce(milliseconds(1'000));
  EXPECT_EQ(calls_, 1);
}

TEST_F(SigtermWatcherTest, AnUnwatchedWatcherThatLivesOnHearsNothingOfTheSameTurn) {
  Prepare([this](std::size_t other) { loop_.Unwatch(fds_[other].get(), *watchers_[other]); });
  loop_.RunOnce(milliseconds(1'000));
  EXPECT_EQ(calls_, 1);
}

TEST_F(SigtermWatcherTest, AWatcherMayBeDestroyedInTheTurnOfALoopInsideTheLoop) {
  EventLoop inner;
  const UniqueFd ready(eventfd(1, EFD_NONBLOCK));
  bool destroyed = false;
  std::size_t outer_other = 0;
  Watcher watcher([this, &outer_other](std::uint32_t) { Destroy(outer_other); }, &destroyed);
  ASSERT_TRUE(inner.WatchLevel(ready.get(), EPOLLIN, watcher));
  Prepare([&](std::size_t other) {
    outer_other = other;
    inner.RunOnce(milliseconds(1'000));
  });
  loop_.RunOnce(milliseconds(1'000));
  EXPECT_EQ(calls_, 1);
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
