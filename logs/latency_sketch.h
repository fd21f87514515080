#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir::logs {

// Counts of durations, from a tenth of a millisecond to an hour, each within 3 %: small enough (3 kB) to keep one for
// each of thousands of targets. Thread: one owner.
class LatencySketch {
 public:
  void Record(std::chrono::microseconds value) {
    ++buckets_[IndexOf(Units(value))];
    ++count_;
  }
  void Add(const LatencySketch& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // The highest value of the bucket that holds it; zero of nothing. `percent` from 0 to 100.
  [[nodiscard]] std::chrono::microseconds Percentile(double percent) const {
    if (count_ == 0) return std::chrono::microseconds(0);
    const double rank = percent / 100 * static_cast<double>(count_);
    std::uint64_t seen = 0;
    std::size_t index = 0;
    for (; index + 1 < buckets_.size(); ++index) {
      seen += buckets_[index];
      if (seen > 0 && static_cast<double>(seen) >= rank - 1e-6) break;
    }
    return std::chrono::microseconds(HighestIn(index) * kUnit);
  }

 private:
  static constexpr std::int64_t kUnit = 100;  // microseconds
  static constexpr unsigned kBits = 5;        // of each doubling
  static constexpr std::uint64_t kLinear = 2U << kBits;
  static constexpr std::uint64_t kHighest = 3600ULL * 10'000;
  static constexpr std::size_t kBuckets = (std::bit_width(kHighest) - kBits + 1) << kBits;

  static std::uint64_t Units(std::chrono::microseconds value) {
    const std::int64_t units = (value.count() + kUnit - 1) / kUnit;
    return std::min(units < 0 ? 0 : static_cast<std::uint64_t>(units), kHighest);
  }
  static std::size_t IndexOf(std::uint64_t units) {
    if (units < kLinear) return units;
    const unsigned shift = static_cast<unsigned>(std::bit_width(units)) - kBits - 1;
    return (static_cast<std::size_t>(shift) << kBits) + (units >> shift);
  }
  static std::int64_t HighestIn(std::size_t index) {
    if (index < kLinear) return static_cast<std::int64_t>(index);
    const std::size_t shift = (index >> kBits) - 1;
    const std::uint64_t lowest = (index - (shift << kBits)) << shift;
    return static_cast<std::int64_t>(lowest + (1ULL << shift) - 1);
  }

  std::array<std::uint32_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
};

}  // namespace weir::logs
