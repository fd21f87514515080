#pragma once

#include "base/clock.h"
#include "base/counters.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "config/model.h"
#include "proxy/log/log_archive.h"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weir::proxy {

// The log files of requests, connections and health checks, and the thread that writes them. Workers hand over whole
// batches of lines; nothing on a worker waits for a disk. The queue is bounded: when the disk cannot keep up, batches
// are dropped and counted, never requests delayed. Thread: any.
class AccessLogSinks {
 public:
  static constexpr std::size_t kQueuedBytesMax = 64 * 1024 * 1024;

  AccessLogSinks();
  ~AccessLogSinks();  // writes what is queued, then closes
  AccessLogSinks(const AccessLogSinks&) = delete;
  AccessLogSinks& operator=(const AccessLogSinks&) = delete;

  // Opens `path` for appending, unless it is open, before anything is submitted for it: a descriptor may be hard to
  // come by later. Fails with `cannot write NOUN PATH: REASON`. "-" is standard output, which is open. Blocks on the
  // file system.
  [[nodiscard]] Result<void> Open(const std::string& path, std::string_view noun = "access log");
  // Queues complete lines for `path` and gives back an empty text for the next ones, with the capacity of a batch that
  // was written before where there is one. A file that is not open, or cannot be written, is opened anew with its next
  // batch; that it cannot be written is logged once.
  std::string Submit(const std::string& path, std::string lines);
  // Opens every file anew (log rotation, SIGUSR1). Batches submitted before go to the old file, and those after it too
  // where a new one cannot be opened, which is logged.
  void Reopen();
  // By path, when a log is put aside and a new one begun; absent: never.
  using Kept = std::map<std::string, std::optional<config::LogRotation>>;
  // Closes the files that are not in `kept`, once the batches submitted before are written; these are put aside as it
  // says from then on.
  void CloseOthers(Kept kept);
  // Lines dropped because the queue was full or the file could not be written.
  [[nodiscard]] std::uint64_t dropped_lines() const;

 private:
  struct Batch {
    enum class Kind : std::uint8_t { kOpened, kLines, kReopen, kCloseOthers };
    Kind kind = Kind::kLines;
    std::string path;
    std::string lines;
    Kept kept;    // of kCloseOthers
    UniqueFd fd;  // of kOpened
  };
  void Run();
  void CarryOut(Batch& batch);
  void Write(const std::string& path, const std::string& lines);
  void ReopenAll();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  static constexpr std::size_t kSpareMax = 16;
  std::vector<Batch> queue_;
  std::vector<std::string> spare_;  // empty texts with capacity, to be filled again
  std::size_t queued_bytes_ = 0;
  std::uint64_t dropped_lines_ = 0;
  bool stopping_ = false;
  struct File {
    UniqueFd fd;
    bool failing = false;
    bool is_regular = false;  // no pipe and no device, which are not put aside
    std::optional<config::LogRotation> rotation;
    bool rotation_failing = false;
    std::uint64_t bytes = 0;
    WallTime begun;  // since when it has what is in it: the last time that it was written before, or opened empty
  };
  void TakeOver(File& file, UniqueFd fd) const;
  void RotateIfDue(const std::string& path, File& file);
  std::set<std::string> known_paths_;  // opened and not closed again
  // The writer thread's own: what is open, and what CloseOthers closed, which is not left open by later lines.
  std::map<std::string, File> files_;
  std::set<std::string> left_;
  LogArchive archive_;
  std::thread thread_;
};

}  // namespace weir::proxy
