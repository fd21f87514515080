#pragma once

#include "base/unique_fd.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "process/launch.h"
#include "process/message.h"
#include "process/process_tree.h"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace weir::process {

// The children of the spawner: starts them, watches their time, and takes their ends. What a child leaves behind is
// killed: its group with it, and what had left its session as soon as it comes to the spawner, which is a subreaper.
// The thread that uses it has SIGCHLD blocked. Thread: that of its loop.
class ChildTable final : private net::FdWatcher {
 public:
  using Tell = std::function<void(const Notice&)>;
  static constexpr std::size_t kChildrenMax = 4'096;

  // `tell` hears of each child what process/message.h says.
  ChildTable(net::EventLoop& loop, Tell tell);
  ~ChildTable();
  ChildTable(const ChildTable&) = delete;
  ChildTable& operator=(const ChildTable&) = delete;

  void Obey(const SpawnOrder& order, std::vector<UniqueFd> descriptors);
  void Obey(const SignalOrder& order);
  void Obey(const EndOrder& order);
  // Kills everything and returns when nothing is left, or after `kEndAllMax`. Nothing is told any more.
  void EndAll();

 private:
  static constexpr std::chrono::milliseconds kEndAllMax{5'000};
  // How often it is looked for those who have left their session while their parents live.
  static constexpr std::chrono::milliseconds kOrphansEvery{1'000};

  class Child;
  void OnEvents(std::uint32_t events) override;  // of the descriptor that tells SIGCHLD
  void ReapEnded();
  void OnChildEnded(const Ended& ended);
  void KillOrphans();
  void TellNotStarted(std::uint64_t child, StartFault fault);
  [[nodiscard]] Child* Find(std::uint64_t child);

  net::EventLoop& loop_;
  Tell tell_;
  UniqueFd signals_;
  std::unordered_map<pid_t, std::unique_ptr<Child>> children_;
  std::unordered_map<std::uint64_t, pid_t> pids_;
  net::CallbackTimer orphans_timer_;
};

}  // namespace weir::process
