#include "app/file_watcher.h"

#include "base/log.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace weir::app {
namespace {

namespace fs = std::filesystem;

// Not IN_MODIFY: an access log beside the configuration would wake us with every line.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE;

std::string DirectoryOf(const fs::path& path) {
  const auto parent = path.parent_path();
  return parent.empty() ? "." : parent.string();
}

bool LooksLikeConfiguration(const fs::path& path) {
  const auto ending = path.extension();
  return (ending == ".yaml" || ending == ".yml") && !path.filename().string().starts_with('.');
}

// The directories in which a change of `file` shows: its own, and along a chain of links that of each target.
void AddDirectories(const std::string& file, std::set<std::string>& out) {
  std::error_code error;
  fs::path path = file;
  out.insert(DirectoryOf(path));
  for (int hops = 0; hops < 8 && fs::is_symlink(path, error); ++hops) {
    const fs::path target = fs::read_symlink(path, error);
    if (error) break;
    path = target.is_absolute() ? target : path.parent_path() / target;
    out.insert(DirectoryOf(path));
  }
  // A link among the directories: `..data` of a mounted volume is replaced by rename in the directory above.
  const fs::path real = fs::weakly_canonical(file, error);
  if (!error) out.insert(DirectoryOf(real));
  fs::path directory = fs::path(file).parent_path();
  for (int hops = 0; hops < 8 && !directory.empty(); ++hops) {
    if (fs::is_symlink(directory, error)) out.insert(DirectoryOf(directory));
    if (directory == directory.parent_path()) break;
    directory = directory.parent_path();
  }
}

}  // namespace

FileWatcher::FileWatcher(net::EventLoop& loop, std::function<void()> on_change)
    : loop_(loop),
      on_change_(std::move(on_change)),
      inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      quiet_([this] { OnQuiet(); }) {
  if (!inotify_.valid() || !loop_.WatchLevel(inotify_.get(), EPOLLIN, *this)) {
    LogWarning("changed files are not noticed, SIGHUP still reloads reason=\"" + std::string(std::strerror(errno)) +
               "\"");
  }
}

FileWatcher::~FileWatcher() {
  if (inotify_.valid()) loop_.Unwatch(inotify_.get(), *this);
}

FileWatcher::Stamp FileWatcher::StampOf(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return {};
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .modified_ns = status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

FileWatcher::Stamps FileWatcher::TakeStamps() const {
  Stamps out;
  std::set<std::string> parents;
  for (const auto& file : files_) {
    out[file] = StampOf(file);
    parents.insert(DirectoryOf(file));
  }
  for (const auto& parent : parents) {
    std::error_code error;
    for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
      if (LooksLikeConfiguration(entry->path())) out[entry->path().string()] = StampOf(entry->path().string());
    }
  }
  return out;
}

void FileWatcher::Watch(const std::vector<std::string>& files) {
  files_ = {files.begin(), files.end()};
  std::set<std::string> wanted;
  for (const auto& file : files_) AddDirectories(file, wanted);
  for (auto entry = directories_.begin(); entry != directories_.end();) {
    if (wanted.contains(entry->first)) {
      ++entry;
      continue;
    }
    inotify_rm_watch(inotify_.get(), entry->second);
    entry = directories_.erase(entry);
  }
  for (const auto& directory : wanted) {
    // Adding a watch that is there gives the same descriptor, also when the directory itself was replaced.
    const int watch = inotify_add_watch(inotify_.get(), directory.c_str(), kEvents);
    if (watch >= 0) directories_[directory] = watch;
  }
  auto stamps = TakeStamps();
  for (auto& [path, stamp] : stamps) {
    // A file that changed while it was read must not look as if that were what was read.
    if (const auto noted = stamps_.find(path); noted != stamps_.end()) stamp = noted->second;
  }
  stamps_ = std::move(stamps);
}

void FileWatcher::OnEvents(std::uint32_t /*events*/) {
  // What the events say is not needed, only that there were some.
  alignas(inotify_event) std::array<char, 4096> buffer;
  while (read(inotify_.get(), buffer.data(), buffer.size()) > 0) {
  }
  if (!quiet_.scheduled()) first_event_ = loop_.now();
  loop_.timers().Schedule(quiet_, std::min(loop_.now() + kQuietTime, first_event_ + kWaitMax));
}

void FileWatcher::OnQuiet() {
  auto stamps = TakeStamps();
  if (stamps == stamps_) return;
  stamps_ = std::move(stamps);
  on_change_();
}

}  // namespace weir::app
