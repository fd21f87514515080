#include "bench/load/answers.h"

#include "bench/load/dns/rcodes.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::bench {
namespace {

using Map = std::map<std::string, std::uint64_t>;

std::string Refusal(const Result<AnswerSet>& answers) {
  if (answers) return "accepted";
  return answers.error().message + "; " + answers.error().hint;
}

TEST(AnswersTest, AClassHoldsTheStatusesOfOneDigit) {
  EXPECT_EQ(ByClass({{"200", 5}, {"204", 1}, {"503", 2}, {"101", 3}}), (Map{{"1xx", 3}, {"2xx", 6}, {"5xx", 2}}));
  EXPECT_EQ(ByClass({{"NOERROR", 5}, {"NOERROR (truncated)", 1}, {"RCODE24", 2}}),
            (Map{{"NOERROR", 6}, {"RCODE24", 2}}));
}

TEST(AnswersTest, StatusesAreClassesNumbersAndRanges) {
  const auto answers = AnswerSet::ParseStatuses("2XX,304,500-502");
  ASSERT_TRUE(answers);
  for (const auto* status : {"200", "299", "304", "500", "501", "502"}) EXPECT_TRUE(answers->Has(status)) << status;
  for (const auto* status : {"100", "300", "303", "404", "499", "503"}) EXPECT_FALSE(answers->Has(status)) << status;
  EXPECT_EQ(answers->CountIn({{"200", 7}, {"404", 5}, {"502", 1}}), 8U);
}

TEST(AnswersTest, WhatIsNoStatusIsToldWithItsColumn) {
  EXPECT_EQ(Refusal(AnswerSet::ParseStatuses("2xx,20x")), "column 5: `20x` is no status; write 2xx, 304 or 500-504");
  for (const auto* text :
       {"", "2xx,", ",2xx", "0xx", "099", "1000", "20", "xx", "504-500", "500-", "-500", "2xx 304", "2xx, 304", "ok"}) {
    EXPECT_FALSE(AnswerSet::ParseStatuses(text)) << text;
  }
}

TEST(AnswersTest, ResponseCodesAreNamesInAnyCase) {
  const auto answers = ParseRcodes("noerror,SERVFAIL,RCODE24");
  ASSERT_TRUE(answers);
  for (const auto* name : {"NOERROR", "NOERROR (truncated)", "SERVFAIL", "RCODE24"})
    EXPECT_TRUE(answers->Has(name)) << name;
  for (const auto* name : {"NXDOMAIN", "REFUSED", "RCODE23"}) EXPECT_FALSE(answers->Has(name)) << name;
  EXPECT_EQ(Refusal(ParseRcodes("NOERROR,NXDOMIAN")),
            "column 9: `NXDOMIAN` is no response code; did you mean NXDOMAIN?");
  for (const auto* text : {"", "NOERROR,", "RCODE0", "RCODE4096", "2xx"}) EXPECT_FALSE(ParseRcodes(text)) << text;
}

TEST(BenchSmallTest, ServerErrorsAreErrorsUnlessToldOtherwise) {
  Counts counts{.started = 10, .completed = 10};
  counts.outcomes = {{"200", 4}, {"404", 3}, {"502", 2}, {"503", 1}};
  Counts told = counts;
  CountUnexpected(ExpectedStatuses(), counts);
  EXPECT_EQ(counts.errors, (Map{{"answer 502", 2}, {"answer 503", 1}}));
  EXPECT_EQ(counts.outcomes.at("502"), 2U) << "it was answered all the same";
  EXPECT_EQ(UnexpectedClasses(counts.errors), (std::set<std::string, std::less<>>{"5xx"}));
  CountUnexpected(*AnswerSet::ParseStatuses("2xx,503"), told);
  EXPECT_EQ(told.errors, (Map{{"answer 404", 3}, {"answer 502", 2}}));
}

TEST(BenchSmallTest, FailingResponseCodesAreErrors) {
  Counts counts{.started = 10, .completed = 10};
  counts.outcomes = {{"NOERROR", 4}, {"NXDOMAIN", 3}, {"REFUSED", 1}, {"SERVFAIL", 1}, {"SERVFAIL (truncated)", 1}};
  CountUnexpected(ExpectedRcodes(), counts);
  EXPECT_EQ(counts.errors, (Map{{"answer REFUSED", 1}, {"answer SERVFAIL", 2}}));
}

}  // namespace
}  // namespace weir::bench
