#include "proxy/routing/conditions/kinds.h"
#include "proxy/routing/conditions/text_values.h"

#include <utility>

namespace weir::proxy {
namespace {

// The request's host, without port; case does not count.
class HostHeader final : public CompiledCondition {
 public:
  explicit HostHeader(std::vector<TextPattern> patterns) : patterns_(std::move(patterns)) {}

  bool Matches(const RequestFacts& facts) const override { return MatchesAny(patterns_, facts.host); }
  std::string Explain(const RequestFacts& facts) const override {
    return MatchSentence(QuotedText(facts.host), Matches(facts), AnyOf(DescribePatterns(patterns_)));
  }
  std::string label() const override { return "host-header"; }
  LookedUpBy looked_up_by() const override { return LookedUpBy::kHost; }
  std::span<const TextPattern> lookup_patterns() const override { return patterns_; }

 private:
  std::vector<TextPattern> patterns_;
};

}  // namespace

BuiltCondition BuildHostHeader(const config::Condition& condition, const std::string& path) {
  auto patterns = CompileTexts(condition.values, condition.regex_values, CaseRule::kInsensitive, path + ".host-header");
  if (!patterns) return std::unexpected(std::move(patterns.error()));
  return std::make_shared<const HostHeader>(std::move(*patterns));
}

}  // namespace weir::proxy
