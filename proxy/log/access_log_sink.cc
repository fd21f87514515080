#include "proxy/log/access_log_sink.h"

#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace weir::proxy {
namespace {

std::uint64_t CountLines(const std::string& lines) {
  return static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
}

UniqueFd OpenForAppending(const std::string& path) {
  // A FIFO that nobody reads would hold up whoever opens it: that is an error instead (ENXIO).
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644));
  if (fd.valid()) ::fcntl(fd.get(), F_SETFL, O_APPEND);
  return fd;
}

bool WriteAll(int fd, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t got = ::write(fd, text.data() + written, text.size() - written);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    written += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

AccessLogSinks::AccessLogSinks() : thread_([this] { Run(); }) {}

AccessLogSinks::~AccessLogSinks() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Result<void> AccessLogSinks::Open(const std::string& path, std::string_view noun) {
  if (path == "-") return {};
  {
    const std::lock_guard lock(mutex_);
    if (known_paths_.contains(path)) return {};
  }
  // Workers do not wait for the file system: it is opened without the lock.
  UniqueFd fd = OpenForAppending(path);
  if (!fd.valid()) {
    return Failure("cannot write " + std::string(noun) + " " + path + ": " + std::strerror(errno),
                   "the directory must exist, and the file be writable for the user that weir runs as");
  }
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({.kind = Batch::Kind::kOpened, .path = path, .lines = {}, .kept = {}, .fd = std::move(fd)});
    known_paths_.insert(path);
  }
  changed_.notify_one();
  return {};
}

void AccessLogSinks::CloseOthers(Kept kept) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(known_paths_, [&](const auto& path) { return !kept.contains(path); });
    queue_.push_back({.kind = Batch::Kind::kCloseOthers, .path = {}, .lines = {}, .kept = std::move(kept), .fd = {}});
  }
  changed_.notify_one();
}

std::string AccessLogSinks::Submit(const std::string& path, std::string lines) {
  std::string next;
  {
    const std::lock_guard lock(mutex_);
    if (queued_bytes_ + lines.size() > kQueuedBytesMax) {
      dropped_lines_ += CountLines(lines);
      lines.clear();
      return lines;
    }
    queued_bytes_ += lines.size();
    queue_.push_back({.kind = Batch::Kind::kLines, .path = path, .lines = std::move(lines), .kept = {}, .fd = {}});
    if (!spare_.empty()) {
      next = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  changed_.notify_one();
  return next;
}

void AccessLogSinks::Reopen() {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({.kind = Batch::Kind::kReopen, .path = {}, .lines = {}, .kept = {}, .fd = {}});
  }
  changed_.notify_one();
}

std::uint64_t AccessLogSinks::dropped_lines() const {
  const std::lock_guard lock(mutex_);
  return dropped_lines_;
}

void AccessLogSinks::Run() {
  for (;;) {
    std::vector<Batch> batches;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      batches.swap(queue_);
      queued_bytes_ = 0;
    }
    for (Batch& batch : batches) CarryOut(batch);
    const std::lock_guard lock(mutex_);
    for (Batch& batch : batches) {
      if (batch.kind != Batch::Kind::kLines || spare_.size() == kSpareMax) continue;
      batch.lines.clear();
      spare_.push_back(std::move(batch.lines));
    }
  }
}

void AccessLogSinks::CarryOut(Batch& batch) {
  switch (batch.kind) {
    case Batch::Kind::kOpened:
      left_.erase(batch.path);
      TakeOver(files_[batch.path], std::move(batch.fd));
      return;
    case Batch::Kind::kLines:
      Write(batch.path, batch.lines);
      // Requests that outlived the configuration with this log.
      if (left_.contains(batch.path)) files_.erase(batch.path);
      return;
    case Batch::Kind::kReopen:
      return ReopenAll();
    case Batch::Kind::kCloseOthers:
      std::erase_if(files_, [&](const auto& file) {
        const bool leaves = !batch.kept.contains(file.first);
        if (leaves) left_.insert(file.first);
        return leaves;
      });
      for (auto& [path, rotation] : batch.kept) {
        if (const auto found = files_.find(path); found != files_.end()) found->second.rotation = rotation;
      }
      return;
  }
}

void AccessLogSinks::ReopenAll() {
  for (auto& [path, file] : files_) {
    if (!file.fd.valid()) continue;  // standard output, or one that its next batch opens
    UniqueFd fd = OpenForAppending(path);
    if (fd.valid()) {
      TakeOver(file, std::move(fd));
    } else {
      LogError("access log cannot be opened anew, the old file is written path=" + path + " reason=\"" +
               std::strerror(errno) + "\"");
    }
  }
}

// Also what a file has of an earlier run is put aside when it is due.
void AccessLogSinks::TakeOver(File& file, UniqueFd fd) const {
  struct stat facts{};
  const bool known = fd.valid() && ::fstat(fd.get(), &facts) == 0 && S_ISREG(facts.st_mode);
  file.fd = std::move(fd);
  file.is_regular = known;
  file.bytes = known ? static_cast<std::uint64_t>(facts.st_size) : 0;
  file.begun =
      file.bytes == 0 ? std::chrono::system_clock::now() : std::chrono::system_clock::from_time_t(facts.st_mtime);
}

// Lines are never cut: a file ends with a batch of them.
void AccessLogSinks::RotateIfDue(const std::string& path, File& file) {
  const WallTime now = std::chrono::system_clock::now();
  if (!file.rotation || !file.is_regular || !IsRotationDue(*file.rotation, file.bytes, file.begun, now)) return;
  const std::string archived = ArchivedPath(path, now);
  UniqueFd fd;
  int code = 0;
  if (::rename(path.c_str(), archived.c_str()) != 0) {
    code = errno;
  } else if (fd = OpenForAppending(path); !fd.valid()) {
    code = errno;
    ::rename(archived.c_str(), path.c_str());  // the open file is written on, under its name
  }
  if (code != 0) {
    if (!std::exchange(file.rotation_failing, true)) {
      LogError("a log cannot be put aside, it grows on path=" + path + " reason=\"" + std::strerror(code) + "\"");
    }
    return;
  }
  file.rotation_failing = false;
  KeepAccess(file.fd.get(), fd.get());
  TakeOver(file, std::move(fd));
  archive_.Take(path, archived, *file.rotation);
}

void AccessLogSinks::Write(const std::string& path, const std::string& lines) {
  File& file = files_[path];
  const bool is_stdout = path == "-";
  if (!is_stdout && !file.fd.valid()) TakeOver(file, OpenForAppending(path));
  if (!is_stdout && file.fd.valid()) RotateIfDue(path, file);
  const int fd = is_stdout ? STDOUT_FILENO : file.fd.get();
  if (fd >= 0 && WriteAll(fd, lines)) {
    file.bytes += lines.size();
    if (std::exchange(file.failing, false)) LogInfo("access log is written again path=" + path);
    return;
  }
  const int code = errno;
  if (!is_stdout) file.fd.Reset();
  if (!std::exchange(file.failing, true)) {
    LogError("access log cannot be written, lines are dropped path=" + path + " reason=\"" + std::strerror(code) +
             "\"");
  }
  const std::lock_guard lock(mutex_);
  dropped_lines_ += CountLines(lines);
}

}  // namespace weir::proxy
