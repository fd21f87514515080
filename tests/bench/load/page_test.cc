#include "bench/load/page_data.h"
#include "bench/load/report.h"
#include "tests/bench/load/sample_record.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace weir::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

std::size_t Occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(PageTest, HasItsChartsAndTables) {
  const auto page = Page(FailoverRecord(6));
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  for (const auto* id : {"latency", "throughput", "outcomes", "errors", "shares", "curve"}) {
    EXPECT_EQ(Occurrences(page, fmt::format("id=\"{}\" data-label=", id)), 1U) << id;
  }
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">p99.9</th>"));
  EXPECT_THAT(page, HasSubstr("target 127.0.0.1:9002 of green: healthy -&gt; unhealthy (Target.Timeout)"));
  EXPECT_THAT(page, Not(HasSubstr("interrupted</span>")));
}

TEST(PageTest, AsksForNothingBesidesItself) {
  const auto page = Page(FailoverRecord(6));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const auto* reference : {"src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("}) {
    EXPECT_THAT(page, Not(HasSubstr(reference)));
  }
  // The title and the name of SVG are the only addresses.
  EXPECT_EQ(Occurrences(page, "://"), Occurrences(page, "http://127.0.0.1:8080/") + 1);
}

TEST(PageTest, EveryStringIsEscaped) {
  const std::string evil = "</script><script>alert(1)</script><img src=x onerror='a(\"b\")'>&\xFF";
  RunRecord record = FailoverRecord(3);
  record.title = record.unit = evil;
  record.settings = {{evil, evil}};
  record.total.outcomes = record.total.errors = record.total.shares = {{evil, 7}};
  record.intervals[0].errors_by_kind = record.intervals[0].shares = {{evil, 7}};
  record.events = {{1, evil, evil}};
  const auto page = Page(record);
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_EQ(Occurrences(page, "<script"), 2U) << "the data and the page's own";
  EXPECT_EQ(Occurrences(page, "</script"), 2U);
  EXPECT_THAT(page, Not(HasSubstr("\xFF")));
  // The class of a kind is one of a few words, never the kind itself.
  EXPECT_THAT(page, HasSubstr("class=\"mark other plain\""));
}

TEST(PageTest, DataKeepTheStringsAsTheyAre) {
  RunRecord record = FailoverRecord(2);
  record.events = {{1, "shift", "<b>\"'&"}};
  const auto text = PageData(record);
  EXPECT_EQ(text.find_first_of("<>&"), std::string::npos);
  EXPECT_EQ(boost::json::parse(text).at("events").at(0).at("text").as_string(), "<b>\"'&");
}

TEST(PageTest, DataHaveOneValuePerInterval) {
  const auto data = boost::json::parse(PageData(FailoverRecord(6)));
  EXPECT_TRUE(data.at("open").as_bool());
  for (const auto* column : {"start", "length", "started", "completed", "failed", "p50", "p90", "p99", "p999", "max"}) {
    EXPECT_EQ(data.at("intervals").at(column).as_array().size(), 6U) << column;
  }
  const auto& shares = data.at("shares").as_array();
  ASSERT_EQ(shares.size(), 2U);
  EXPECT_EQ(shares[0].at("name").as_string(), "blue");
  EXPECT_EQ(shares[1].at("values").at(0).as_int64(), 80);
  EXPECT_EQ(shares[1].at("values").at(5).as_int64(), 0);
}

TEST(PageTest, ManyNamesBecomeOneSeries) {
  RunRecord record = FailoverRecord(2);
  record.intervals[0].shares.clear();
  record.intervals[1].shares.clear();
  for (int i = 0; i < 20; ++i) record.intervals[1].shares[fmt::format("10.0.0.{:02}", i)] = i < 8 ? 10 : 1;
  const auto shares = boost::json::parse(PageData(record)).at("shares").as_array();
  ASSERT_EQ(shares.size(), 9U);
  EXPECT_EQ(shares.back().at("name").as_string(), "12 others");
  EXPECT_TRUE(shares.back().at("others").as_bool());
  EXPECT_EQ(shares.back().at("values").at(1).as_int64(), 12);
}

