#pragma once

#include "base/clock.h"
#include "base/counters.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::proxy {

// One request of a bucket of a LatencyHistogram, by its trace.
struct Exemplar {
  std::string trace_id;  // `1-65f0a1b2-0123456789abcdef01234567`: the root of X-Amzn-Trace-Id
  std::chrono::microseconds duration{0};
  WallTime time;
};

// The last exemplar of each bucket, a new one each second at most: who looks at a slow bucket finds a request that was
// slow. Thread: one writer, any reader; what is being written while it is read is not there.
class Exemplars {
 public:
  static constexpr std::chrono::seconds kPause{1};
  static constexpr std::size_t kBuckets = LatencyHistogram::kBoundsMicroseconds.size() + 1;
  static constexpr std::size_t kTraceBytesMax = 40;

  // Whether it is time for another of the bucket.
  [[nodiscard]] bool wanted(std::size_t bucket, SteadyTime now) const { return now >= next_[bucket]; }
  // `trace` is the value of X-Amzn-Trace-Id, whose root is kept; without one nothing is. In either case the next one
  // has to wait.
  void Note(std::size_t bucket, SteadyTime now, std::string_view trace, std::chrono::nanoseconds duration,
            WallTime time);
  [[nodiscard]] std::optional<Exemplar> Read(std::size_t bucket) const;

 private:
  using Words = std::array<std::atomic<std::uint64_t>, kTraceBytesMax / sizeof(std::uint64_t)>;
  // Written between an odd version and the next even one.
  struct Slot {
    std::atomic<std::uint64_t> version{0};
    Words trace{};
    std::atomic<std::int64_t> microseconds{0};
    std::atomic<std::int64_t> nanoseconds{0};  // Unix time
  };

  std::array<SteadyTime, kBuckets> next_{};
  std::array<Slot, kBuckets> slots_{};
};

}  // namespace weir::proxy
