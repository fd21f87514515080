#include "process/process_client.h"

#include "process/process_tree.h"
#include "tests/process/process_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <list>
#include <string>

namespace weir::testing {
namespace {

using namespace std::chrono_literals;
using process::ProcessEnd;
using process::SpawnRequest;
using process::StartStage;
using ::testing::ElementsAre;

SpawnRequest Shell(std::string script) {
  return {.command = {"/bin/sh", "-c", std::move(script)}, .environment = {{"PATH", "/usr/bin:/bin"}}};
}

class ProcessClientTest : public ::testing::Test {
 protected:
  // Runs it to its end.
  void Run(const SpawnRequest& request) {
    static_cast<void>(client.Spawn(request, watched));
    ASSERT_EQ(watched.ends, 0);
    ASSERT_TRUE(RunUntil(loop, [&] { return watched.ends > 0; }));
  }

  net::EventLoop loop;
  process::ProcessClient client{loop, StartTestSpawner()};
  Watched watched;
};

TEST_F(ProcessClientTest, AProcessRunsAndEnds) {
  Run(Shell("echo one; echo two; echo three >&2; exit 3"));
  EXPECT_GT(watched.pid, 0);
  EXPECT_THAT(watched.output, ElementsAre("one", "two"));
  EXPECT_THAT(watched.error, ElementsAre("three"));
  EXPECT_EQ(watched.end, (ProcessEnd{.kind = ProcessEnd::Kind::kExited, .value = 3}));
  EXPECT_FALSE(Exists(watched.pid));
  EXPECT_EQ(client.size(), 0U);
}

TEST_F(ProcessClientTest, TheEnvironmentIsExactlyTheOneAskedFor) {
  Run({.command = {"/usr/bin/env"}, .environment = {{"A", "1"}, {"B", "x y"}, {"EMPTY", ""}}});
  EXPECT_THAT(watched.output, ElementsAre("A=1", "B=x y", "EMPTY="));
}

TEST_F(ProcessClientTest, AProcessHasNothingOpenButItsStreams) {
  Run(Shell("ls /proc/self/fd; readlink /proc/self/fd/0"));
  // 3 is the folder that ls reads.
  EXPECT_THAT(watched.output, ElementsAre("0", "1", "2", "3", "/dev/null"));
}

TEST_F(ProcessClientTest, AProcessReadsItsInputAndStartsInItsDirectory) {
  auto request = Shell("pwd; cat");
  request.directory = "/usr";
  request.input = "from weir\nend";
  Run(request);
  EXPECT_THAT(watched.output, ElementsAre("/usr", "from weir", "end"));
}

TEST_F(ProcessClientTest, SignalsHaveTheirDefaultsAndNoneIsBlocked) {
  Run(Shell("grep -E 'Sig(Blk|Ign)' /proc/self/status"));
  EXPECT_THAT(watched.output, ElementsAre("SigBlk:\t0000000000000000",
                                          // 32 and 33 are the C library's, which leaves them as they were.
                                          ::testing::MatchesRegex("SigIgn:\t0000000[01][08]0000000")));
}

TEST_F(ProcessClientTest, WhatCannotBeStartedSaysExactlyWhy) {
  char folder[] = "/tmp/weir-process-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string file = std::string(folder) + "/weir-no-program";
  std::fclose(std::fopen(file.c_str(), "w"));
  struct Row {
    const char* name;
    SpawnRequest request;
    StartStage stage;
    int error;
  };
  const std::string root(folder);
  const std::vector<Row> rows = {
      {"no such file", {.command = {"/no/such/program"}}, StartStage::kExecute, ENOENT},
      {"not in PATH", {.command = {"no-such-program"}, .environment = {{"PATH", root}}}, StartStage::kExecute, ENOENT},
      {"no mode to execute", {.command = {file}}, StartStage::kExecute, EACCES},
      {"no mode in PATH",
       {.command = {"weir-no-program"}, .environment = {{"PATH", root + ":/bin"}}},
       StartStage::kExecute,
       EACCES},
      {"a folder", {.command = {root}}, StartStage::kExecute, EACCES},
      {"no such directory", {.command = {"/bin/true"}, .directory = "/no/such"}, StartStage::kDirectory, ENOENT},
      {"no directory", {.command = {"/bin/true"}, .directory = file}, StartStage::kDirectory, ENOTDIR},
      {"no command", {}, StartStage::kRequest, EINVAL},
      {"a zero", {.command = {"/bin/true", std::string("a\0b", 3)}}, StartStage::kRequest, EINVAL},
      {"too much",
       {.command = {"/bin/true", std::string(process::kRequestBytesMax, 'x')}},
       StartStage::kRequest,
       E2BIG},
  };
  for (const Row& row : rows) {
    watched = {};
    Run(row.request);
    EXPECT_EQ(watched.end, (ProcessEnd{.kind = ProcessEnd::Kind::kNotStarted, .value = row.error, .stage = row.stage}))
        << row.name;
    EXPECT_EQ(watched.pid, 0) << row.name;
    EXPECT_EQ(watched.ends, 1) << row.name;
  }
  unlink(file.c_str());
  rmdir(folder);
}

TEST_F(ProcessClientTest, AFileOfNoFormatIsNoProgram) {
  char file[] = "/tmp/weir-process-XXXXXX";
  const int fd = mkstemp(file);
  ASSERT_EQ(fchmod(fd, 0700), 0);
  ASSERT_EQ(write(fd, "nothing", 7), 7);
  close(fd);
  Run({.command = {file}});
  EXPECT_EQ(watched.end,
            (ProcessEnd{.kind = ProcessEnd::Kind::kNotStarted, .value = ENOEXEC, .stage = StartStage::kExecute}));
  unlink(file);
}

TEST_F(ProcessClientTest, LimitsAreSet) {
  auto request = Shell("ulimit -n; ulimit -v; ulimit -t; ulimit -c; ulimit -f");
  request.limits = {.open_files = 77, .address_space_bytes = 1ULL << 30, .cpu_seconds = 9, .file_bytes = 512 * 20};
  Run(request);
  EXPECT_THAT(watched.output, ElementsAre("77", "1048576", "9", "0", "20"));
}

TEST_F(ProcessClientTest, ASignalReachesTheWholeGroup) {
  const auto id = client.Spawn(
      Shell("trap 'echo parent; wait; exit 4' TERM; (trap 'echo child; exit' TERM; echo up; sleep 60 & wait) & wait"),
      watched);
  ASSERT_TRUE(RunUntil(loop, [&] { return watched.output.size() == 1; }));
  client.Signal(id, SIGTERM);
  ASSERT_TRUE(RunUntil(loop, [&] { return watched.ends == 1; }));
  EXPECT_THAT(watched.output, ::testing::UnorderedElementsAre("up", "parent", "child"));
  client.Signal(id, SIGTERM);  // nobody is there any more
}

TEST_F(ProcessClientTest, EndAsksFirstAndKillsThen) {
  const auto polite =
      client.Spawn(Shell("trap 'echo asked; exit 5' TERM; echo up; while :; do sleep 0.01; done"), watched);
  ASSERT_TRUE(RunUntil(loop, [&] { return !watched.output.empty(); }));
  client.End(polite, 30s);
  ASSERT_TRUE(RunUntil(loop, [&] { return watched.ends == 1; }));
  EXPECT_EQ(watched.end, (ProcessEnd{.kind = ProcessEnd::Kind::kExited, .value = 5}));
  EXPECT_THAT(watched.output, ElementsAre("up", "asked"));

  Watched deaf;
  const auto stubborn = client.Spawn(Shell("trap '' TERM; echo up; while :; do sleep 0.01; done"), deaf);
  ASSERT_TRUE(RunUntil(loop, [&] { return !deaf.output.empty(); }));
  client.End(stubborn, 50ms);
  ASSERT_TRUE(RunUntil(loop, [&] { return deaf.ends == 1; }));
  EXPECT_EQ(deaf.end, (ProcessEnd{.kind = ProcessEnd::Kind::kSignaled, .value = SIGKILL}));
}

TEST_F(ProcessClientTest, ATimeoutEndsTheProcess) {
  auto request = Shell("trap '' TERM; sleep 60 & while :; do wait; done");
  request.timeout = 50ms;
  request.grace = 50ms;
  Run(request);
  EXPECT_EQ(watched.end, (ProcessEnd{.kind = ProcessEnd::Kind::kSignaled, .value = SIGKILL, .timed_out = true}));
}

TEST_F(ProcessClientTest, OutputIsBounded) {
  Run(Shell("i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done"));
  EXPECT_GE(watched.output.size(), 1'000U);
  EXPECT_LT(watched.output.size(), 5'000U);
  EXPECT_EQ(watched.output.size() + watched.dropped, 5'000U);
}

TEST_F(ProcessClientTest, AWriterWithoutEndWaitsAndOthersGoOn) {
  Watched endless;
  const auto id = client.Spawn(Shell("exec yes"), endless);
  ASSERT_TRUE(RunUntil(loop, [&] { return endless.output.size() >= 1'000; }));
  Run(Shell("echo here"));
  EXPECT_THAT(watched.output, ElementsAre("here"));
  client.End(id, 0ms);
  ASSERT_TRUE(RunUntil(loop, [&] { return endless.ends == 1; }));
  EXPECT_LT(endless.output.size(), 3'000U);
}

TEST_F(ProcessClientTest, WhatIsForgottenIsKilledAndSilent) {
  const auto id = client.Spawn(Shell("echo up; exec sleep 60"), watched);
  // What it writes may be there before the spawner has said that it was started.
  ASSERT_TRUE(RunUntil(loop, [&] { return !watched.output.empty() && watched.pid != 0; }));
  client.Forget(id);
  EXPECT_TRUE(RunUntil(loop, [&] { return !Exists(watched.pid); }));
  EXPECT_EQ(watched.ends, 0);
}

TEST_F(ProcessClientTest, WhoHearsOfAnEndMayForgetAllOthers) {
  Watched other;
  const auto first = client.Spawn(Shell("exit 0"), watched);
  const auto second = client.Spawn(Shell("exec sleep 60"), other);
  watched.on_end = [&] {
    client.Forget(first);
    client.Forget(second);
  };
  ASSERT_TRUE(RunUntil(loop, [&] { return watched.ends == 1 && client.size() == 0; }));
  EXPECT_EQ(other.ends, 0);
}

// ---- what is left behind

TEST_F(ProcessClientTest, TheGroupEndsWithItsLeader) {
  Run(Shell("sleep 60 & echo $!"));
  ASSERT_EQ(watched.output.size(), 1U);
  EXPECT_TRUE(WaitGone(std::stoi(watched.output[0])));
}

TEST_F(ProcessClientTest, WhoLeftTheSessionIsFoundAndKilled) {
  Run(Shell(
      "setsid sh -c 'echo $$; exec sleep 60' & setsid sh -c 'setsid sleep 60 & echo $!; exec sleep 60' & sleep 0.3"));
  ASSERT_EQ(watched.output.size(), 2U);
  for (const auto& pid : watched.output) EXPECT_TRUE(WaitGone(std::stoi(pid))) << pid;
}

TEST_F(ProcessClientTest, AnOrphanInAnotherSessionEndsWhileItsParentsParentLives) {
  const auto id = client.Spawn(Shell("sh -c 'setsid sleep 60 & echo $!'; exec sleep 60"), watched);
  ASSERT_TRUE(RunUntil(loop, [&] { return !watched.output.empty(); }));
  EXPECT_TRUE(WaitGone(std::stoi(watched.output[0])));
  EXPECT_EQ(watched.ends, 0);
  client.Forget(id);
}

TEST_F(ProcessClientTest, AnOrphanThatStaysInItsSessionLives) {
  const auto id = client.Spawn(Shell("sh -c 'sleep 61 & echo $!'; exec sleep 60"), watched);
  ASSERT_TRUE(RunUntil(loop, [&] { return !watched.output.empty(); }));
  // Another one whose end has the spawner look for orphans.
  Watched other;
  static_cast<void>(client.Spawn(Shell("exit 0"), other));
  ASSERT_TRUE(RunUntil(loop, [&] { return other.ends == 1; }));
  EXPECT_TRUE(Exists(std::stoi(watched.output[0])));
  client.Forget(id);
  EXPECT_TRUE(WaitGone(std::stoi(watched.output[0])));
}

TEST_F(ProcessClientTest, AThousandCrashesLeaveNothing) {
  std::list<Watched> all;
  std::size_t ended = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 20; ++i) {
      all.emplace_back().on_end = [&ended] { ++ended; };
      static_cast<void>(
          client.Spawn(Shell(i % 2 == 0 ? "kill -SEGV $$" : "setsid sleep 60 & kill -KILL $$"), all.back()));
    }
    ASSERT_TRUE(RunUntil(loop, [&] { return ended == all.size(); }));
  }
  for (const Watched& one : all) {
    EXPECT_EQ(one.end->kind, ProcessEnd::Kind::kSignaled);
    EXPECT_TRUE(WaitGone(one.pid));
  }
  // The spawner has no child left, and weir none but the spawner.
  EXPECT_TRUE(RunUntil(loop, [&] {
    std::ifstream children("/proc/" + std::to_string(client.spawner_pid()) + "/task/" +
                           std::to_string(client.spawner_pid()) + "/children");
    int child = 0;
    return !(children >> child);
  }));
  EXPECT_THAT(process::Children(), ElementsAre(client.spawner_pid()));
}

}  // namespace
}  // namespace weir::testing
