#include "app/file_watcher.h"

#include "base/log.h"
#include "config/document/sources.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace weir::app {
namespace {

namespace fs = std::filesystem;

// Not IN_MODIFY: an access log beside the configuration would wake us with every line.
constexpr std::uint32_t kDirectoryEvents =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kFileEvents = IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF | IN_MASK_ADD;
// Along a chain of links; the system itself gives up after 40.
constexpr int kLinksMax = 40;

// The clock that the kernel takes the times of files from, as coarse as they are.
std::int64_t FileClock() {
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * kNanoseconds + now.tv_nsec;
}

// Whether content, name or place of the file changed after `moment`.
bool ChangedAfter(const std::string& path, std::int64_t moment) {
  const FileStamp stamp = StampOf(path);
  return stamp.size >= 0 && stamp.changed_ns > moment;
}

// Owner and mode are no content. What is in a directory changes its size and time, and is no change of what it is.
FileStamp ContentStampOf(const std::string& path) {
  FileStamp stamp = StampOf(path);
  stamp.changed_ns = 0;
  if (stamp.is_directory) stamp.size = stamp.modified_ns = 0;
  return stamp;
}

fs::path DirectoryOf(const fs::path& path) {
  fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

// The directory, or the nearest one above that exists: there the missing one will appear. And along the way up those
// that hold a link: `..data` of a mounted volume is replaced by rename.
void AddDirectory(fs::path directory, std::set<std::string>& out) {
  std::error_code error;
  while (!fs::is_directory(directory, error) && directory != DirectoryOf(directory)) directory = DirectoryOf(directory);
  out.insert(directory.string());
  for (int hops = 0; hops < kLinksMax && !directory.empty() && directory != directory.parent_path(); ++hops) {
    if (fs::is_symlink(directory, error)) out.insert(DirectoryOf(directory).string());
    directory = directory.parent_path();
  }
}

// The directories in which a change of `file` shows: its own, and along a chain of links that of each target.
void AddDirectories(const std::string& file, std::set<std::string>& out) {
  std::error_code error;
  fs::path path = file;
  AddDirectory(DirectoryOf(path), out);
  for (int hops = 0; hops < kLinksMax && fs::is_symlink(path, error); ++hops) {
    const fs::path target = fs::read_symlink(path, error);
    if (error) break;
    path = target.is_absolute() ? target : path.parent_path() / target;
    AddDirectory(DirectoryOf(path), out);
  }
  const fs::path real = fs::weakly_canonical(file, error);
  if (!error) AddDirectory(DirectoryOf(real), out);
}

bool HasWildcard(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

// The directories in which something may appear that matches: each level of the pattern that exists, from its last
// directory up to the first one that no wildcard stands for.
void AddDirectoriesOfPattern(const std::string& pattern, std::set<std::string>& out) {
  for (fs::path level = DirectoryOf(pattern);; level = DirectoryOf(level)) {
    const bool wild = HasWildcard(level.string());
    bool exists = false;
    for (const auto& match : config::MatchingPaths(level.string()).value_or(std::vector<std::string>{})) {
      std::error_code error;
      if (!fs::is_directory(match, error)) continue;
      AddDirectory(match, out);
      exists = true;
    }
    if ((!wild && exists) || level == DirectoryOf(level)) return;
  }
}

}  // namespace

FileWatcher::FileWatcher(net::EventLoop& loop, std::function<void()> on_change, std::chrono::milliseconds poll_interval)
    : loop_(loop),
      on_change_(std::move(on_change)),
      poll_interval_(poll_interval),
      inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      quiet_([this] { OnQuiet(); }),
      poll_([this] { OnPoll(); }) {
  if (!inotify_.valid() || !loop_.WatchLevel(inotify_.get(), EPOLLIN, *this)) {
    LogWarning("changed files are noticed after some seconds only reason=\"" + std::string(std::strerror(errno)) +
               "\"");
  }
  loop_.timers().Schedule(poll_, loop_.now() + poll_interval_);
}

FileWatcher::~FileWatcher() {
  if (inotify_.valid()) loop_.Unwatch(inotify_.get(), *this);
}

FileWatcher::Stamps FileWatcher::TakeStamps() const {
  Stamps out;
  for (const auto& file : paths_.files) out[file] = ContentStampOf(file);
  for (const auto& pattern : paths_.patterns) {
    for (const auto& file : config::MatchingPaths(pattern).value_or(std::vector<std::string>{})) {
      out.try_emplace(file, ContentStampOf(file));
    }
  }
  return out;
}

void FileWatcher::NoteState() {
  noted_ns_ = FileClock();
  stamps_ = TakeStamps();
}

void FileWatcher::Watch(WatchedPaths paths) {
  paths_ = std::move(paths);
  // Before the files are looked at: what happens from here on is told.
  RenewWatches();
  auto stamps = TakeStamps();
  for (auto& [path, stamp] : stamps) {
    // A file that changed while it was read must not look as if that were what was read.
    if (const auto noted = stamps_.find(path); noted != stamps_.end()) {
      stamp = noted->second;
    } else if (ChangedAfter(path, noted_ns_)) {
      stamp = {};
    }
  }
  stamps_ = std::move(stamps);
  if (TakeStamps() != stamps_) AwaitQuiet();
}

void FileWatcher::RenewWatches() {
  if (!inotify_.valid()) return;
  std::set<std::string> directories;
  for (const auto& file : paths_.files) AddDirectories(file, directories);
  for (const auto& pattern : paths_.patterns) AddDirectoriesOfPattern(pattern, directories);
  std::set<std::string> files;
  for (const auto& [file, stamp] : TakeStamps()) {
    if (stamp.size < 0) continue;
    files.insert(file);
    AddDirectories(file, directories);
  }
  std::set<int> watches;
  AddWatches(directories, kDirectoryEvents, watches);
  AddWatches(files, kFileEvents, watches);
  for (const int watch : watches_) {
    // Fails for those that ended with their file.
    if (!watches.contains(watch)) inotify_rm_watch(inotify_.get(), watch);
  }
  watches_ = std::move(watches);
}

void FileWatcher::AddWatches(const std::set<std::string>& paths, std::uint32_t events, std::set<int>& out) {
  for (const auto& path : paths) {
    // Adding a watch that is there gives the same descriptor.
    const int watch = inotify_add_watch(inotify_.get(), path.c_str(), events);
    if (watch >= 0) {
      out.insert(watch);
    } else if (errno == ENOSPC && !std::exchange(refused_, true)) {
      LogWarning("some changed files are noticed after some seconds only path=" + path +
                 " reason=\"fs.inotify.max_user_watches is reached\"");
    }
  }
}

void FileWatcher::OnEvents(std::uint32_t /*events*/) {
  // What the events say is not needed, only that there were some.
  alignas(inotify_event) std::array<char, 4096> buffer;
  while (read(inotify_.get(), buffer.data(), buffer.size()) > 0) {
  }
  AwaitQuiet();
}

void FileWatcher::AwaitQuiet() {
  if (!quiet_.scheduled()) first_event_ = loop_.now();
  loop_.timers().Schedule(quiet_, std::min(loop_.now() + kQuietTime, first_event_ + kWaitMax));
}

void FileWatcher::OnQuiet() {
  // Directories may have come or been replaced, and what they hold before they were watched is seen now.
  RenewWatches();
  auto stamps = TakeStamps();
  if (stamps == stamps_) return;
  stamps_ = std::move(stamps);
  on_change_();
}

void FileWatcher::OnPoll() {
  loop_.timers().Schedule(poll_, loop_.now() + poll_interval_);
  if (!quiet_.scheduled() && TakeStamps() != stamps_) AwaitQuiet();
}

}  // namespace weir::app
