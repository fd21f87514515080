#include "bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace weir::bench {
namespace {

// Values are counted in tenths of a microsecond. The first 2,048 have a bucket each; above that every doubling of the
// value is divided into 1,024 buckets, so that a bucket is never wider than a thousandth of what it holds.
constexpr unsigned kSubBucketBits = 10;
constexpr std::uint64_t kLinear = 2U << kSubBucketBits;
constexpr std::uint64_t kNanosecondsPerUnit = 100;
constexpr std::uint64_t kHighest = 3'600ULL * 10'000'000ULL;  // an hour

}  // namespace

std::size_t Histogram::IndexOf(std::uint64_t value) {
  if (value < kLinear) return value;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kSubBucketBits - 1;
  return (static_cast<std::size_t>(shift) << kSubBucketBits) + (value >> shift);
}

std::uint64_t Histogram::HighestIn(std::size_t index) {
  if (index < kLinear) return index;
  const std::size_t shift = (index >> kSubBucketBits) - 1;
  const std::uint64_t lowest = (index - (shift << kSubBucketBits)) << shift;
  return lowest + (1ULL << shift) - 1;
}

std::uint64_t Histogram::HighestNanosecondsIn(std::size_t index) {
  return (HighestIn(index) + 1) * kNanosecondsPerUnit - 1;
}

Histogram::Histogram() : buckets_(IndexOf(kHighest) + 1) {}

void Histogram::Record(std::chrono::nanoseconds value, std::uint64_t times) {
  if (times == 0) return;
  const auto ns =
      std::min(value.count() < 0 ? 0 : static_cast<std::uint64_t>(value.count()), kHighest * kNanosecondsPerUnit);
  buckets_[IndexOf(ns / kNanosecondsPerUnit)] += times;
  min_ns_ = count_ == 0 ? ns : std::min(min_ns_, ns);
  max_ns_ = std::max(max_ns_, ns);
  sum_ns_ += static_cast<long double>(ns) * static_cast<long double>(times);
  count_ += times;
}

void Histogram::Add(const Histogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  min_ns_ = count_ == 0 ? other.min_ns_ : std::min(min_ns_, other.min_ns_);
  max_ns_ = std::max(max_ns_, other.max_ns_);
  sum_ns_ += other.sum_ns_;
  count_ += other.count_;
}

void Histogram::Clear() {
  if (count_ == 0) return;
  std::ranges::fill(buckets_, 0);
  count_ = min_ns_ = max_ns_ = 0;
  sum_ns_ = 0;
}

std::chrono::nanoseconds Histogram::min() const { return std::chrono::nanoseconds(min_ns_); }
std::chrono::nanoseconds Histogram::max() const { return std::chrono::nanoseconds(max_ns_); }

std::chrono::nanoseconds Histogram::mean() const {
  if (count_ == 0) return std::chrono::nanoseconds(0);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(sum_ns_ / static_cast<long double>(count_)));
}

std::chrono::nanoseconds Histogram::Percentile(double percent) const {
  return Percentiles(std::span(&percent, 1)).front();
}

std::vector<std::chrono::nanoseconds> Histogram::Percentiles(std::span<const double> percents) const {
  std::vector<std::chrono::nanoseconds> out;
  out.reserve(percents.size());
  std::uint64_t seen = 0;
  std::size_t next = 0;  // the bucket after those in `seen`
  for (const double percent : percents) {
    // 99.9 has no exact double: without the tolerance 99.9 % of 1,000 would be 1,000.
    const double rank = std::clamp(percent, 0.0, 100.0) * static_cast<double>(count_) / 100 - 1e-6;
    const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(std::max(rank, 0.0))));
    while (seen < wanted && next < buckets_.size()) seen += buckets_[next++];
    out.emplace_back(count_ == 0 ? 0 : std::clamp(HighestNanosecondsIn(next - 1), min_ns_, max_ns_));
  }
  return out;
}

std::vector<Histogram::Bucket> Histogram::Buckets() const {
  std::vector<Bucket> out;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0) continue;
    out.push_back({.highest = std::chrono::nanoseconds(HighestNanosecondsIn(i)), .count = buckets_[i]});
  }
  return out;
}

}  // namespace weir::bench
