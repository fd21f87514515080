#include "proxy/routing/conditions/kinds.h"
#include "proxy/routing/conditions/text_values.h"

#include <utility>

namespace weir::proxy {
namespace {

// The normalised path, without the query; case counts. Patterns are normalised like it.
class PathPattern final : public CompiledCondition {
 public:
  explicit PathPattern(std::vector<TextPattern> patterns) : patterns_(std::move(patterns)) {}

  bool Matches(const RequestFacts& facts) const override { return MatchesAny(patterns_, facts.path); }
  std::string Explain(const RequestFacts& facts) const override {
    return MatchSentence(QuotedText(facts.path), Matches(facts), AnyOf(DescribePatterns(patterns_)));
  }
  std::string label() const override { return "path-pattern"; }
  LookedUpBy looked_up_by() const override { return LookedUpBy::kPath; }
  std::span<const TextPattern> lookup_patterns() const override { return patterns_; }

 private:
  std::vector<TextPattern> patterns_;
};

}  // namespace

BuiltCondition BuildPathPattern(const config::Condition& condition, const std::string& path) {
  auto patterns = CompileTexts(condition.values, condition.regex_values, CaseRule::kSensitive, path + ".path-pattern",
                               EscapeRule::kPercent);
  if (!patterns) return std::unexpected(std::move(patterns.error()));
  return std::make_shared<const PathPattern>(std::move(*patterns));
}

}  // namespace weir::proxy
