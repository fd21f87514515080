#include "tests/process/process_fixture.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <thread>

namespace weir::testing {

using namespace std::chrono_literals;

bool RunUntil(net::EventLoop& loop, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.RunOnce(20ms);
  }
  return true;
}

std::shared_ptr<process::Spawner> StartTestSpawner() {
  auto spawner = process::Spawner::Start(WEIR_PROCESS_TEST_PROGRAM);
  EXPECT_TRUE(spawner.has_value()) << spawner.error().message;
  return *spawner;
}

bool Exists(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

bool WaitGone(pid_t pid) {
  for (int i = 0; i < 2'000 && Exists(pid); ++i) std::this_thread::sleep_for(5ms);
  return !Exists(pid);
}

}  // namespace weir::testing