TEST(PageTest, ARunWithoutAnythingIsAPage) {
  RunRecord record;
  record.seconds = std::numeric_limits<double>::quiet_NaN();
  const auto page = Page(record);
  EXPECT_THAT(page, Not(HasSubstr("id=\"curve\"")));
  EXPECT_THAT(page, Not(HasSubstr("id=\"errors\"")));
  EXPECT_TRUE(boost::json::parse(PageData(record)).at("curve").as_array().empty());
}

TEST(PageTest, EventsAreInTheOrderOfTheAxis) {
  RunRecord record = FailoverRecord(3);
  record.events = {{2, "shift", "second"}, {1, "health", "first"}};
  const auto page = Page(record);
  EXPECT_LT(page.find("<td>first</td>"), page.find("<td>second</td>"));
}

TEST(BenchSmallTest, ThePageShowsAnswersByClassAndTheirStatusesOverTime) {
  RunRecord record;
  record.seconds = 2;
  Counts second{.started = 100, .completed = 100};
  second.latency.Record(1ms, 100);
  second.outcomes = {{"200", 60}, {"204", 9}, {"502", 31}};
  second.errors = {{"answer 502", 31}};
  for (int i = 0; i < 2; ++i) {
    record.total.Add(second);
    record.intervals.push_back(IntervalOf(second, i, 1));
  }
  const auto page = Page(record);
  EXPECT_THAT(page, HasSubstr("<div><dt>2xx</dt><dd>69.00 % <small>138</small></dd></div>"));
  EXPECT_THAT(page, HasSubstr("<div class=\"bad\"><dt>5xx</dt><dd>31.00 % <small>62</small></dd></div>"));
  EXPECT_THAT(page, HasSubstr("<div class=\"bad\"><dt>errors</dt><dd>62 "));
  EXPECT_THAT(page, HasSubstr("<tr class=\"bad\"><th scope=\"row\">5xx</th>"));
  EXPECT_THAT(page, HasSubstr("id=\"outcomes\" data-label="));
  const auto outcomes = boost::json::parse(PageData(record)).at("outcomes").as_array();
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[2].at("name").as_string(), "502");
  EXPECT_EQ(outcomes[2].at("values").at(1).as_int64(), 31);
}

TEST(BenchSmallTest, ThePageShowsResponseCodesByName) {
  RunRecord record;
  record.unit = "queries";
  record.total.completed = 10;
  record.total.outcomes = {{"NOERROR", 4}, {"NOERROR (truncated)", 3}, {"SERVFAIL", 3}};
  record.total.errors = {{"answer SERVFAIL", 3}};
  const auto page = Page(record);
  EXPECT_THAT(page, HasSubstr("<div><dt>NOERROR</dt><dd>70.00 % "));
  EXPECT_THAT(page, HasSubstr("<div class=\"bad\"><dt>SERVFAIL</dt><dd>30.00 % "));
}

TEST(BenchSmallTest, ThePageSaysThatARunHasFailed) {
  RunRecord record = FailoverRecord(3);
  record.conditions = {{"errors>0.1%", "31.00 %", true}, {"p99>50ms", "1.20 ms", false}};
  auto page = Page(record);
  EXPECT_THAT(page, HasSubstr("<span class=\"badge failed\">failed</span>"));
  EXPECT_THAT(page, HasSubstr("<tr class=\"bad\"><th scope=\"row\">errors&gt;0.1%</th>"));
  EXPECT_THAT(page, HasSubstr("<tr><th scope=\"row\">p99&gt;50ms</th>"));
  record.conditions.front().holds = false;
  page = Page(record);
  EXPECT_THAT(page, Not(HasSubstr("badge failed\">")));
}

