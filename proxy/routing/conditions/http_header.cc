#include "base/text.h"
#include "proxy/routing/conditions/kinds.h"
#include "proxy/routing/conditions/text_values.h"

#include <utility>

namespace weir::proxy {
namespace {

// A header field: any of its lines may match.
class HttpHeader final : public CompiledCondition {
 public:
  HttpHeader(std::string name, std::vector<TextPattern> patterns)
      : name_(std::move(name)), patterns_(std::move(patterns)) {}

  bool Matches(const RequestFacts& facts) const override {
    return facts.fields != nullptr && std::ranges::any_of(*facts.fields, [this](const http::Field& field) {
             return EqualsIgnoreCase(field.name, name_) && MatchesAny(patterns_, field.value);
           });
  }
  std::string Explain(const RequestFacts& facts) const override {
    std::vector<std::string> values;
    for (const auto& field : facts.fields == nullptr ? std::vector<http::Field>() : *facts.fields) {
      if (EqualsIgnoreCase(field.name, name_)) values.push_back(QuotedText(field.value));
    }
    if (values.empty()) return "the request has no such field";
    return MatchSentence(JoinTexts(values), Matches(facts), AnyOf(DescribePatterns(patterns_)));
  }
  std::string label() const override { return "http-header " + name_; }

 private:
  std::string name_;  // as the file spells it
  std::vector<TextPattern> patterns_;
};

}  // namespace

BuiltCondition BuildHttpHeader(const config::Condition& condition, const std::string& path) {
  auto patterns = CompileTexts(condition, path);
  if (!patterns) return std::unexpected(std::move(patterns.error()));
  return std::make_shared<const HttpHeader>(condition.name, std::move(*patterns));
}

}  // namespace weir::proxy
