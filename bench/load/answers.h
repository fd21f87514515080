#pragma once

// Which answers there are, what they are called together, and which of them a run expects. Thread: any, for everything.

#include "base/result.h"
#include "bench/load/run_record.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace weir::bench {

// What an outcome is counted as together with others: `5xx` for `502` (RFC 9110 section 15); a response code of DNS is
// a class of its own, truncated or not.
[[nodiscard]] std::string AnswerClass(std::string_view outcome);
// The counts of outcomes by their class.
[[nodiscard]] std::map<std::string, std::uint64_t> ByClass(const std::map<std::string, std::uint64_t>& outcomes);

// Answers by the names of outcomes and of classes.
class AnswerSet {
 public:
  AnswerSet() = default;
  explicit AnswerSet(std::set<std::string, std::less<>> names) : names_(std::move(names)) {}
  // Statuses of HTTP: `2xx,304,500-504`. Fails with the column (from 1) of the first part that is neither a class, a
  // status nor a range of statuses.
  [[nodiscard]] static Result<AnswerSet> ParseStatuses(std::string_view text);

  // Whether an outcome is one of them, by its own name or by that of its class.
  [[nodiscard]] bool Has(std::string_view outcome) const;
  // How many of the answers counted are among them.
  [[nodiscard]] std::uint64_t CountIn(const std::map<std::string, std::uint64_t>& outcomes) const;

 private:
  std::set<std::string, std::less<>> names_;
};

// What a run expects of HTTP unless told: every status but 5xx.
[[nodiscard]] AnswerSet ExpectedStatuses();

// An answer that was not expected is an error of the kind `answer 502`.
inline constexpr std::string_view kUnexpectedPrefix = "answer ";
// Adds those errors. The answers stay what they are besides: outcomes, with a latency.
void CountUnexpected(const AnswerSet& expected, Counts& counts);
// The classes of the answers among `errors`, which are by kind.
[[nodiscard]] std::set<std::string, std::less<>> UnexpectedClasses(const std::map<std::string, std::uint64_t>& errors);

}  // namespace weir::bench
