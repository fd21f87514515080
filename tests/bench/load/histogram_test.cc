#include "bench/load/histogram.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>

namespace weir::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST(HistogramTest, NothingRecordedIsZeroEverywhere) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0ns);
  EXPECT_EQ(histogram.max(), 0ns);
  EXPECT_EQ(histogram.mean(), 0ns);
  EXPECT_EQ(histogram.Percentile(99), 0ns);
  EXPECT_TRUE(histogram.Buckets().empty());
}

TEST(HistogramTest, EveryValueIsKeptWithinAThousandth) {
  for (nanoseconds value = 1us; value < 1h; value += value / 7 + 1ns) {
    Histogram histogram;
    histogram.Record(value);
    histogram.Record(1h);  // so that the answer comes from the bucket and not from the maximum
    const auto seen = histogram.Percentile(50);
    EXPECT_GE(seen, value);
    // Below 100 us a bucket is a tenth of a microsecond.
    EXPECT_LE(seen - value, std::max<nanoseconds>(100ns, value / 1'000)) << value.count();
  }
}

TEST(HistogramTest, ExtremesAreExactAndBounded) {
  Histogram histogram;
  histogram.Record(-5ms);
  histogram.Record(2h);
  EXPECT_EQ(histogram.min(), 0ns);
  EXPECT_EQ(histogram.max(), 1h);
  EXPECT_EQ(histogram.Percentile(100), 1h);
  EXPECT_EQ(histogram.mean(), 30min);
}

TEST(HistogramTest, PercentilesAreRanks) {
  Histogram histogram;
  for (int i = 1; i <= 1'000; ++i) histogram.Record(i * 1ms);
  const auto milliseconds = [&](double percent) {
    return std::chrono::round<std::chrono::milliseconds>(histogram.Percentile(percent)).count();
  };
  EXPECT_EQ(milliseconds(0), 1);
  EXPECT_EQ(milliseconds(50), 500);
  EXPECT_NEAR(static_cast<double>(milliseconds(99)), 990, 1);
  // 999 of 1,000, not all of them, whatever 99.9 is in binary.
  EXPECT_LT(histogram.Percentile(99.9), 1'000ms);
  EXPECT_EQ(histogram.Percentile(100), 1'000ms);
  EXPECT_EQ(histogram.Percentile(250), 1'000ms);
}

TEST(HistogramTest, SeveralPercentilesAreThoseOfOneByOne) {
  Histogram histogram;
  for (int i = 0; i < 5'000; ++i) histogram.Record(nanoseconds(std::int64_t{i} * i * 37));
  constexpr std::array<double, 6> kPercents = {0, 10, 50, 90, 99.9, 100};
  const auto all = histogram.Percentiles(kPercents);
  for (std::size_t i = 0; i < kPercents.size(); ++i) EXPECT_EQ(all[i], histogram.Percentile(kPercents[i]));
}

TEST(HistogramTest, AddingIsRecordingAllInOne) {
  Histogram one;
  Histogram other;
  Histogram both;
  for (int i = 1; i < 200; ++i) {
    (i % 3 == 0 ? one : other).Record(i * i * 1us, 2);
    both.Record(i * i * 1us, 2);
  }
  one.Add(other);
  one.Add(Histogram());
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.min(), both.min());
  EXPECT_EQ(one.max(), both.max());
  EXPECT_EQ(one.mean(), both.mean());
  EXPECT_EQ(one.Percentile(90), both.Percentile(90));
}

TEST(HistogramTest, BucketsAscendAndCountEverything) {
  Histogram histogram;
  histogram.Record(3ms, 5);
  histogram.Record(3us);
  const auto buckets = histogram.Buckets();
  ASSERT_EQ(buckets.size(), 2U);
  EXPECT_EQ(buckets[0].count, 1U);
  EXPECT_EQ(buckets[0].highest, 3'099ns) << "3.0 us is one bucket of a tenth of a microsecond";
  EXPECT_EQ(buckets[1].count, 5U);
  // Recorded again, a bucket's highest value falls into the same bucket: results can be merged.
  Histogram again;
  for (const auto& bucket : buckets) again.Record(bucket.highest, bucket.count);
  ASSERT_EQ(again.Buckets().size(), 2U);
  EXPECT_EQ(again.Buckets()[1].highest, buckets[1].highest);
}

TEST(HistogramTest, ClearForgetsEverything) {
  Histogram histogram;
  histogram.Record(1ms);
  histogram.Clear();
  EXPECT_EQ(histogram.count(), 0U);
  histogram.Record(5ms);
  EXPECT_EQ(histogram.min(), 5ms);
}

}  // namespace
}  // namespace weir::bench
