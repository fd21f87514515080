#include "proxy/routing/conditions/text_values.h"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

namespace weir::proxy {

std::expected<std::vector<TextPattern>, std::vector<config::Diagnostic>> CompileTexts(
    std::span<const config::LocatedText> values, std::span<const config::LocatedText> regex_values, CaseRule case_rule,
    const std::string& path, EscapeRule escape_rule) {
  std::vector<TextPattern> patterns;
  std::vector<config::Diagnostic> findings;
  patterns.reserve(values.size() + regex_values.size());
  for (const auto& value : values) patterns.push_back(TextPattern::Glob(value.text, case_rule, escape_rule));
  for (std::size_t i = 0; i < regex_values.size(); ++i) {
    auto pattern = TextPattern::Regex(regex_values[i].text, case_rule);
    if (pattern) {
      patterns.push_back(std::move(*pattern));
      continue;
    }
    findings.push_back({.severity = config::Severity::kError,
                        .position = regex_values[i].position,
                        .path = fmt::format("{}.regex-values[{}]", path, i),
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
