#include "base/counters.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace weir {
namespace {

TEST(CounterTest, OneWriterLosesNothingWhileOthersRead) {
  PerWorker<Counter> counters(2);
  std::vector<std::thread> threads;
  for (std::size_t worker = 0; worker < counters.size(); ++worker) {
    threads.emplace_back([&counters, worker] {
      for (int i = 0; i < 10'000; ++i) counters[worker].Add();
    });
  }
  std::uint64_t last = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::uint64_t sum = counters.Sum([](const Counter& counter) { return counter.value(); });
    EXPECT_GE(sum, last);
    last = sum;
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counters.Sum([](const Counter& counter) { return counter.value(); }), 20'000U);
}

TEST(LatencyHistogramTest, ABoundIsInclusive) {
  LatencyHistogram histogram;
  histogram.Record(std::chrono::microseconds(100));
  histogram.Record(std::chrono::microseconds(101));
  histogram.Record(std::chrono::seconds(60));
  histogram.Record(std::chrono::nanoseconds(-5));
  EXPECT_EQ(histogram.bucket(0), 2U);
  EXPECT_EQ(histogram.bucket(1), 1U);
  EXPECT_EQ(histogram.bucket(LatencyHistogram::kBoundsMicroseconds.size()), 1U);
  EXPECT_EQ(histogram.sum_microseconds(), 60'000'201U);
}

}  // namespace
}  // namespace weir
