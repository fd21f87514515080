#include "bench/load/fail_condition.h"

#include "bench/load/http/http_counts.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace weir::bench {
namespace {

using namespace std::chrono_literals;

const ConditionWords& Words() {
  static const ConditionWords kWords{.error_kinds = ErrorKindNames(), .parse_answers = &AnswerSet::ParseStatuses};
  return kWords;
}

// 1,000 requests in 10 s: 970 answered after 1 to 970 ms, 20 of them with 502; 30 timeouts.
RunRecord Record() {
  RunRecord record;
  record.seconds = 10;
  record.total.started = 1'000;
  record.total.completed = 970;
  for (int i = 1; i <= 970; ++i) record.total.latency.Record(i * 1ms);
  record.total.outcomes = {{"200", 900}, {"204", 50}, {"502", 20}};
  record.total.errors = {{"timeout", 30}, {"answer 502", 20}};
  record.total.shares = {{"blue", 800}, {"green", 200}};
  return record;
}

std::string Refusal(std::string_view text) {
  const auto conditions = FailCondition::Parse(text, Words());
  return conditions ? "accepted" : conditions.error().message;
}

TEST(FailConditionTest, EveryMetricIsComparedInEveryUnit) {
  struct Case {
    const char* condition;
    const char* value;
    bool holds;
  };
  const RunRecord record = Record();
  for (const auto& [condition, value, holds] : {Case{"errors>0.1%", "5.00 %", true},
                                                Case{"errors>5%", "5.00 %", false},
                                                Case{"errors>=5%", "5.00 %", true},
                                                Case{"errors>49", "50", true},
                                                Case{"errors<50", "50", false},
                                                Case{"errors<=50", "50", true},
                                                Case{"errors>5/s", "5.00/s", false},
                                                Case{"errors:timeout>2.9%", "3.00 %", true},
                                                Case{"errors:connect refused>0", "0", false},
                                                Case{"errors:answer 502>19", "20", true},
                                                Case{"errors:answer 5xx>=20", "20", true},
                                                Case{"answers:5xx>2%", "2.06 %", true},
                                                Case{"answers:2xx<98%", "97.94 %", true},
                                                Case{"answers:500-502>0", "20", true},
                                                Case{"answers:404>0", "0", false},
                                                Case{"shares:green<25%", "20.00 %", true},
                                                Case{"shares:red>0", "0", false},
                                                Case{"started<1000", "1,000", false},
                                                Case{"started<101/s", "100/s", true},
                                                Case{"completed<99%", "97.00 %", true},
                                                Case{"completed<90/s", "97.0/s", false},
                                                Case{"p99>50ms", "962 ms", true},
                                                Case{"p50>0.5s", "485 ms", false},
                                                Case{"p99.9<1s", "970 ms", true},
                                                Case{"p100>970ms", "970 ms", false},
                                                Case{"min<1000us", "1.00 ms", false},
                                                Case{"mean>485ms", "486 ms", true},
                                                Case{"max>=970ms", "970 ms", true},
                                                Case{" errors > 1 ", "50", true}}) {
    const auto parsed = FailCondition::Parse(condition, Words());
    ASSERT_TRUE(parsed) << condition << ": " << parsed.error().message;
    ASSERT_EQ(parsed->size(), 1U);
    const auto result = parsed->front().Check(record);
    EXPECT_EQ(result.value, value) << condition;
    EXPECT_EQ(result.holds, holds) << condition;
  }
}

TEST(FailConditionTest, SeveralAreSeparatedByCommasAndKeepTheirText) {
  const auto parsed = FailCondition::Parse("errors>0.1%, p99>2s", Words());
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 2U);
  EXPECT_EQ((*parsed)[0].Check(Record()).condition, "errors>0.1%");
  EXPECT_TRUE((*parsed)[0].Check(Record()).holds);
  EXPECT_EQ((*parsed)[1].Check(Record()).condition, "p99>2s");
  EXPECT_FALSE((*parsed)[1].Check(Record()).holds);
}

TEST(FailConditionTest, ARunWithoutAnswersHasNoLatencyThatIsShortEnough) {
  const auto parsed = FailCondition::Parse("p99>50ms,p99<50ms,errors>0%,completed<1/s,shares:blue>1%", Words());
  ASSERT_TRUE(parsed);
  const RunRecord nothing;
  EXPECT_TRUE((*parsed)[0].Check(nothing).holds);
  EXPECT_EQ((*parsed)[0].Check(nothing).value, "nothing was completed");
  EXPECT_FALSE((*parsed)[1].Check(nothing).holds);
  EXPECT_FALSE((*parsed)[2].Check(nothing).holds);
  EXPECT_TRUE((*parsed)[3].Check(nothing).holds);
  EXPECT_FALSE((*parsed)[4].Check(nothing).holds);
}

TEST(FailConditionTest, MistakesAreToldWithTheirColumn) {
  for (const auto& [text, message] : {
           std::pair{"", "column 1: a condition is missing"},
           {"errors>1,", "column 10: a condition is missing"},
           {"errors", "column 7: `errors` compares with nothing"},
           {"errors=1", "column 7: `errors=1` compares with nothing"},
           {"errors>", "column 8: the limit is missing"},
           {"errors>x%", "column 8: `x%` is no limit"},
           {"errors>-1", "column 8: `-1` is no limit"},
           {"errors>1e3", "column 8: `1e3` is no limit"},
           {"errors>5ms", "column 8: `5ms` is no limit"},
           {"errors>1, p99>50", "column 15: `50` is no limit"},
           {"p99>1%", "column 5: `1%` is no limit"},
           {"started>1%", "column 9: `1%` is no limit"},
           {"erorrs>1", "column 1: `erorrs` is no metric"},
           {"p0>1ms", "column 1: `p0` is no metric"},
           {"p101>1ms", "column 1: `p101` is no metric"},
           {"p>1ms", "column 1: `p` is no metric"},
           {">1", "column 1: `` is no metric"},
           {"errors:>1", "column 8: errors of what is missing"},
           {"errors:timeuot>1", "column 8: `timeuot` is no kind of error"},
           {"errors:answer 7>1", "column 8: `answer 7` is no kind of error"},
           {"answers>1", "column 8: answers of what is missing"},
           {"answers:6>1", "column 9: `6` is no answer"},
           {"shares>1%", "column 7: shares of what is missing"},
           {"started:x>1", "column 9: started has no parts"},
           {"p99:x>1ms", "column 1: `p99:x` is no metric"},
       }) {
    EXPECT_EQ(Refusal(text), message) << text;
  }
  EXPECT_EQ(FailCondition::Parse("errors:timeuot>1", Words()).error().hint, "did you mean timeout?");
}

}  // namespace
}  // namespace weir::bench
