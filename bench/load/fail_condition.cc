#include "bench/load/fail_condition.h"

#include "base/figures.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

namespace weir::bench {
namespace {

std::uint64_t CountAt(const std::map<std::string, std::uint64_t>& counts, const std::string& name) {
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

// The errors that are answers of `answers`, not expected.
std::uint64_t CountUnexpectedIn(const std::map<std::string, std::uint64_t>& errors, const AnswerSet& answers) {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : errors) {
    if (kind.starts_with(kUnexpectedPrefix) && answers.Has(kind.substr(kUnexpectedPrefix.size()))) sum += count;
  }
  return sum;
}

// A decimal number at the front of `text`, without sign and exponent; what follows it is left in `text`.
std::optional<double> TakeNumber(std::string_view& text) {
  double value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

// Reads a list of conditions; positions are columns of the whole text.
class ConditionParser {
 public:
  ConditionParser(std::string_view text, const ConditionWords& words) : text_(text), words_(words) {}
  Result<std::vector<FailCondition>> Parse();

 private:
  using Metric = FailCondition::Metric;
  using Unit = FailCondition::Unit;
  using Comparison = FailCondition::Comparison;
  struct Word {
    std::string_view text;
    std::size_t at = 0;
  };

  [[nodiscard]] static Word Trimmed(Word word);
  [[nodiscard]] Result<FailCondition> ParseOne(Word whole) const;
  Result<void> TakeMetric(Word word, FailCondition& into) const;
  Result<void> TakeName(Word metric, Word name, FailCondition& into) const;
  Result<void> TakeLimit(Word word, FailCondition& into) const;
  [[nodiscard]] static std::unexpected<Error> Fail(std::size_t at, std::string message, std::string hint) {
    return Failure(fmt::format("column {}: {}", at + 1, message), std::move(hint));
  }

  std::string_view text_;
  const ConditionWords& words_;
};

Result<std::vector<FailCondition>> ConditionParser::Parse() {
  std::vector<FailCondition> out;
  for (std::size_t begin = 0; begin <= text_.size();) {
    const std::size_t end = std::min(text_.find(',', begin), text_.size());
    auto condition = ParseOne(Trimmed({text_.substr(begin, end - begin), begin}));
    if (!condition) return std::unexpected(condition.error());
    out.push_back(*std::move(condition));
    begin = end + 1;
  }
  return out;
}

ConditionParser::Word ConditionParser::Trimmed(Word word) {
  while (word.text.starts_with(' ')) {
    word.text.remove_prefix(1);
    ++word.at;
  }
  while (word.text.ends_with(' ')) word.text.remove_suffix(1);
  return word;
}

Result<FailCondition> ConditionParser::ParseOne(Word whole) const {
  constexpr auto kHint = "write METRIC>LIMIT or METRIC<LIMIT, as errors>0.1% or p99>50ms";
  if (whole.text.empty()) return Fail(whole.at, "a condition is missing", kHint);
  const std::size_t place = whole.text.find_first_of("<>=");
  if (place == std::string_view::npos || whole.text[place] == '=') {
    const std::size_t at = whole.at + (place == std::string_view::npos ? whole.text.size() : place);
    return Fail(at, fmt::format("`{}` compares with nothing", whole.text), kHint);
  }
  const bool above = whole.text[place] == '>';
  const bool or_equal = whole.text.substr(place + 1).starts_with('=');
  FailCondition made;
  made.text_ = whole.text;
  if (above) {
    made.comparison_ = or_equal ? Comparison::kAtLeast : Comparison::kAbove;
  } else {
    made.comparison_ = or_equal ? Comparison::kAtMost : Comparison::kBelow;
  }
  const std::size_t limit = place + (or_equal ? 2 : 1);
  if (auto taken = TakeMetric(Trimmed({whole.text.substr(0, place), whole.at}), made); !taken) {
    return std::unexpected(taken.error());
  }
  if (auto taken = TakeLimit(Trimmed({whole.text.substr(limit), whole.at + limit}), made); !taken) {
    return std::unexpected(taken.error());
  }
  return made;
}

Result<void> ConditionParser::TakeMetric(Word word, FailCondition& into) const {
  static constexpr std::array<std::pair<std::string_view, Metric>, 8> kMetrics = {{{"errors", Metric::kErrors},
                                                                                   {"answers", Metric::kAnswers},
                                                                                   {"shares", Metric::kShares},
                                                                                   {"started", Metric::kStarted},
                                                                                   {"completed", Metric::kCompleted},
                                                                                   {"min", Metric::kMin},
                                                                                   {"mean", Metric::kMean},
                                                                                   {"max", Metric::kMax}}};
  const std::size_t colon = std::min(word.text.find(':'), word.text.size());
  const Word metric = {word.text.substr(0, colon), word.at};
  const auto* found = std::ranges::find(kMetrics, metric.text, &std::pair<std::string_view, Metric>::first);
  if (found != kMetrics.end()) {
    into.metric_ = found->second;
    const bool has_name = colon < word.text.size();
    return TakeName(metric, {has_name ? word.text.substr(colon + 1) : "", word.at + colon + (has_name ? 1 : 0)}, into);
  }
  std::string_view rest = word.text.starts_with('p') ? word.text.substr(1) : std::string_view();
  const auto percent = TakeNumber(rest);
  if (!percent || !rest.empty() || *percent <= 0 || *percent > 100) {
    return Fail(word.at, fmt::format("`{}` is no metric", word.text),
                "metrics are errors, errors:KIND, answers:NAME, shares:NAME, started, completed, min, mean, max and "
                "percentiles from p0.001 to p100");
  }
  into.metric_ = Metric::kPercentile;
  into.percent_ = *percent;
  return {};
}

Result<void> ConditionParser::TakeName(Word metric, Word name, FailCondition& into) const {
  const bool takes_name =
      into.metric_ == Metric::kErrors || into.metric_ == Metric::kAnswers || into.metric_ == Metric::kShares;
  const bool has_name = name.at > metric.at + metric.text.size();
  if (has_name && !takes_name) return Fail(name.at, fmt::format("{} has no parts", metric.text), "");
  if (has_name ? name.text.empty() : takes_name && into.metric_ != Metric::kErrors) {
    return Fail(name.at, fmt::format("{} of what is missing", metric.text), fmt::format("write {}:NAME", metric.text));
  }
  into.name_ = name.text;
  if (into.metric_ == Metric::kAnswers) {
    auto answers = words_.parse_answers(name.text);
    if (!answers) return Fail(name.at, fmt::format("`{}` is no answer", name.text), answers.error().hint);
    into.answers_ = *std::move(answers);
  }
  if (into.metric_ != Metric::kErrors || !has_name) return {};
  if (name.text.starts_with(kUnexpectedPrefix)) {
    auto answers = words_.parse_answers(name.text.substr(kUnexpectedPrefix.size()));
    if (answers) {
      into.answers_ = *std::move(answers);
      return {};
    }
  }
  if (std::ranges::find(words_.error_kinds, name.text) != words_.error_kinds.end()) return {};
  const auto near = NearestWord(name.text, words_.error_kinds);
  return Fail(name.at, fmt::format("`{}` is no kind of error", name.text),
              near.empty() ? "docs/bench.md has the kinds" : fmt::format("did you mean {}?", near));
}

Result<void> ConditionParser::TakeLimit(Word word, FailCondition& into) const {
  const bool is_latency = into.IsLatency();
  const auto refuse = [&] {
    const auto* hint = is_latency                         ? "write a time, as 800us, 50ms or 1.5s"
                       : into.metric_ == Metric::kStarted ? "write a number or a rate, as 1000 or 200/s"
                                                          : "write a number, a share or a rate, as 10, 0.1% or 5/s";
    return Fail(word.at, word.text.empty() ? "the limit is missing" : fmt::format("`{}` is no limit", word.text), hint);
  };
  std::string_view unit = word.text;
  const auto number = TakeNumber(unit);
  if (!number) return refuse();
  into.limit_ = *number;
  if (is_latency) {
    into.unit_ = Unit::kMilliseconds;
    static constexpr std::array<std::pair<std::string_view, double>, 3> kTimes = {
        {{"us", 0.001}, {"ms", 1}, {"s", 1000}}};
    const auto* time = std::ranges::find(kTimes, unit, &std::pair<std::string_view, double>::first);
    if (time == kTimes.end()) return refuse();
    into.limit_ *= time->second;
    return {};
  }
  const bool percent = unit == "%" && into.metric_ != Metric::kStarted;
  if (!unit.empty() && unit != "/s" && !percent) return refuse();
  into.unit_ = percent ? Unit::kPercent : unit.empty() ? Unit::kCount : Unit::kPerSecond;
  return {};
}

Result<std::vector<FailCondition>> FailCondition::Parse(std::string_view text, const ConditionWords& words) {
  return ConditionParser(text, words).Parse();
}

std::uint64_t FailCondition::CountOf(const RunRecord& record) const {
  const Counts& total = record.total;
  switch (metric_) {
    case Metric::kErrors:
      if (name_.empty()) return total.error_count();
      return name_.starts_with(kUnexpectedPrefix) ? CountUnexpectedIn(total.errors, answers_)
                                                  : CountAt(total.errors, name_);
    case Metric::kAnswers:
      return answers_.CountIn(total.outcomes);
    case Metric::kShares:
      return CountAt(total.shares, name_);
    case Metric::kStarted:
      return total.started;
    default:
      return total.completed;
  }
}

std::uint64_t FailCondition::WholeOf(const RunRecord& record) const {
  if (metric_ == Metric::kAnswers) return record.total.completed;
  return metric_ == Metric::kShares ? SumOf(record.total.shares) : record.total.started;
}

double FailCondition::LatencyOf(const RunRecord& record) const {
  const Histogram& latency = record.total.latency;
  if (latency.count() == 0) return std::numeric_limits<double>::infinity();
  switch (metric_) {
    case Metric::kMin:
      return Milliseconds(latency.min());
    case Metric::kMean:
      return Milliseconds(latency.mean());
    case Metric::kMax:
      return Milliseconds(latency.max());
    default:
      return Milliseconds(latency.Percentile(percent_));
  }
}

bool FailCondition::Holds(double value) const {
  switch (comparison_) {
    case Comparison::kAbove:
      return value > limit_;
    case Comparison::kAtLeast:
      return value >= limit_;
    case Comparison::kBelow:
      return value < limit_;
    case Comparison::kAtMost:
      break;
  }
  return value <= limit_;
}

ConditionResult FailCondition::Check(const RunRecord& record) const {
  if (IsLatency()) {
    const double value = LatencyOf(record);
    const bool any = record.total.latency.count() > 0;
    return {.condition = text_, .value = any ? DurationText(value) : "nothing was completed", .holds = Holds(value)};
  }
  const std::uint64_t count = CountOf(record);
  const auto number = static_cast<double>(count);
  switch (unit_) {
    case Unit::kPercent: {
      const std::uint64_t whole = WholeOf(record);
      const double percent = whole == 0 ? 0 : 100 * number / static_cast<double>(whole);
      return {.condition = text_, .value = PercentText(count, whole), .holds = Holds(percent)};
    }
    case Unit::kPerSecond: {
      const double rate = record.seconds > 0 ? number / record.seconds : 0;
      return {.condition = text_, .value = RateText(rate) + "/s", .holds = Holds(rate)};
    }
    default:
      return {.condition = text_, .value = CountText(count), .holds = Holds(number)};
  }
}

}  // namespace weir::bench
