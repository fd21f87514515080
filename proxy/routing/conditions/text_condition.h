#pragma once

#include "config/schema/conditions.h"
#include "proxy/routing/conditions.h"
#include "proxy/routing/conditions/kinds.h"
#include "proxy/routing/conditions/text_values.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::proxy {

// A condition on one text of the request, kText, by which rules are looked up too.
template <std::string_view RequestFacts::* kText, CompiledCondition::LookedUpBy kLookedUpBy>
class TextCondition final : public CompiledCondition {
 public:
  // `name` is a static text: how the configuration spells the kind.
  TextCondition(std::string_view name, std::vector<TextPattern> patterns)
      : name_(name), patterns_(std::move(patterns)) {}

  // With the values of `condition`, which stands at `path` in the file.
  [[nodiscard]] static BuiltCondition Build(const config::Condition& condition, const std::string& path) {
    auto patterns = CompileTexts(condition, path);
    if (!patterns) return std::unexpected(std::move(patterns.error()));
    return std::make_shared<const TextCondition>(config::RowOf(condition.kind).field.key, std::move(*patterns));
  }

  bool Matches(const RequestFacts& facts) const override { return MatchesAny(patterns_, facts.*kText); }
  std::string Explain(const RequestFacts& facts) const override {
    return MatchSentence(QuotedText(facts.*kText), Matches(facts), AnyOf(DescribePatterns(patterns_)));
  }
  std::string label() const override { return std::string(name_); }
  LookedUpBy looked_up_by() const override { return kLookedUpBy; }
  std::span<const TextPattern> lookup_patterns() const override { return patterns_; }

 private:
  std::string_view name_;
  std::vector<TextPattern> patterns_;
};

}  // namespace weir::proxy
