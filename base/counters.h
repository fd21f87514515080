#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace weir {

// A number that one worker changes and any thread reads: no locked instruction, no lost update.
class Counter {
 public:
  void Add(std::uint64_t amount = 1) {
    // Single writer, so a plain load and store are enough; readers may be a moment behind.
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void Subtract(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Durations counted in fixed buckets, as Prometheus histograms want them. One writer, any reader.
class LatencyHistogram {
 public:
  // Upper bounds in microseconds; one bucket more counts what is above the last.
  static constexpr std::array<std::uint64_t, 16> kBoundsMicroseconds = {
      100,    250,     500,     1'000,   2'500,     5'000,     10'000,    25'000,
      50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

  // Gives the bucket.
  std::size_t Record(std::chrono::nanoseconds duration) {
    const auto ns = duration.count();
    const auto us = ns <= 0 ? 0 : static_cast<std::uint64_t>(ns) / 1'000;
    std::size_t bucket = 0;
    while (bucket < kBoundsMicroseconds.size() && us > kBoundsMicroseconds[bucket]) ++bucket;
    buckets_[bucket].Add();
    sum_microseconds_.Add(us);
    return bucket;
  }
  // Recordings in bucket `index` alone (not cumulative); the last index is the bucket above every bound.
  [[nodiscard]] std::uint64_t bucket(std::size_t index) const { return buckets_[index].value(); }
  [[nodiscard]] std::uint64_t sum_microseconds() const { return sum_microseconds_.value(); }

 private:
  std::array<Counter, kBoundsMicroseconds.size() + 1> buckets_;
  Counter sum_microseconds_;
};

// One T for each worker, on cache lines of their own; readers add them up.
// Thread: element i is written by worker i, read by any.
template <class T>
class PerWorker {
 public:
  explicit PerWorker(std::size_t workers) : size_(workers) {
    if (workers > 1) {
      slots_ = std::make_unique<Slot[]>(workers);
    } else if constexpr (!kIsSmall) {
      alone_ = std::make_unique<T>();
    }
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T& operator[](std::size_t worker) { return slots_ == nullptr ? Alone(alone_) : slots_[worker].value; }
  [[nodiscard]] const T& operator[](std::size_t worker) const {
    return slots_ == nullptr ? Alone(alone_) : slots_[worker].value;
  }
  // Adds up one counter of every worker: `table.Sum([](const T& t) { return t.requests.value(); })`.
  template <class Read>
  [[nodiscard]] std::uint64_t Sum(Read read) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < size_; ++i) sum += read((*this)[i]);
    return sum;
  }

 private:
  struct alignas(64) Slot {
    T value{};
  };
  // One that is small stands in the table: there are ten thousands of such.
  static constexpr bool kIsSmall = sizeof(T) <= 16;
  template <class Storage>
  [[nodiscard]] static auto& Alone(Storage& storage) {
    if constexpr (kIsSmall) {
      return storage;
    } else {
      return *storage;
    }
  }

  std::size_t size_;
  // Of the only worker, who has nobody to share a line with.
  std::conditional_t<kIsSmall, T, std::unique_ptr<T>> alone_{};
  std::unique_ptr<Slot[]> slots_;  // of several
};

}  // namespace weir
