#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::process {

// The spawner as weir sees it: a process and a socket. Started before weir has a second thread, so that it has what
// weir had in the beginning; given to the ProcessClient that uses it. Thread: one at a time.
class Spawner {
 public:
  // Runs `program` as the spawner; it is expected to call RunSpawner. Makes this process a subreaper: what a spawner
  // that is killed leaves behind comes to it. Fails where the system has no process or descriptors for it.
  [[nodiscard]] static Result<std::shared_ptr<Spawner>> Start(std::string program = "/proc/self/exe");
  // Closes the socket and waits until the spawner has ended its children and itself.
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // What is no orphan of a spawner: itself, and children that this process had before the first one, from a program
  // that became this one.
  [[nodiscard]] std::vector<pid_t> spared() const;
  // The socket to it, once for each start; invalid afterwards.
  [[nodiscard]] UniqueFd TakeSocket() { return std::move(socket_); }
  // Ends the one that there is, if it has not ended, and starts another; safe in a program with many threads. With a
  // failure there is none: pid() is 0.
  [[nodiscard]] Result<void> Restart();

 private:
  explicit Spawner(std::string program);
  [[nodiscard]] Result<void> StartOne();

  std::string program_;
  std::vector<pid_t> inherited_;
  pid_t pid_ = 0;
  UniqueFd socket_;
};

}  // namespace weir::process
