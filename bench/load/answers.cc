#include "bench/load/answers.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace weir::bench {
namespace {

constexpr std::size_t kStatusDigits = 3;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// 100 to 999, in three digits.
std::optional<unsigned> ParseStatus(std::string_view text) {
  const auto value = text.size() == kStatusDigits ? ParseDecimal(text) : std::nullopt;
  return value && *value >= 100 ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
}

bool IsClass(std::string_view text) {
  return text.size() == kStatusDigits && text[0] >= '1' && text[0] <= '9' && EqualsLower(text.substr(1), "xx");
}

// Puts what `part` names into `names`; false when it is none of the three forms.
bool PutStatuses(std::string_view part, std::set<std::string, std::less<>>& names) {
  if (IsClass(part)) {
    names.insert(ToLowerAscii(part));
    return true;
  }
  const std::size_t dash = std::min(part.find('-'), part.size());
  const auto first = ParseStatus(part.substr(0, dash));
  const auto last = dash == part.size() ? first : ParseStatus(part.substr(dash + 1));
  if (!first || !last || *last < *first) return false;
  for (unsigned status = *first; status <= *last; ++status) names.insert(std::to_string(status));
  return true;
}

}  // namespace

std::string AnswerClass(std::string_view outcome) {
  if (outcome.size() == kStatusDigits && std::ranges::all_of(outcome, IsDigit)) {
    return fmt::format("{}xx", outcome.front());
  }
  return std::string(outcome.substr(0, outcome.find(" (")));
}

std::map<std::string, std::uint64_t> ByClass(const std::map<std::string, std::uint64_t>& outcomes) {
  std::map<std::string, std::uint64_t> classes;
  for (const auto& [outcome, count] : outcomes) classes[AnswerClass(outcome)] += count;
  return classes;
}

Result<AnswerSet> AnswerSet::ParseStatuses(std::string_view text) {
  std::set<std::string, std::less<>> names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    if (!PutStatuses(part, names)) {
      return Failure(fmt::format("column {}: `{}` is no status", begin + 1, part), "write 2xx, 304 or 500-504");
    }
    begin = end + 1;
  }
  return AnswerSet(std::move(names));
}

bool AnswerSet::Has(std::string_view outcome) const {
  return names_.contains(outcome) || names_.contains(AnswerClass(outcome));
}

std::uint64_t AnswerSet::CountIn(const std::map<std::string, std::uint64_t>& outcomes) const {
  std::uint64_t sum = 0;
  for (const auto& [outcome, count] : outcomes) sum += Has(outcome) ? count : 0;
  return sum;
}

AnswerSet ExpectedStatuses() { return AnswerSet({"1xx", "2xx", "3xx", "4xx"}); }

void CountUnexpected(const AnswerSet& expected, Counts& counts) {
  for (const auto& [outcome, count] : counts.outcomes) {
    if (expected.Has(outcome)) continue;
    counts.errors[fmt::format("{}{}", kUnexpectedPrefix, outcome.substr(0, outcome.find(" (")))] += count;
  }
}

std::set<std::string, std::less<>> UnexpectedClasses(const std::map<std::string, std::uint64_t>& errors) {
  std::set<std::string, std::less<>> classes;
  for (const auto& [kind, count] : errors) {
    if (kind.starts_with(kUnexpectedPrefix)) classes.insert(AnswerClass(kind.substr(kUnexpectedPrefix.size())));
  }
  return classes;
}

}  // namespace weir::bench
