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

// A value of the kind with its wildcards, compared as the kind's row in config/schema/conditions.cc says.
[[nodiscard]] TextPattern CompileText(config::ConditionKind kind, std::string_view text);
// The patterns of the condition's values and expressions, in that order. Fails with every expression that RE2 refuses;
// `path` is where the condition stands in the file: rules[0].conditions[1].
[[nodiscard]] std::expected<std::vector<TextPattern>, std::vector<config::Diagnostic>> CompileTexts(
    const config::Condition& condition, const std::string& path);

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
