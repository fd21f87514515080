#pragma once

#include "net/pipe.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>

namespace weir::proxy {

// How much one worker may have open at once, so that clients never take the descriptors that something else needs.
struct ConnectionLimits {
  std::size_t clients = std::numeric_limits<std::size_t>::max();
  // At least `clients`, or requests fail that were let in. An idle connection gives way to a new one.
  std::size_t targets = std::numeric_limits<std::size_t>::max();
  std::size_t pipes = net::PipePool::kOutMax;
};

// What the workers have to say together about clients that wait because a limit is reached: one line in the log when
// the first worker is full, one when none has been for a while. Thread: any.
class ClientCrowd {
 public:
  // What the lines say: how many client connections all workers take, of how many descriptors.
  void SetLimit(std::uint64_t clients, std::uint64_t descriptors);
  // A worker is full and clients wait for it; it no longer is. In turns for each worker.
  void Begin();
  void End();
  // The program drains, nobody is accepted any more: from now on there is nothing to say in the log.
  void FallSilent();

  [[nodiscard]] std::uint64_t clients_max() const;
  // How often it began, and whether it goes on.
  [[nodiscard]] std::uint64_t episodes() const;
  [[nodiscard]] bool waiting() const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t clients_ = std::numeric_limits<std::uint64_t>::max();  // all guarded by mutex_
  std::uint64_t descriptors_ = 0;
  std::uint64_t episodes_ = 0;
  std::size_t full_workers_ = 0;
  bool silent_ = false;
};

}  // namespace weir::proxy
