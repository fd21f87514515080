#include "bench/load/report.h"
#include "tests/bench/load/sample_record.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

namespace weir::bench {
namespace {

namespace json = boost::json;

TEST(JsonTest, HasEveryDocumentedMember) {
  const auto record = FailoverRecord(6);
  const auto text = Json(record);
  EXPECT_EQ(text.back(), '\n');
  const auto parsed = json::parse(text);
  EXPECT_EQ(parsed.at("format").as_string(), "weir-bench-1");
  EXPECT_EQ(parsed.at("title").as_string(), record.title);
  EXPECT_EQ(parsed.at("unit").as_string(), "requests");
  EXPECT_EQ(parsed.at("started-at").as_string(), "2026-11-02T10:15:30.000000Z");
  EXPECT_EQ(parsed.at("seconds").to_number<double>(), 6);
  EXPECT_FALSE(parsed.at("interrupted").as_bool());
  EXPECT_EQ(parsed.at("offered-rate").to_number<double>(), 400);
  EXPECT_EQ(parsed.at("settings").at(1).at("value").as_string(), "400/s, Poisson");
  EXPECT_EQ(parsed.at("totals").at("started").to_number<std::uint64_t>(), 2'400U);
  EXPECT_EQ(parsed.at("totals").at("errors").to_number<std::uint64_t>(), record.total.error_count());
  EXPECT_EQ(parsed.at("outcomes").at("200").to_number<std::uint64_t>(), record.total.outcomes.at("200"));
  EXPECT_EQ(parsed.at("shares").at("blue").to_number<std::uint64_t>(), record.total.shares.at("blue"));
  EXPECT_EQ(parsed.at("intervals").as_array().size(), 6U);
  EXPECT_EQ(parsed.at("intervals").at(5).at("start-seconds").to_number<double>(), 5);
  EXPECT_EQ(parsed.at("intervals").at(5).at("p99.9-ms").to_number<double>(), record.intervals[5].p999_ms);
  EXPECT_EQ(parsed.at("events").at(1).at("kind").as_string(), "health");
}

TEST(BenchSmallTest, ThePartsOfTheVerdictAreInTheJson) {
  auto record = FailoverRecord(6);
  record.conditions = {{"errors>0.1%", "31.00 %", true}};
  record.events = {{0, "health", "back", EventTone::kGood}};
  const auto parsed = json::parse(Json(record));
  EXPECT_EQ(parsed.at("classes").at("2xx").to_number<std::uint64_t>(), record.total.outcomes.at("200"));
  EXPECT_EQ(parsed.at("classes").at("5xx").to_number<std::uint64_t>(), record.total.outcomes.at("502"));
  EXPECT_EQ(parsed.at("intervals").at(0).at("outcomes").at("200").to_number<std::uint64_t>(), 400U);
  EXPECT_EQ(parsed.at("totals").at("started-per-second").to_number<double>(), 400);
  EXPECT_EQ(parsed.at("fail-if").at(0).at("condition").as_string(), "errors>0.1%");
  EXPECT_EQ(parsed.at("fail-if").at(0).at("value").as_string(), "31.00 %");
  EXPECT_TRUE(parsed.at("fail-if").at(0).at("holds").as_bool());
  EXPECT_EQ(parsed.at("events").at(0).at("tone").as_string(), "good");
}

TEST(JsonTest, BucketsGiveTheHistogramBack) {
  const auto record = FailoverRecord(6);
  const auto latency = json::parse(Json(record)).at("latency");
  Histogram merged;
  for (const auto& bucket : latency.at("buckets-ns").as_array()) {
    merged.Record(std::chrono::nanoseconds(bucket.at(0).to_number<std::int64_t>()),
                  bucket.at(1).to_number<std::uint64_t>());
  }
  EXPECT_EQ(merged.count(), record.total.latency.count());
  EXPECT_EQ(merged.Percentile(99), record.total.latency.Percentile(99));
  const auto p99 = latency.at("percentiles-ms").at("99").to_number<double>();
  using Milliseconds = std::chrono::duration<double, std::milli>;
  EXPECT_EQ(p99, Milliseconds(record.total.latency.Percentile(99)).count());
}

TEST(JsonTest, IsValidWhateverItHolds) {
  RunRecord record;
  record.title = "a\"\\\n\xFF\x01";
  record.seconds = std::numeric_limits<double>::quiet_NaN();
  record.offered_rate = std::numeric_limits<double>::infinity();
  record.total.errors = {{"bad \xFE", 1}, {"bad \xFF", 2}};
  const auto parsed = json::parse(Json(record));
  EXPECT_EQ(parsed.at("title").as_string(), "a\"\\\n\xEF\xBF\xBD\x01");
  EXPECT_EQ(parsed.at("seconds").to_number<double>(), 0);
  EXPECT_EQ(parsed.at("errors").at("bad \xEF\xBF\xBD").to_number<int>(), 3) << "names that become equal are added up";
}

}  // namespace
}  // namespace weir::bench
