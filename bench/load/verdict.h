#pragma once

#include "base/result.h"
#include "bench/load/answers.h"
#include "bench/load/fail_condition.h"
#include "bench/load/run_record.h"

#include <optional>
#include <string>
#include <vector>

namespace weir::bench {

// What a bench command is told about success, as it was written.
struct VerdictArguments {
  std::optional<std::string> expect;  // absent: what the protocol expects
  std::vector<std::string> fail_if;   // each may have several conditions
};

// Says of a finished run whether it has failed. A value.
struct Verdict {
  AnswerSet expected;
  std::vector<FailCondition> conditions;

  // Puts what became of the conditions into the record.
  void Judge(RunRecord& record) const;
  // Tells on standard error why a judged run has failed. True when it has not: some answer was expected, and no
  // condition holds.
  [[nodiscard]] bool Tell(const RunRecord& record) const;
};

// Reads the arguments. Fails with the option, and the column in it, of what is wrong.
[[nodiscard]] Result<Verdict> BuildVerdict(const VerdictArguments& arguments, const AnswerSet& expected_unless_told,
                                           const ConditionWords& words);

}  // namespace weir::bench
