#pragma once

#include "net/event_loop.h"
#include "process/process_client.h"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::testing {

// What one process did.
class Watched final : public process::ProcessEvents {
 public:
  void OnStarted(pid_t started) override { pid = started; }
  void OnOutput(process::OutputStream stream, std::string_view line) override {
    (stream == process::OutputStream::kOutput ? output : error).emplace_back(line);
  }
  void OnOutputDropped(process::OutputStream /*stream*/, std::size_t lines) override { dropped += lines; }
  void OnEnded(const process::ProcessEnd& how) override {
    ++ends;
    end = how;
    if (on_end) on_end();
  }

  pid_t pid = 0;
  std::vector<std::string> output;
  std::vector<std::string> error;
  std::size_t dropped = 0;
  int ends = 0;
  std::optional<process::ProcessEnd> end;
  std::function<void()> on_end;
};

// Runs turns of the loop until the condition holds; false after a minute.
[[nodiscard]] bool RunUntil(net::EventLoop& loop, const std::function<bool()>& condition);
[[nodiscard]] std::shared_ptr<process::Spawner> StartTestSpawner();
// True while there is such a process, one that has ended and was not reaped included.
[[nodiscard]] bool Exists(pid_t pid);
// Waits until there is none; false after ten seconds.
[[nodiscard]] bool WaitGone(pid_t pid);

}  // namespace weir::testing
