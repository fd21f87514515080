#pragma once

#include "app/commands.h"
#include "base/result.h"
#include "bench/load/answers.h"
#include "bench/load/fail_condition.h"
#include "bench/load/run_record.h"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weir::app {

// What a bench command is told about success, as it was written.
struct BenchVerdictArguments {
  std::optional<std::string> expect;  // absent: what the protocol expects
  std::vector<std::string> fail_if;   // each may have several conditions
};

// Adds --expect and --fail-if; `expect_help` says what --expect takes.
void AddBenchVerdictOptions(CLI::App& command, BenchVerdictArguments& arguments, const std::string& expect_help);

// Says of a finished run whether it has failed. A value.
struct BenchVerdict {
  bench::AnswerSet expected;
  std::vector<bench::FailCondition> conditions;

  // Puts what became of the conditions into the record.
  void Judge(bench::RunRecord& record) const;
  // Tells on standard error why a judged run has failed. kDone when it has not: some answer was expected, and no
  // condition holds.
  [[nodiscard]] ExitCode Tell(const bench::RunRecord& record) const;
};

// Reads the arguments. Fails with the option, and the column in it, of what is wrong.
[[nodiscard]] Result<BenchVerdict> BuildBenchVerdict(const BenchVerdictArguments& arguments,
                                                     const bench::AnswerSet& expected_unless_told,
                                                     const bench::ConditionWords& words);

}  // namespace weir::app
