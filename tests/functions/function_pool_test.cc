#include "functions/function_pool.h"

#include "process/process_tree.h"
#include "tests/process/process_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace weir::testing {
namespace {

using namespace std::chrono_literals;
using functions::FunctionPool;
using functions::InvokeFailure;
using functions::InvokeResult;
using functions::Program;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kHandlers = R"(
import os, subprocess, sys, time
count = 0
def echo(event, context):
    return event
def who(event, context):
    global count
    count += 1
    time.sleep(event or 0)
    return [os.getpid(), count]
def facts(event, context):
    return [context.function_name, context.function_version, context.invoked_function_arn,
            0 < context.get_remaining_time_in_millis() <= 30000, os.environ["TABLE"], os.getcwd() == os.environ["LAMBDA_TASK_ROOT"]]
def fail(event, context):
    raise ValueError("no luck")
def crash(event, context):
    os._exit(3)
def large(event, context):
    return "x" * (1 << 20)
def slow(event, context):
    print("sleeping", flush=True)
    time.sleep(60)
def leak(event, context):
    return subprocess.Popen(["setsid", "sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid
)";

class FunctionPoolTest : public ::testing::Test {
 protected:
  FunctionPoolTest() {
    char name[] = "/tmp/weir-functions-XXXXXX";
    folder = mkdtemp(name);
    Write("app.py", kHandlers);
  }
  ~FunctionPoolTest() override {
    pool.Stop();
    std::filesystem::remove_all(folder);
    EXPECT_TRUE(process::Children().empty());
  }

  void Write(const std::string& name, std::string_view text) const { std::ofstream(folder + "/" + name) << text; }
  [[nodiscard]] Program Python(const std::string& handler) const {
    Program program{.name = "shop", .version = "1", .region = "eu-west-1"};
    program.code.runtime = config::FunctionRuntime::kPython;
    program.code.handler = handler;
    program.code.root = folder;
    program.code.environment = {{"TABLE", "carts"}};
    return program;
  }
  [[nodiscard]] Program Shell(const std::string& script) const {
    auto program = Python("none");
    program.code.runtime.reset();
    program.code.command = {"/bin/sh", "-c", script};
    return program;
  }

  struct Outcome {
    std::unique_ptr<functions::Invocation> invocation;
    std::optional<InvokeResult> result;
  };
  Outcome& Begin(functions::FunctionInvoker& invoker, std::string event = "0") {
    Outcome& outcome = outcomes.emplace_back();
    outcome.invocation =
        invoker.Invoke(loop, std::move(event), [&outcome](InvokeResult result) { outcome.result = std::move(result); });
    EXPECT_FALSE(outcome.result);
    return outcome;
  }
  InvokeResult Wait(const Outcome& outcome) {
    EXPECT_TRUE(RunUntil(loop, [&] { return outcome.result.has_value(); }));
    return outcome.result.value_or(functions::Invoked{});
  }
  InvokeResult Call(functions::FunctionInvoker& invoker, std::string event = "0") {
    return Wait(Begin(invoker, std::move(event)));
  }
  static std::string Said(const InvokeResult& result) {
    return result ? result->response : std::string(ToString(result.error().failure)) + ": " + result.error().detail;
  }
  static void ExpectFailure(const InvokeResult& result, InvokeFailure failure, const std::string& detail) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().failure, failure) << result.error().detail;
    EXPECT_THAT(result.error().detail, HasSubstr(detail));
  }

  std::string folder;
  functions::InstanceTimes times{.end_grace = 50ms, .back_off_first = 50ms, .back_off_max = 200ms};
  std::shared_ptr<process::Spawner> spawner = StartTestSpawner();
  pid_t spawner_pid = spawner->pid();
  FunctionPool pool{std::move(spawner), times};
  net::EventLoop loop;
  std::list<Outcome> outcomes;
};

TEST_F(FunctionPoolTest, AHandlerWrittenForAwsRuns) {
  const auto echo = pool.Invoker(Python("app.echo"));
  EXPECT_EQ(Said(Call(*echo, R"({"a": [1, "ü"]})")), R"({"a": [1, "\u00fc"]})");
  const auto facts = pool.Invoker(Python("app.facts"));
  EXPECT_EQ(Said(Call(*facts)),
            R"(["shop", "1", "arn:aws:lambda:eu-west-1:000000000000:function:shop:1", true, "carts", true])");
}

