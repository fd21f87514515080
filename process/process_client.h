#pragma once

#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "process/message.h"
#include "process/message_socket.h"
#include "process/spawn_request.h"
#include "process/spawner.h"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::process {

// A child of the spawner, of all that a client has ever asked for.
struct ProcessId {
  std::uint64_t value = 0;
  friend bool operator==(ProcessId, ProcessId) = default;
};

enum class OutputStream : std::uint8_t { kOutput, kError };

// Who hears of one process.
class ProcessEvents {
 public:
  // Its program runs.
  virtual void OnStarted(pid_t /*pid*/) {}
  // A line that it wrote, without its end; OutputLines says what bounds them. OnOutputDropped: so many more were
  // written.
  virtual void OnOutput(OutputStream /*stream*/, std::string_view /*line*/) {}
  virtual void OnOutputDropped(OutputStream /*stream*/, std::size_t /*lines*/) {}
  // It has ended and was reaped, or it was never started. Once, last; what it wrote was told before.
  virtual void OnEnded(const ProcessEnd& end) = 0;

 protected:
  ~ProcessEvents() = default;
};

// Has processes started, signalled and ended by the spawner. Every one is the leader of a group of its own, gets
// exactly the environment that was asked for, and is killed with all of its group when weir or the spawner ends. When
// the spawner ends, all of its processes have ended (kLost), what they leave behind is killed here, and another spawner
// is started. Thread: that of its loop.
class ProcessClient final : private MessageSocketEvents {
 public:
  // The only one that uses `spawner` from now on.
  ProcessClient(net::EventLoop& loop, std::shared_ptr<Spawner> spawner);
  // Ends all processes, through the end of the spawner; their events hear nothing more.
  ~ProcessClient();
  ProcessClient(const ProcessClient&) = delete;
  ProcessClient& operator=(const ProcessClient&) = delete;

  // Starts a process. `events` outlives it or is told to Forget; none is called before this returns.
  [[nodiscard]] ProcessId Spawn(const SpawnRequest& request, ProcessEvents& events);
  // To the group of the process; nothing when it has ended.
  void Signal(ProcessId process, int number);
  // SIGTERM to the group, and SIGKILL after `grace`; SIGKILL at once when that is 0. OnEnded follows.
  void End(ProcessId process, std::chrono::milliseconds grace);
  // Kills it, and its events hear nothing more.
  void Forget(ProcessId process);
  // Of processes that have not ended.
  [[nodiscard]] std::size_t size() const { return processes_.size(); }
  // For tests and logs; 0 when there is none.
  [[nodiscard]] pid_t spawner_pid() const { return spawner_->pid(); }

 private:
  // How soon after a spawner was started the next one may be.
  static constexpr std::chrono::milliseconds kRestartEvery{1'000};
  static constexpr std::chrono::milliseconds kSweepEvery{20};

  class Process;
  class Connection;
  // Tells those that could not be started.
  class Failures final : public net::Task {
   public:
    explicit Failures(ProcessClient& client) : client_(client) {}
    void RunTask() override { client_.TellFailures(); }

   private:
    ProcessClient& client_;
  };
  void OnMessage(std::string_view message, std::vector<UniqueFd> descriptors) override;
  void OnClosed() override;
  void Connect();
  void Restart();
  void Sweep();
  void TellFailures();
  void Fail(ProcessId process, StartStage stage, int error);
  void Finish(std::uint64_t child, const ProcessEnd& end);

  net::EventLoop& loop_;
  std::shared_ptr<Spawner> spawner_;
  std::unique_ptr<Connection> connection_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Process>> processes_;
  std::uint64_t last_ = 0;
  std::vector<EndedNotice> failures_;
  Failures failures_task_;
  SteadyTime started_;
  net::CallbackTimer restart_timer_;
  net::CallbackTimer sweep_timer_;
};

}  // namespace weir::process
