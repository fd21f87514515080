#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::bench {

// A high dynamic range histogram of durations: every value from 1 us to an hour is kept within 0.1 % (three significant
// digits), so that any percentile can be asked for afterwards. Recording costs two shifts and an addition and allocates
// nothing. Thread: one at a time.
class Histogram {
 public:
  Histogram();
  // Negative durations count as zero, longer ones than an hour as an hour.
  void Record(std::chrono::nanoseconds value, std::uint64_t times = 1);
  void Add(const Histogram& other);
  void Clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // All zero while nothing was recorded. Exact, not from buckets:
  [[nodiscard]] std::chrono::nanoseconds min() const;
  [[nodiscard]] std::chrono::nanoseconds max() const;
  [[nodiscard]] std::chrono::nanoseconds mean() const;
  // The highest value that `percent` (0-100) of the recordings do not exceed, as far as the buckets tell.
  [[nodiscard]] std::chrono::nanoseconds Percentile(double percent) const;
  // The same for several percents, which must ascend, in one pass.
  [[nodiscard]] std::vector<std::chrono::nanoseconds> Percentiles(std::span<const double> percents) const;

  // One bucket with recordings in it.
  struct Bucket {
    std::chrono::nanoseconds highest{0};  // the highest value that it counts
    std::uint64_t count = 0;
  };
  // The buckets with recordings, ascending.
  [[nodiscard]] std::vector<Bucket> Buckets() const;

 private:
  [[nodiscard]] static std::size_t IndexOf(std::uint64_t tenths_of_a_microsecond);
  [[nodiscard]] static std::uint64_t HighestIn(std::size_t index);
  [[nodiscard]] static std::uint64_t HighestNanosecondsIn(std::size_t index);

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ns_ = 0;
  std::uint64_t max_ns_ = 0;
  long double sum_ns_ = 0;
};

}  // namespace weir::bench
