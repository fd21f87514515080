#include "tests/bench/load/sample_record.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <utility>

namespace weir::bench {
namespace {

constexpr std::uint64_t kRate = 400;

// Evenly spread between 0 and 1, the same every time.
class Spread {
 public:
  double Next() {
    state_ = state_ * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    return static_cast<double>(state_ >> 11) / 9'007'199'254'740'992.0;
  }

 private:
  std::uint64_t state_ = 1;
};

// A second of the run. While `ill`, a fifth of the requests waits and some of them fail.
Counts Second(bool ill, bool shifted, Spread& spread) {
  Counts counts;
  counts.started = kRate;
  for (std::uint64_t i = 0; i < kRate; ++i) {
    const bool green = !shifted && i % 5 == 0;
    if (ill && green && spread.Next() < 0.3) {
      ++counts.errors[spread.Next() < 0.7 ? "timeout" : "reset"];
      continue;
    }
    const double slow = ill && green ? 60 : 1;
    const double milliseconds = (0.35 + 0.25 * spread.Next() - 0.4 * std::log(1 - 0.999 * spread.Next())) * slow;
    counts.latency.Record(std::chrono::nanoseconds(static_cast<std::int64_t>(milliseconds * 1e6)));
    ++counts.completed;
    ++counts.outcomes[ill && green && spread.Next() < 0.2 ? "502" : "200"];
    ++counts.shares[green ? "green" : "blue"];
  }
  counts.bytes_received = counts.completed * 1'200;
  counts.bytes_sent = counts.started * 180;
  return counts;
}

}  // namespace

RunRecord FailoverRecord(int seconds) {
  RunRecord record;
  record.title = "weir bench http http://127.0.0.1:8080/";
  record.settings = {{"connections", "64"}, {"rate", "400/s, Poisson"}, {"method", "GET"}};
  record.started = WallTime(std::chrono::seconds(1'793'614'530));
  record.seconds = seconds;
  record.offered_rate = kRate;
  record.generator_cpu_seconds = 0.004 * seconds;
  record.total.connections = 64;
  const int died = seconds / 3;
  const int repaired = died + seconds / 5;
  Spread spread;
  for (int i = 0; i < seconds; ++i) {
    const Counts counts = Second(i >= died && i < repaired, i >= repaired, spread);
    record.total.Add(counts);
    record.intervals.push_back(IntervalOf(counts, i, 1));
  }
  record.events = {
      {-0.4, "life", "ready, revision 1"},
      {died + 0.2, "health", "target 127.0.0.1:9002 of green: healthy -> unhealthy (Target.Timeout)"},
      {died + 0.3, "health", "target 127.0.0.1:9003 of green: healthy -> unhealthy (Target.Timeout)"},
      {repaired + 0.1, "shift", "shop/8080 rule default: blue:80 green:20 -> blue:100 green:0"},
      {repaired + seconds / 5.0, "reload", "configuration reloaded, revision 3"},
  };
  return record;
}

}  // namespace weir::bench
