#include "app/bench_verdict.h"

#include "bench/load/text_format.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <utility>

namespace weir::app {

void AddBenchVerdictOptions(CLI::App& command, BenchVerdictArguments& arguments, const std::string& expect_help) {
  constexpr auto kGroup = "Success";
  command.add_option("--expect", arguments.expect, expect_help)->type_name("ANSWERS")->group(kGroup);
  command
      .add_option("--fail-if", arguments.fail_if,
                  "exit code 1 when this holds: 'errors>0.1%', 'p99>50ms,completed<99%' ...; may be repeated")
      ->allow_extra_args(false)
      ->type_name("CONDITIONS")
      ->group(kGroup);
}

Result<BenchVerdict> BuildBenchVerdict(const BenchVerdictArguments& arguments,
                                       const bench::AnswerSet& expected_unless_told,
                                       const bench::ConditionWords& words) {
  BenchVerdict verdict{.expected = expected_unless_told, .conditions = {}};
  const auto refuse = [](const char* option, const std::string& text, const Error& error) {
    return Failure(fmt::format("{} '{}': {}", option, bench::TerminalText(text), bench::TerminalText(error.message)),
                   error.hint);
  };
  if (arguments.expect) {
    auto expected = words.parse_answers(*arguments.expect);
    if (!expected) return refuse("--expect", *arguments.expect, expected.error());
    verdict.expected = *std::move(expected);
  }
  for (const auto& text : arguments.fail_if) {
    auto conditions = bench::FailCondition::Parse(text, words);
    if (!conditions) return refuse("--fail-if", text, conditions.error());
    verdict.conditions.insert(verdict.conditions.end(), std::make_move_iterator(conditions->begin()),
                              std::make_move_iterator(conditions->end()));
  }
  return verdict;
}

void BenchVerdict::Judge(bench::RunRecord& record) const {
  for (const auto& condition : conditions) record.conditions.push_back(condition.Check(record));
}

ExitCode BenchVerdict::Tell(const bench::RunRecord& record) const {
  ExitCode code = kDone;
  if (expected.CountIn(record.total.outcomes) == 0) {
    fmt::print(stderr, "weir: {}\n", record.total.completed == 0 ? "nothing was answered" : "no answer was expected");
    code = kInputWrong;
  }
  for (const auto& [condition, value, holds] : record.conditions) {
    if (!holds) continue;
    fmt::print(stderr, "weir: the run has failed: {}: {}\n", bench::TerminalText(condition), value);
    code = kInputWrong;
  }
  return code;
}

}  // namespace weir::app
