#include "process/spawn_request.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

namespace weir::process {
namespace {

TEST(SpawnRequestTest, EndsAreSaidInWords) {
  using enum ProcessEnd::Kind;
  EXPECT_EQ(ToString(ProcessEnd{.kind = kExited, .value = 3}), "exit status 3");
  EXPECT_EQ(ToString(ProcessEnd{.kind = kSignaled, .value = SIGKILL, .timed_out = true}),
            "signal 9 (Killed) after its time-out");
  EXPECT_EQ(ToString(ProcessEnd{.kind = kNotStarted, .value = ENOENT, .stage = StartStage::kDirectory}),
            "its directory cannot be entered: No such file or directory");
  EXPECT_EQ(ToString(ProcessEnd{.kind = kNotStarted, .value = EACCES, .stage = StartStage::kExecute}),
            "cannot be executed: Permission denied");
  EXPECT_EQ(ToString(ProcessEnd{.kind = kLost}), "the process that had started it ended");
}

}  // namespace
}  // namespace weir::process
