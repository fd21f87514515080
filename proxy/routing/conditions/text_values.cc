#include "proxy/routing/conditions/text_values.h"

#include "config/schema/conditions.h"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

namespace weir::proxy {

namespace {

CaseRule CaseRuleOf(config::Comparison comparison) {
  switch (comparison) {
    case config::Comparison::kExact:
    case config::Comparison::kCaseCounts:
      return CaseRule::kSensitive;
    case config::Comparison::kCaseIgnored:
    case config::Comparison::kEscapedIgnored:
      return CaseRule::kInsensitive;
  }
  std::unreachable();
}

}  // namespace

TextPattern CompileText(config::ConditionKind kind, std::string_view text) {
  const config::ConditionRow& row = config::RowOf(kind);
  const bool backslash = row.comparison == config::Comparison::kEscapedIgnored;
  return TextPattern::Glob(text, CaseRuleOf(row.comparison),
                           backslash             ? EscapeRule::kBackslash
                           : row.percent_encoded ? EscapeRule::kPercent
                                                 : EscapeRule::kNone);
}

std::expected<std::vector<TextPattern>, std::vector<config::Diagnostic>> CompileTexts(
    const config::Condition& condition, const std::string& path) {
  const config::ConditionRow& row = config::RowOf(condition.kind);
  const auto& values = condition.values;
  const auto& regex_values = condition.regex_values;
  std::vector<TextPattern> patterns;
  std::vector<config::Diagnostic> findings;
  patterns.reserve(values.size() + regex_values.size());
  for (const auto& value : values) patterns.push_back(CompileText(condition.kind, value.text));
  for (std::size_t i = 0; i < regex_values.size(); ++i) {
    auto pattern = TextPattern::Regex(regex_values[i].text, CaseRuleOf(row.comparison));
    if (pattern) {
      patterns.push_back(std::move(*pattern));
      continue;
    }
    findings.push_back({.severity = config::Severity::kError,
                        .position = regex_values[i].position,
                        .path = fmt::format("{}.{}.regex-values[{}]", path, row.field.key, i),
                        .message = pattern.error().message,
                        .hint = pattern.error().hint});
  }
  if (!findings.empty()) return std::unexpected(std::move(findings));
  return patterns;
}

std::string QuotedText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c >= 0x20 && c <= 0x7E) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + '"';
}

std::string JoinTexts(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

std::string AnyOf(const std::vector<std::string>& words) {
  return words.size() == 1 ? words.front() : "any of " + JoinTexts(words);
}

std::vector<std::string> DescribePatterns(std::span<const TextPattern> patterns) {
  std::vector<std::string> words;
  words.reserve(patterns.size());
  for (const TextPattern& pattern : patterns) {
    words.push_back((pattern.is_regex() ? "the regular expression " : "") + QuotedText(pattern.source()));
  }
  return words;
}

std::string MatchSentence(std::string_view subject, bool holds, std::string_view object) {
  return fmt::format("{} {} {}", subject, holds ? "matches" : "does not match", object);
}

}  // namespace weir::proxy
