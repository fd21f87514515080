#pragma once

#include "base/clock.h"
#include "base/file.h"
#include "base/unique_fd.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace weir::app {

// What a configuration consists of, as paths.
struct WatchedPaths {
  std::vector<std::string> files = {};     // that were read, or should have been
  std::vector<std::string> patterns = {};  // config::MatchingPaths: whatever matches belongs to the configuration
};

// Tells when one of a set of files changed: written and closed, replaced by rename, removed, or made anew; also through
// symbolic links to files and directories, or when a file comes to match a pattern, in a directory that need not exist
// yet. Nothing else counts, whatever lies beside them. inotify watches the directories, and the files themselves, which
// may be mounted one by one and written through another directory; its events are only hints: after a quiet moment the
// files are compared with what they were. The same is done now and then without a hint, for file systems whose changes
// come from elsewhere (NFS). Thread: that of its loop.
class FileWatcher final : private net::FdWatcher {
 public:
  static constexpr std::chrono::milliseconds kQuietTime{100};
  static constexpr std::chrono::milliseconds kWaitMax{1'000};  // when it never becomes quiet
  static constexpr std::chrono::milliseconds kPollInterval{10'000};

  // `on_change` may call Watch, but not destroy the watcher.
  FileWatcher(net::EventLoop& loop, std::function<void()> on_change,
              std::chrono::milliseconds poll_interval = kPollInterval);
  ~FileWatcher();
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;

  // The files are about to be read: what they are now is what later states are compared with. Of a file that is not
  // watched yet, a change after this moment is told once it is.
  void NoteState();
  // Replaces what is watched. What was watched before keeps the state that was noted.
  void Watch(WatchedPaths paths);

 private:
  using Stamps = std::map<std::string, FileStamp>;

  void OnEvents(std::uint32_t events) override;
  void OnQuiet();
  void OnPoll();
  void AwaitQuiet();
  // Watches what the paths need as the file system is now.
  void RenewWatches();
  void AddWatches(const std::set<std::string>& paths, std::uint32_t events, std::set<int>& out);
  [[nodiscard]] Stamps TakeStamps() const;

  net::EventLoop& loop_;
  std::function<void()> on_change_;
  std::chrono::milliseconds poll_interval_;
  UniqueFd inotify_;
  std::set<int> watches_;  // inotify's descriptors
  bool refused_ = false;   // the system gave fewer watches than were asked for; said once
  WatchedPaths paths_;
  Stamps stamps_;
  // When NoteState was called, by the clock of the file system.
  std::int64_t noted_ns_ = std::numeric_limits<std::int64_t>::max();
  net::CallbackTimer quiet_;
  net::CallbackTimer poll_;
  SteadyTime first_event_;
};

}  // namespace weir::app
