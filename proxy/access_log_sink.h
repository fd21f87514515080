#pragma once

#include "base/counters.h"
#include "base/unique_fd.h"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::proxy {

// The access log files and the thread that writes them. Workers hand over whole batches of lines; nothing on a worker
// waits for a disk. The queue is bounded: when the disk cannot keep up, batches are dropped and counted, never requests
// delayed. Thread: any.
class AccessLogSinks {
 public:
  static constexpr std::size_t kQueuedBytesMax = 64 * 1024 * 1024;

  AccessLogSinks();
  ~AccessLogSinks();  // writes what is queued, then closes
  AccessLogSinks(const AccessLogSinks&) = delete;
  AccessLogSinks& operator=(const AccessLogSinks&) = delete;

  // Queues complete lines for `path` ("-" is standard output) and gives back an empty text for the next ones, with the
  // capacity of a batch that was written before where there is one. The file is opened for appending when its first
  // batch is written; a file that cannot be opened or written is logged once and tried again with the next batch.
  std::string Submit(const std::string& path, std::string lines);
  // Closes every file; the next batch opens it anew (log rotation, SIGUSR1). Batches submitted before go to the old
  // file.
  void Reopen();
  // Lines dropped because the queue was full or the file could not be written.
  [[nodiscard]] std::uint64_t dropped_lines() const;

 private:
  void Run();
  void Write(const std::string& path, const std::string& lines);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  struct Batch {
    std::string path;  // empty: reopen
    std::string lines;
  };
  static constexpr std::size_t kSpareMax = 16;
  std::vector<Batch> queue_;
  std::vector<std::string> spare_;  // empty texts with capacity, to be filled again
  std::size_t queued_bytes_ = 0;
  std::uint64_t dropped_lines_ = 0;
  bool stopping_ = false;
  struct File {
    UniqueFd fd;
    bool failing = false;
  };
  std::map<std::string, File> files_;  // the writer thread's own
  std::thread thread_;
};

}  // namespace weir::proxy
