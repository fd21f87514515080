#pragma once

#include "base/result.h"
#include "bench/load/answers.h"
#include "bench/load/run_record.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

// What a condition may name beside the words that every run knows.
struct ConditionWords {
  std::vector<std::string_view> error_kinds;                       // of `errors:KIND`
  Result<AnswerSet> (*parse_answers)(std::string_view) = nullptr;  // of `answers:NAME`
};

// One condition under which a run has failed, as `errors>0.1%` or `p99>50ms`: a metric, `>`, `>=`, `<` or `<=`, and a
// limit in one of the metric's units. docs/bench.md has the grammar. A value. Thread: any.
class FailCondition {
 public:
  // Reads conditions that are separated by commas. Fails with the column (from 1) of what is wrong.
  [[nodiscard]] static Result<std::vector<FailCondition>> Parse(std::string_view text, const ConditionWords& words);

  // What the run's value is, in the unit of the limit, and whether the condition holds. Latencies of a run in which
  // nothing was completed are longer than any limit.
  [[nodiscard]] ConditionResult Check(const RunRecord& record) const;

 private:
  friend class ConditionParser;
  enum class Metric : std::uint8_t { kErrors, kAnswers, kShares, kStarted, kCompleted, kMin, kMean, kMax, kPercentile };
  enum class Unit : std::uint8_t { kCount, kPercent, kPerSecond, kMilliseconds };
  enum class Comparison : std::uint8_t { kAbove, kAtLeast, kBelow, kAtMost };

  [[nodiscard]] bool IsLatency() const { return metric_ >= Metric::kMin; }
  [[nodiscard]] std::uint64_t CountOf(const RunRecord& record) const;
  // What 100 % is.
  [[nodiscard]] std::uint64_t WholeOf(const RunRecord& record) const;
  [[nodiscard]] double LatencyOf(const RunRecord& record) const;
  [[nodiscard]] bool Holds(double value) const;

  std::string text_;
  Metric metric_ = Metric::kErrors;
  std::string name_;    // kErrors: one kind, empty for all; kShares: the group or value
  AnswerSet answers_;   // kAnswers; kErrors: of the kind `answer NAME`
  double percent_ = 0;  // kPercentile
  Comparison comparison_ = Comparison::kAbove;
  Unit unit_ = Unit::kCount;
  double limit_ = 0;
};

}  // namespace weir::bench