TEST(BenchSmallTest, TheTileOfferedIsTheMeanOfItsLine) {
  RunRecord record;
  record.seconds = 10;
  record.offered_rate = 500;
  record.total.started = 4'820;
  record.total.completed = 4'820;
  const auto page = Page(record);
  EXPECT_THAT(page, HasSubstr("<dt>offered</dt><dd>482 <small>of 500/s asked for</small>"));
  EXPECT_THAT(page, HasSubstr("<dt>completed</dt><dd>482 "));
}

TEST(BenchSmallTest, RecoveriesAndRefusalsHaveMarksOfTheirOwn) {
  RunRecord record = FailoverRecord(3);
  record.events = {{0, "health", "gone", EventTone::kBad},
                   {1, "health", "back", EventTone::kGood},
                   {2, "reload", "taken", EventTone::kPlain},
                   {3, "reload", "not taken", EventTone::kBad}};
  const auto page = Page(record);
  for (const auto* mark :
       {"mark health bad\">1", "mark health good\">2", "mark reload plain\">3", "mark reload bad\">4"}) {
    EXPECT_THAT(page, HasSubstr(mark));
  }
  EXPECT_THAT(page, HasSubstr("<td class=\"kind\">reload</td><td>taken</td>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"kind\">reload refused</td><td>not taken</td>"));
  EXPECT_THAT(page, HasSubstr("#events .kind { white-space: nowrap; }"));
  const auto events = boost::json::parse(PageData(record)).at("events");
  EXPECT_EQ(events.at(1).at("tone").as_string(), "good");
  EXPECT_EQ(events.at(3).at("tone").as_string(), "bad");
}

TEST(ThinnedTest, JoinsNeighboursAndLosesNothing) {
  const auto record = FailoverRecord(10);
  const auto thin = Thinned(record.intervals, 4);
  ASSERT_EQ(thin.size(), 4U);
  EXPECT_EQ(thin[0].start_seconds, 0);
  EXPECT_EQ(thin[0].length_seconds, 3);
  EXPECT_EQ(thin[3].start_seconds, 9);
  EXPECT_EQ(thin[3].length_seconds, 1);
  std::uint64_t completed = 0;
  std::uint64_t blue = 0;
  std::uint64_t answered = 0;
  for (const auto& interval : thin) {
    completed += interval.completed;
    blue += interval.shares.at("blue");
    answered += interval.outcomes.at("200");
  }
  EXPECT_EQ(completed, record.total.completed);
  EXPECT_EQ(blue, record.total.shares.at("blue"));
  EXPECT_EQ(answered, record.total.outcomes.at("200"));
  EXPECT_EQ(thin[1].max_ms,
            std::max({record.intervals[3].max_ms, record.intervals[4].max_ms, record.intervals[5].max_ms}));
  EXPECT_EQ(Thinned(record.intervals, 10).size(), 10U);
}

TEST(PercentileCurveTest, AscendsToTheMaximum) {
  Histogram histogram;
  for (int i = 1; i <= 100'000; ++i) histogram.Record(i * 1us);
  const auto curve = PercentileCurve(histogram);
  ASSERT_GT(curve.size(), 100U);
  EXPECT_EQ(curve.front().first, 0);
  EXPECT_NEAR(curve.back().first, 99.999, 1e-9);
  EXPECT_EQ(curve.back().second, 100);
  for (std::size_t i = 1; i < curve.size(); ++i) {
    EXPECT_GT(curve[i].first, curve[i - 1].first) << i;
    EXPECT_GE(curve[i].second, curve[i - 1].second) << i;
  }
}

TEST(PercentileCurveTest, OfOneValueIsFlat) {
  Histogram histogram;
  histogram.Record(3ms);
  const auto curve = PercentileCurve(histogram);
  ASSERT_GE(curve.size(), 2U);
  EXPECT_EQ(curve.front().second, 3);
  EXPECT_EQ(curve.back().second, 3);
}

}  // namespace
}  // namespace weir::bench
