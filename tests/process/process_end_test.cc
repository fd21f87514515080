// What happens to processes when the spawner or weir ends.

#include "process/process_client.h"
#include "process/process_tree.h"
#include "tests/process/process_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <span>
#include <string>
#include <thread>
#include <utility>

namespace weir::testing {
namespace {

using namespace std::chrono_literals;
using process::ProcessEnd;
using process::SpawnRequest;
using ::testing::ElementsAre;

SpawnRequest ShellOf(std::string script) {
  return {.command = {"/bin/sh", "-c", std::move(script)}, .environment = {{"PATH", "/usr/bin:/bin"}}};
}

// Says its own id, that of a child and that of one in another session, and waits.
constexpr const char* kFamily = "sleep 60 & echo $!; setsid sleep 61 & echo $!; echo $$; exec sleep 62";

TEST(ProcessEndTest, ASpawnerThatIsKilledTakesItsProcessesAlongAndIsReplaced) {
  net::EventLoop loop;
  process::ProcessClient client(loop, StartTestSpawner());
  for (int round = 0; round < 3; ++round) {
    const pid_t spawner = client.spawner_pid();
    std::array<Watched, 3> families;
    for (auto& family : families) static_cast<void>(client.Spawn(ShellOf(kFamily), family));
    for (auto& family : families) ASSERT_TRUE(RunUntil(loop, [&] { return family.output.size() == 3; }));
    kill(spawner, SIGKILL);
    for (auto& family : families) ASSERT_TRUE(RunUntil(loop, [&] { return family.ends == 1; }));
    for (auto& family : families) {
      EXPECT_EQ(family.end->kind, ProcessEnd::Kind::kLost);
      for (const auto& pid : family.output) {
        EXPECT_TRUE(RunUntil(loop, [&] { return !Exists(std::stoi(pid)); })) << pid;
      }
    }
    EXPECT_TRUE(RunUntil(loop, [&] { return client.spawner_pid() != spawner && client.spawner_pid() != 0; }));
    EXPECT_FALSE(Exists(spawner));
    // The new one works.
    Watched next;
    EXPECT_TRUE(RunUntil(loop, [&] {
      static_cast<void>(client.Spawn(ShellOf("echo again"), next));
      return RunUntil(loop, [&] { return next.ends > 0; }) && std::exchange(next.ends, 0) > 0 && !next.output.empty();
    }));
    EXPECT_THAT(process::Children(), ElementsAre(client.spawner_pid()));
  }
}

TEST(ProcessEndTest, ChildrenFromBeforeTheSpawnerAreSpared) {
  std::string sleep = "sleep";
  std::string seconds = "60";
  char* const arguments[] = {sleep.data(), seconds.data(), nullptr};
  pid_t inherited = 0;
  ASSERT_EQ(posix_spawn(&inherited, "/bin/sleep", nullptr, nullptr, arguments, environ), 0);
  net::EventLoop loop;
  {
    process::ProcessClient client(loop, StartTestSpawner());
    Watched family;
    static_cast<void>(client.Spawn(ShellOf(kFamily), family));
    ASSERT_TRUE(RunUntil(loop, [&] { return family.output.size() == 3; }));
    kill(client.spawner_pid(), SIGKILL);
    for (const auto& pid : family.output) {
      EXPECT_TRUE(RunUntil(loop, [&] { return !Exists(std::stoi(pid)); })) << pid;
    }
    EXPECT_EQ(waitpid(inherited, nullptr, WNOHANG), 0);
  }
  kill(inherited, SIGKILL);
  waitpid(inherited, nullptr, 0);
}

TEST(ProcessEndTest, WhoHearsOfALossMayStartAnewAtOnce) {
  net::EventLoop loop;
  process::ProcessClient client(loop, StartTestSpawner());
  // Later than the first moment at which a spawner may be replaced at once.
  const auto later = std::chrono::steady_clock::now() + 1'100ms;
  ASSERT_TRUE(RunUntil(loop, [&] { return std::chrono::steady_clock::now() > later; }));
  Watched first;
  Watched second;
  static_cast<void>(client.Spawn(ShellOf("echo up; exec sleep 60"), first));
  first.on_end = [&] { static_cast<void>(client.Spawn(ShellOf("echo second"), second)); };
  ASSERT_TRUE(RunUntil(loop, [&] { return !first.output.empty(); }));
  kill(client.spawner_pid(), SIGKILL);
  ASSERT_TRUE(RunUntil(loop, [&] { return second.ends == 1; }));
  EXPECT_THAT(second.output, ElementsAre("second"));
}

TEST(ProcessEndTest, TheClientsEndIsThatOfAllProcesses) {
  Watched family;
  pid_t spawner = 0;
  {
    net::EventLoop loop;
    process::ProcessClient client(loop, StartTestSpawner());
    spawner = client.spawner_pid();
    static_cast<void>(client.Spawn(ShellOf(kFamily), family));
    ASSERT_TRUE(RunUntil(loop, [&] { return family.output.size() == 3; }));
  }
  for (const auto& pid : family.output) EXPECT_TRUE(WaitGone(std::stoi(pid))) << pid;
  EXPECT_FALSE(Exists(spawner));
  EXPECT_EQ(family.ends, 0);
}

TEST(ProcessEndTest, SignalsThatEndWeirDoNotEndTheSpawner) {
  net::EventLoop loop;
  process::ProcessClient client(loop, StartTestSpawner());
  Watched first;
  static_cast<void>(client.Spawn(ShellOf("exit 0"), first));
  ASSERT_TRUE(RunUntil(loop, [&] { return first.ends == 1; }));  // it is there
  for (const int number : {SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGUSR1}) kill(client.spawner_pid(), number);
  Watched second;
  static_cast<void>(client.Spawn(ShellOf("exit 7"), second));
  ASSERT_TRUE(RunUntil(loop, [&] { return second.ends == 1; }));
  EXPECT_EQ(second.end, (ProcessEnd{.kind = ProcessEnd::Kind::kExited, .value = 7}));
}

// A program like weir that is killed: nobody tells the spawner.
TEST(ProcessEndTest, AllEndWithAProgramThatIsKilled) {
  // Orphans come here and are reaped, whatever the first process of the machine does.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  std::string name = "weir";
  std::string shell = "/bin/sh";
  std::string option = "-c";
  std::string script = kFamily;
  char* const arguments[] = {name.data(), shell.data(), option.data(), script.data(), nullptr};
  pid_t program = 0;
  ASSERT_EQ(posix_spawn(&program, WEIR_PROCESS_TEST_PROGRAM, &actions, nullptr, arguments, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::FILE* const lines = fdopen(ends[0], "r");
  std::array<int, 5> pids{};
  for (int& pid : pids) ASSERT_EQ(std::fscanf(lines, "%d", &pid), 1);
  ASSERT_EQ(pids[0], program);
  kill(program, SIGKILL);
  waitpid(program, nullptr, 0);
  for (const int pid : std::span(pids).subspan(1)) {
    EXPECT_TRUE([&] {
      for (int i = 0; i < 2'000 && Exists(pid); ++i) {
        waitpid(pid, nullptr, WNOHANG);
        std::this_thread::sleep_for(5ms);
      }
      return !Exists(pid);
    }()) << pid;
  }
  std::fclose(lines);
}

}  // namespace
}  // namespace weir::testing
