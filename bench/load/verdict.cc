#include "bench/load/verdict.h"

#include "base/figures.h"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <utility>

namespace weir::bench {

Result<Verdict> BuildVerdict(const VerdictArguments& arguments, const AnswerSet& expected_unless_told,
                             const ConditionWords& words) {
  Verdict verdict{.expected = expected_unless_told, .conditions = {}};
  const auto refuse = [](const char* option, const std::string& text, const Error& error) {
    return Failure(fmt::format("{} '{}': {}", option, TerminalText(text), TerminalText(error.message)), error.hint);
  };
  if (arguments.expect) {
    auto expected = words.parse_answers(*arguments.expect);
    if (!expected) return refuse("--expect", *arguments.expect, expected.error());
    verdict.expected = *std::move(expected);
  }
  for (const auto& text : arguments.fail_if) {
    auto conditions = FailCondition::Parse(text, words);
    if (!conditions) return refuse("--fail-if", text, conditions.error());
    verdict.conditions.insert(verdict.conditions.end(), std::make_move_iterator(conditions->begin()),
                              std::make_move_iterator(conditions->end()));
  }
  return verdict;
}

void Verdict::Judge(RunRecord& record) const {
  for (const auto& condition : conditions) record.conditions.push_back(condition.Check(record));
}

bool Verdict::Tell(const RunRecord& record) const {
  bool passed = true;
  if (expected.CountIn(record.total.outcomes) == 0) {
    fmt::print(stderr, "weir: {}\n", record.total.completed == 0 ? "nothing was answered" : "no answer was expected");
    passed = false;
  }
  for (const auto& [condition, value, holds] : record.conditions) {
    if (!holds) continue;
    fmt::print(stderr, "weir: the run has failed: {}: {}\n", TerminalText(condition), value);
    passed = false;
  }
  return passed;
}

}  // namespace weir::bench
