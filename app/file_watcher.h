#pragma once

#include "base/unique_fd.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace weir::app {

// Tells when one of a set of files changed: written and closed, replaced by rename, removed, or made anew; also through
// symbolic links to files and directories. inotify watches the directories; its events are only hints: after a quiet
// moment the files are compared with what they were. Files that turn up beside the watched ones with the ending `.yaml`
// or `.yml` count too: an include pattern may name them. Thread: that of its loop.
class FileWatcher final : private net::FdWatcher {
 public:
  static constexpr std::chrono::milliseconds kQuietTime{100};
  static constexpr std::chrono::milliseconds kWaitMax{1'000};  // when it never becomes quiet

  // `on_change` may call Watch.
  FileWatcher(net::EventLoop& loop, std::function<void()> on_change);
  ~FileWatcher();
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;

  // The files are about to be read: what they are now is what later states are compared with.
  void NoteState() { stamps_ = TakeStamps(); }
  // Replaces the set of files. Those that were watched before keep the state that was noted.
  void Watch(const std::vector<std::string>& files);

 private:
  // What tells one content from another without reading it.
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;  // -1: there is no such file
    std::int64_t modified_ns = 0;
    friend auto operator<=>(const Stamp&, const Stamp&) = default;
  };
  using Stamps = std::map<std::string, Stamp>;

  void OnEvents(std::uint32_t events) override;
  void OnQuiet();
  [[nodiscard]] static Stamp StampOf(const std::string& path);
  [[nodiscard]] Stamps TakeStamps() const;

  net::EventLoop& loop_;
  std::function<void()> on_change_;
  UniqueFd inotify_;
  std::map<std::string, int> directories_;  // watch descriptors
  std::set<std::string> files_;
  Stamps stamps_;
  net::CallbackTimer quiet_;
  SteadyTime first_event_;
};

}  // namespace weir::app
