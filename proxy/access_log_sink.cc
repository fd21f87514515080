#include "proxy/access_log_sink.h"

#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::proxy {
namespace {

std::uint64_t CountLines(const std::string& lines) {
  return static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
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
    queue_.push_back({path, std::move(lines)});
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
    queue_.push_back({});
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
    for (const Batch& batch : batches) {
      if (batch.path.empty()) {
        files_.clear();
      } else {
        Write(batch.path, batch.lines);
      }
    }
    const std::lock_guard lock(mutex_);
    for (Batch& batch : batches) {
      if (batch.path.empty() || spare_.size() == kSpareMax) continue;
      batch.lines.clear();
      spare_.push_back(std::move(batch.lines));
    }
  }
}

void AccessLogSinks::Write(const std::string& path, const std::string& lines) {
  File& file = files_[path];
  const bool is_stdout = path == "-";
  if (!is_stdout && !file.fd.valid()) {
    file.fd.Reset(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  }
  const int fd = is_stdout ? STDOUT_FILENO : file.fd.get();
  if (fd >= 0 && WriteAll(fd, lines)) {
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
