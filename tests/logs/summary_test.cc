#include "logs/summary.h"

#include "logs/summary_report.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace weir::logs {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class SummaryTest : public ::testing::Test {
 protected:
  struct Line {
    int second = 0;
    int status = 200;
    std::string target = "10.0.0.1:80";
    std::string group = "blue";
    std::string rule = "10";
    std::string reason = "-";
    int milliseconds = 10;
  };
  void Add(const Line& line) {
    const std::string text = fmt::format(
        R"(http 2026-11-02T{:02}:{:02}:{:02}.000000Z app/shop/1 198.51.100.7:1 {} 0.000 {}.{:03} 0.000 {} {} 100 200 "GET http://a:80/{} HTTP/1.1" "c" - - arn:aws:elasticloadbalancing:r:1:targetgroup/{}/fe "-" "-" "-" {} 2026-11-02T10:15:30.110000Z "forward" "-" "{}")",
        line.second / 3600, line.second / 60 % 60, line.second % 60, line.target, line.milliseconds / 1000,
        line.milliseconds % 1000, line.status, line.target == "-" ? "-" : std::to_string(line.status),
        line.milliseconds, line.group, line.rule, line.reason);
    const auto entry = parser_.Parse(text);
    ASSERT_TRUE(entry) << entry.error().message;
    summary_.Add(*entry);
  }
  void AddConnection(std::string_view verdict) {
    const auto line = fmt::format("2026-11-02T00:00:00Z 203.0.113.1 1 443 TLSv1.2 X 4.0 \"-\" - - {} TID_1", verdict);
    const auto entry = parser_.Parse(line);
    ASSERT_TRUE(entry);
    summary_.Add(*entry);
  }

  EntryParser parser_;
  Summary summary_;
};

TEST_F(SummaryTest, RequestsAreCountedByEverythingThatNamesThem) {
  Add({});
  Add({.status = 404, .target = "10.0.0.2:80"});
  Add({.status = 502, .target = "-", .group = "green", .rule = "0", .reason = "LambdaUnhandled"});
  Add({.status = 503, .target = "-", .rule = "0"});
  EXPECT_EQ(summary_.all().requests, 4U);
  EXPECT_EQ(summary_.all().errors(), 2U);
  EXPECT_EQ(summary_.all().received_bytes, 400U);
  EXPECT_EQ(summary_.statuses()[404], 1U);
  EXPECT_EQ(summary_.reasons().at("502 LambdaUnhandled"), 1U);
  EXPECT_EQ(summary_.reasons().at("503 -"), 1U);
  EXPECT_EQ(summary_.rules().at("10").requests, 2U);
  EXPECT_EQ(summary_.rules().at("default").errors(), 2U);
  EXPECT_EQ(summary_.groups().at("blue").requests, 3U);
  EXPECT_EQ(summary_.targets().size(), 2U);
}

TEST_F(SummaryTest, PercentilesAreWithinThreePercent) {
  for (int i = 1; i <= 1000; ++i) Add({.milliseconds = i});
  for (const double percent : {50.0, 90.0, 99.0}) {
    const auto value = static_cast<double>(summary_.target_times().Percentile(percent).count()) / 1000;
    EXPECT_NEAR(value, percent * 10, percent * 10 * 0.035) << percent;
  }
  ASSERT_EQ(summary_.slowest().size(), Summary::kSlowestKept);
  EXPECT_EQ(summary_.slowest().front().took, 1000ms);
  EXPECT_EQ(summary_.slowest().back().took, 991ms);
  EXPECT_EQ(summary_.slowest().front().request, "GET http://a:80/1000 HTTP/1.1");
}

TEST_F(SummaryTest, TimeIsDividedIntoEqualPartsWithoutGaps) {
  for (const int second : {0, 30, 60, 299, 3599}) Add({.second = second, .status = second == 299 ? 500 : 200});
  std::chrono::seconds width{0};
  const auto intervals = summary_.Intervals(24, width);
  EXPECT_EQ(width, 300s);
  ASSERT_EQ(intervals.size(), 12U);
  EXPECT_EQ(intervals[0].tally.requests, 4U);
  EXPECT_EQ(intervals[0].tally.errors(), 1U);
  EXPECT_EQ(intervals[5].tally.requests, 0U);
  EXPECT_EQ(intervals[11].tally.requests, 1U);
  EXPECT_EQ(FormatIso8601(intervals[1].start), "2026-11-02T00:05:00.000000Z");
}

TEST_F(SummaryTest, ALongLogIsCountedInWiderParts) {
  for (int second = 0; second < 86'400; second += 20) Add({.second = second});
  std::chrono::seconds width{0};
  const auto intervals = summary_.Intervals(24, width);
  EXPECT_EQ(width, 3600s);
  ASSERT_EQ(intervals.size(), 24U);
  for (const auto& interval : intervals) EXPECT_EQ(interval.tally.requests, 180U);
}

TEST_F(SummaryTest, NamesBeyondTheLimitAreCountedTogether) {
  for (std::size_t i = 0; i < Summary::kNamesMax + 50; ++i) Add({.rule = std::to_string(i + 1)});
  EXPECT_EQ(summary_.rules().size(), Summary::kNamesMax + 1);
  EXPECT_EQ(summary_.rules().at(std::string(Summary::kOthers)).requests, 50U);
}

TEST_F(SummaryTest, ConnectionsAreCountedWithWhyTheyFailed) {
  AddConnection("Success");
  AddConnection("Failed:ClientCertExpired");
  EXPECT_EQ(summary_.connections(), 2U);
  EXPECT_EQ(summary_.failed_connections().at("ClientCertExpired"), 1U);
  EXPECT_THAT(SummaryText(summary_, 10), HasSubstr("2 connections"));
}

TEST_F(SummaryTest, TheTextShowsTheMostFirstAndSaysWhatIsLeftOut) {
  for (int i = 0; i < 5; ++i) Add({.target = "10.0.0.1:80"});
  for (int i = 0; i < 12; ++i) Add({.second = 60, .target = fmt::format("10.0.1.{}:80", i)});
  const std::string text = SummaryText(summary_, 3);
  EXPECT_THAT(text, HasSubstr("17 requests, 0.28 a second"));
  EXPECT_THAT(text, HasSubstr("and 10 more"));
  EXPECT_LT(text.find("10.0.0.1:80"), text.find("10.0.1.0:80"));
  EXPECT_EQ(SummaryText(Summary(), 3), "no line\n");
}

TEST_F(SummaryTest, TheJsonHasEverything) {
  Add({.status = 502, .reason = "LambdaUnhandled", .milliseconds = 40});
  const auto json = boost::json::parse(SummaryJson(summary_));
  EXPECT_EQ(json.at("all").at("statuses").at("5xx").as_int64(), 1);
  EXPECT_EQ(json.at("reasons").at("502 LambdaUnhandled").as_int64(), 1);
  EXPECT_EQ(json.at("targets").at("10.0.0.1:80").at("requests").as_int64(), 1);
  EXPECT_NEAR(json.at("target_times").at("p50").as_double(), 0.04, 0.0012);
  EXPECT_EQ(json.at("slowest").as_array().size(), 1U);
  EXPECT_FALSE(boost::json::parse(SummaryJson(Summary())).as_object().contains("first"));
}

}  // namespace
}  // namespace weir::logs
