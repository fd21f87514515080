#include "bench/load/verdict.h"

#include "bench/load/http/http_counts.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::bench {
namespace {

Result<Verdict> Build(const VerdictArguments& arguments) {
  return BuildVerdict(arguments, ExpectedStatuses(),
                      {.error_kinds = ErrorKindNames(), .parse_answers = &AnswerSet::ParseStatuses});
}

RunRecord RecordOf(const std::string& outcome) {
  RunRecord record;
  record.total.completed = 10;
  record.total.outcomes[outcome] = 10;
  return record;
}

TEST(VerdictTest, ARunWithAnExpectedAnswerHasPassed) {
  EXPECT_TRUE(Build({})->Tell(RecordOf("200")));
  EXPECT_FALSE(Build({})->Tell(RecordOf("502")));
  EXPECT_FALSE(Build({})->Tell(RunRecord{}));
}

TEST(VerdictTest, ExpectReplacesWhatTheProtocolExpects) {
  const auto verdict = Build({.expect = "502", .fail_if = {}});
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->Tell(RecordOf("502")));
  EXPECT_FALSE(verdict->Tell(RecordOf("200")));
}

TEST(VerdictTest, AConditionThatHoldsFailsTheRun) {
  const auto verdict = Build({.expect = {}, .fail_if = {"completed>5", "completed>20"}});
  ASSERT_TRUE(verdict);
  auto record = RecordOf("200");
  verdict->Judge(record);
  ASSERT_EQ(record.conditions.size(), 2U);
  EXPECT_TRUE(record.conditions[0].holds);
  EXPECT_FALSE(record.conditions[1].holds);
  EXPECT_FALSE(verdict->Tell(record));
}

TEST(VerdictTest, AWrongArgumentIsToldWithItsOption) {
  EXPECT_EQ(Build({.expect = "2xx,20x", .fail_if = {}}).error().message.substr(0, 18), "--expect '2xx,20x'");
  EXPECT_EQ(Build({.expect = {}, .fail_if = {"nonsense"}}).error().message.substr(0, 20), "--fail-if 'nonsense'");
}

}  // namespace
}  // namespace weir::bench
