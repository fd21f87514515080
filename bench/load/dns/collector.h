#pragma once

#include "base/clock.h"
#include "bench/load/run_record.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

namespace weir::bench {

// Where the generator threads hand in what they counted in each second, for one reader to add up. Thread: any.
class Collector {
 public:
  explicit Collector(std::size_t threads) : lanes_(threads) {}

  // The next interval of thread `thread`.
  void Put(std::size_t thread, Counts counts);
  // Thread `thread` has put its last interval; `at` is when its last query ended.
  void Finish(std::size_t thread, SteadyTime at);

  struct Taken {
    Counts counts;
    bool last = false;  // every thread has finished and nothing is left
  };
  // Waits until every thread that has not finished has put its next interval, and gives their sum. Not to be called
  // again after the last. One reader.
  [[nodiscard]] Taken Take();
  // When the last thread finished. After the last Take.
  [[nodiscard]] SteadyTime finished_at() const;

 private:
  struct Lane {
    std::deque<Counts> intervals;
    bool finished = false;
  };
  [[nodiscard]] bool IsReady() const;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Lane> lanes_;  // guarded by mutex_
  SteadyTime finished_at_;   // guarded by mutex_
};

}  // namespace weir::bench
