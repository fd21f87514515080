#pragma once

#include "base/clock.h"
#include "config/model.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace weir::proxy {

// True when a log of this size, begun at `begun`, is to be put aside before it is written at `now`. An empty one never
// is.
[[nodiscard]] bool IsRotationDue(const config::LogRotation& rotation, std::uint64_t bytes, WallTime begun,
                                 WallTime now);

// Where a log goes that ends now: `PATH.20261130T130659Z`, with `-2` and so on behind it where that is taken.
[[nodiscard]] std::string ArchivedPath(const std::string& path, WallTime now);

// Whoever may read the log `from` may read `to`, which takes its place: mode and, for root, owner. Both are open.
void KeepAccess(int from, int to);

// What becomes of logs that were put aside: compressed where that is asked for, the oldest removed. On a thread of its
// own, which begins with the first of them: compressing takes longer than the log's writer may be away. Thread: any.
class LogArchive {
 public:
  LogArchive() = default;
  ~LogArchive();  // a file that is being compressed stays as it was
  LogArchive(const LogArchive&) = delete;
  LogArchive& operator=(const LogArchive&) = delete;

  // `archived` is what the log at `path` became. Failures are logged.
  void Take(std::string path, std::string archived, const config::LogRotation& rotation);

 private:
  struct Job {
    std::string path;
    std::string archived;
    config::LogRotation rotation;
  };
  void Run();
  // Why it failed; empty when it did not, or was given up because the archive ends.
  [[nodiscard]] std::string Compress(const std::string& path);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Job> jobs_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::proxy
