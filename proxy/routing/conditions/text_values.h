#pragma once

// What conditions over texts have in common: their values, and the words that explain them.

#include "config/model.h"
#include "proxy/routing/text_pattern.h"

#include <algorithm>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// The patterns of `values` and `regex_values`, in that order. Fails with every expression that RE2 refuses; `path` is
// where the values stand in the file: conditions[1].path-pattern. `escape_rule` is that of the wildcard patterns.
[[nodiscard]] std::expected<std::vector<TextPattern>, std::vector<config::Diagnostic>> CompileTexts(
    std::span<const config::LocatedText> values, std::span<const config::LocatedText> regex_values, CaseRule case_rule,
    const std::string& path, EscapeRule escape_rule = EscapeRule::kNone);

[[nodiscard]] inline bool MatchesAny(std::span<const TextPattern> patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [text](const TextPattern& pattern) { return pattern.Matches(text); });
}

// In quotes; bytes that are not visible ASCII as \xNN.
[[nodiscard]] std::string QuotedText(std::string_view text);
// `a, b`.
[[nodiscard]] std::string JoinTexts(const std::vector<std::string>& words);
// A sentence's object: the only word, or `any of a, b`.
[[nodiscard]] std::string AnyOf(const std::vector<std::string>& words);
// Each pattern as it is written, expressions called by that name.
[[nodiscard]] std::vector<std::string> DescribePatterns(std::span<const TextPattern> patterns);
// `SUBJECT matches OBJECT`, or that it does not.
[[nodiscard]] std::string MatchSentence(std::string_view subject, bool holds, std::string_view object);

}  // namespace weir::proxy
