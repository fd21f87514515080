#pragma once

// One program, the spawner, that starts, signals and reaps every child of weir, so that a program with many threads
// never forks. ProcessClient is what the rest of weir uses; docs/adr/0010 says why it is built so.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::process {

// Limits of one process, which its own children inherit (setrlimit(2)). Absent: as weir has it. Core files are never
// written.
struct Limits {
  std::optional<std::uint64_t> open_files = 1'024;
  std::optional<std::uint64_t> address_space_bytes = {};
  std::optional<std::uint64_t> cpu_seconds = {};
  std::optional<std::uint64_t> file_bytes = {};
  friend bool operator==(const Limits&, const Limits&) = default;
};

// What is to be started. All of it together is bounded by kRequestBytesMax, `input` aside.
struct SpawnRequest {
  // The program and its arguments, not empty. A program without a slash is looked for in the PATH of `environment`, one
  // that is not absolute otherwise in `directory`.
  std::vector<std::string> command = {};
  std::vector<std::pair<std::string, std::string>> environment = {};  // all of it: nothing is inherited
  std::string directory = {};                                         // to start in; empty: that of weir
  std::string input = {};                                             // on its standard input; empty: /dev/null
  Limits limits = {};
  std::chrono::milliseconds timeout{0};    // until it is ended; 0: never
  std::chrono::milliseconds grace{5'000};  // between SIGTERM and SIGKILL when it has timed out
};
inline constexpr std::size_t kRequestBytesMax = 120 * 1024;

// What failed before the program ran.
enum class StartStage : std::uint8_t { kRequest, kSpawner, kFork, kDirectory, kLimits, kInput, kExecute };

// How a process ended, or why there was none.
struct ProcessEnd {
  enum class Kind : std::uint8_t {
    kExited,      // `value` is its status
    kSignaled,    // `value` is the signal
    kNotStarted,  // `value` is an errno, exactly as the system gave it, and `stage` says of what
    kLost,        // the spawner has ended, and all processes with it
  };
  Kind kind = Kind::kExited;
  int value = 0;
  StartStage stage = StartStage::kExecute;
  bool timed_out = false;  // `timeout` had passed
  friend bool operator==(const ProcessEnd&, const ProcessEnd&) = default;
};
// `exit status 1`, `signal 9 (Killed)`, `cannot be executed: No such file or directory`, ...
[[nodiscard]] std::string ToString(const ProcessEnd& end);

}  // namespace weir::process
