#include "bench/load/dns/collector.h"

#include <algorithm>
#include <utility>

namespace weir::bench {

void Collector::Put(std::size_t thread, Counts counts) {
  const std::scoped_lock lock(mutex_);
  lanes_[thread].intervals.push_back(std::move(counts));
  changed_.notify_one();
}

void Collector::Finish(std::size_t thread, SteadyTime at) {
  const std::scoped_lock lock(mutex_);
  lanes_[thread].finished = true;
  finished_at_ = std::max(finished_at_, at);
  changed_.notify_one();
}

bool Collector::IsReady() const {
  return std::ranges::all_of(lanes_, [](const Lane& lane) { return lane.finished || !lane.intervals.empty(); });
}

Collector::Taken Collector::Take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return IsReady(); });
  Taken taken{.counts = {}, .last = true};
  for (Lane& lane : lanes_) {
    if (!lane.intervals.empty()) {
      taken.counts.Add(lane.intervals.front());
      lane.intervals.pop_front();
    }
    taken.last = taken.last && lane.finished && lane.intervals.empty();
  }
  return taken;
}

SteadyTime Collector::finished_at() const {
  const std::scoped_lock lock(mutex_);
  return finished_at_;
}

}  // namespace weir::bench