TEST_F(FunctionPoolTest, AnInstanceIsKeptWarm) {
  const auto who = pool.Invoker(Python("app.who"));
  const auto first = Said(Call(*who));
  const auto second = Said(Call(*who));
  EXPECT_THAT(first, HasSubstr(", 1]"));
  EXPECT_EQ(second, first.substr(0, first.find(',')) + ", 2]");
}

TEST_F(FunctionPoolTest, FailuresHaveTheirKinds) {
  ExpectFailure(Call(*pool.Invoker(Python("app.fail"))), InvokeFailure::kFunctionError, "ValueError: no luck");
  ExpectFailure(Call(*pool.Invoker(Python("app.crash"))), InvokeFailure::kFunctionError,
                "Runtime.ExitError: exit status 3");
  ExpectFailure(Call(*pool.Invoker(Python("app.large"))), InvokeFailure::kTooLarge, "1048576");
  ExpectFailure(Call(*pool.Invoker(Python("app.none"))), InvokeFailure::kFunctionError, "Runtime.HandlerNotFound");
  ExpectFailure(Call(*pool.Invoker(Python("none.none"))), InvokeFailure::kFunctionError, "Runtime.ImportModuleError");
  ExpectFailure(Call(*pool.Invoker(Shell("exit 7"))), InvokeFailure::kFunctionError, "exit status 7");
  auto nothing = Shell("");
  nothing.code.command = {"./none"};
  ExpectFailure(Call(*pool.Invoker(nothing)), InvokeFailure::kUnreachable, "No such file or directory");
  auto nowhere = Python("app.echo");
  nowhere.code.root = folder + "/none";
  ExpectFailure(Call(*pool.Invoker(nowhere)), InvokeFailure::kUnreachable, "its directory cannot be entered");
}

TEST_F(FunctionPoolTest, AfterAFailureTheNextInvocationIsServed) {
  Write(
      "moody.py",
      "import os\ndef h(event, context):\n  if event == 'crash': os._exit(1)\n  if event == 'fail': raise KeyError()\n"
      "  return 'x' * (1 << 20) if event == 'large' else event\n");
  const auto moody = pool.Invoker(Python("moody.h"));
  for (const std::string mood : {"crash", "fail", "large", "crash", "crash"}) {
    EXPECT_FALSE(Call(*moody, "\"" + mood + "\"")) << mood;
    EXPECT_EQ(Said(Call(*moody, "\"well\"")), "\"well\"") << mood;
  }
}

TEST_F(FunctionPoolTest, AnInvocationTimesOutAndTheInstanceWithIt) {
  auto program = Python("app.slow");
  program.code.timeout = 100ms;
  const auto slow = pool.Invoker(program);
  ExpectFailure(Call(*slow), InvokeFailure::kTimeout, "Task timed out after 0.10 seconds");
  ExpectFailure(Call(*slow), InvokeFailure::kTimeout, "Task timed out");
}

TEST_F(FunctionPoolTest, NoMoreInstancesThanAllowedAndEverybodyIsServed) {
  auto program = Python("app.who");
  program.code.concurrency = 3;
  const auto who = pool.Invoker(program);
  for (int i = 0; i < 200; ++i) static_cast<void>(Begin(*who, "0.001"));
  std::set<std::string> pids;
  for (const auto& outcome : outcomes) {
    const auto said = Said(Wait(outcome));
    EXPECT_THAT(said, StartsWith("["));
    pids.insert(said.substr(0, said.find(',')));
  }
  EXPECT_LE(pids.size(), 3U);
  EXPECT_GE(pids.size(), 1U);
}

TEST_F(FunctionPoolTest, WhatDoesNotFitIntoTheQueueIsRefused) {
  auto program = Python("app.slow");
  program.code.concurrency = 1;
  const auto slow = pool.Invoker(program);
  for (std::size_t i = 0; i < functions::kQueueMax + 50; ++i) static_cast<void>(Begin(*slow));
  ExpectFailure(Wait(outcomes.back()), InvokeFailure::kThrottled, "");
  EXPECT_FALSE(outcomes.front().result);
}

TEST_F(FunctionPoolTest, WhatIsForgottenIsNotTold) {
  const auto who = pool.Invoker(Python("app.who"));
  Outcome& forgotten = Begin(*who, "0.05");
  forgotten.invocation.reset();
  EXPECT_TRUE(Call(*who));
  EXPECT_FALSE(forgotten.result);
}

TEST_F(FunctionPoolTest, AStartThatFailsIsNotRepeatedWithoutEnd) {
  const auto failing = pool.Invoker(Shell("echo >> starts; exit 1"));
  const auto until = std::chrono::steady_clock::now() + 400ms;
  int calls = 0;
  while (std::chrono::steady_clock::now() < until) {
    ExpectFailure(Call(*failing), InvokeFailure::kFunctionError, "exit status 1");
    ++calls;
  }
  std::ifstream file(folder + "/starts");
  const auto starts = std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  EXPECT_GT(calls, starts);
  EXPECT_LE(starts, 8);
  // Once it is mended, it is started again.
  const auto mended = pool.Invoker(Python("late.h"));
  EXPECT_FALSE(Call(*mended));
  Write("late.py", "def h(event, context): return 'late'\n");
  EXPECT_TRUE(RunUntil(loop, [&] { return Said(Call(*mended)) == "\"late\""; }));
}

TEST_F(FunctionPoolTest, TheNextEqualProgramHasTheSameInstances) {
  auto first = pool.Invoker(Python("app.who"));
  const auto before = Said(Call(*first));
  auto second = pool.Invoker(Python("app.who"));
  EXPECT_EQ(first, second);
  first.reset();
  EXPECT_EQ(Said(Call(*second)), before.substr(0, before.find(',')) + ", 2]");
}

TEST_F(FunctionPoolTest, AProgramThatNobodyHoldsFinishesAndEnds) {
  auto who = pool.Invoker(Python("app.who"));
  Outcome& last = Begin(*who, "0.2");
  who.reset();
  const auto said = Said(Wait(last));
  EXPECT_THAT(said, StartsWith("["));
  EXPECT_TRUE(WaitGone(std::stoi(said.substr(1))));
}

TEST_F(FunctionPoolTest, ASpawnerThatIsKilledIsSurvived) {
  const auto who = pool.Invoker(Python("app.who"));
  EXPECT_TRUE(Call(*who));
  // Later than the first moment at which a spawner may be replaced at once.
  const auto later = std::chrono::steady_clock::now() + 1'100ms;
  ASSERT_TRUE(RunUntil(loop, [&] { return std::chrono::steady_clock::now() > later; }));
  const Outcome& under_way = Begin(*who, "30");
  const auto started = std::chrono::steady_clock::now() + 100ms;
  ASSERT_TRUE(RunUntil(loop, [&] { return std::chrono::steady_clock::now() > started; }));
  kill(spawner_pid, SIGKILL);
  ExpectFailure(Wait(under_way), InvokeFailure::kFunctionError, "Runtime.ExitError");
  EXPECT_THAT(Said(Call(*who)), StartsWith("["));
}

TEST_F(FunctionPoolTest, WhatAFunctionLeavesBehindEndsWithIt) {
  auto leak = pool.Invoker(Python("app.leak"));
  const int pid = std::stoi(Said(Call(*leak)));
  EXPECT_TRUE(Exists(pid));
  leak.reset();
  EXPECT_TRUE(WaitGone(pid));
}

class ImpatientPoolTest : public FunctionPoolTest {
 protected:
  FunctionPool impatient{StartTestSpawner(),
                         {.init_timeout = 300ms, .idle_max = 200ms, .end_grace = 50ms, .back_off_first = 50ms}};
  ~ImpatientPoolTest() override { impatient.Stop(); }
};

TEST_F(ImpatientPoolTest, AStartTimesOut) {
  ExpectFailure(Call(*impatient.Invoker(Shell("exec sleep 60"))), InvokeFailure::kTimeout,
                "Init timed out after 0.30 seconds");
}

TEST_F(ImpatientPoolTest, AnIdleInstanceEnds) {
  Write("quick.py", "import os\ndef h(event, context): return os.getpid()\n");
  auto quick = pool.Invoker(Python("quick.h"));
  FunctionPool idle{StartTestSpawner(), {.idle_max = 200ms, .end_grace = 50ms}};
  quick = idle.Invoker(Python("quick.h"));
  const int pid = std::stoi(Said(Call(*quick)));
  EXPECT_TRUE(WaitGone(pid));
  EXPECT_NE(Said(Call(*quick)), std::to_string(pid));
  idle.Stop();
}

}  // namespace
}  // namespace weir::testing
