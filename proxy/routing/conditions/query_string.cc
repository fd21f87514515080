#include "proxy/routing/conditions/kinds.h"
#include "proxy/routing/conditions/text_values.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace weir::proxy {
namespace {

struct PairPattern {
  std::optional<TextPattern> key;
  TextPattern value;
};

struct Parameter {
  std::string_view key;
  std::string_view value;
  bool has_value = false;  // there was a `=`
};

// Takes the parameter before the first `&` off `rest`.
Parameter TakeParameter(std::string_view& rest) {
  const auto text = rest.substr(0, rest.find('&'));
  rest.remove_prefix(std::min(rest.size(), text.size() + 1));
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return {.key = text, .value = {}, .has_value = false};
  return {.key = text.substr(0, equals), .value = text.substr(equals + 1), .has_value = true};
}

// A parameter without `=` is a key with an empty value; where no key is asked for, its text is what it says.
bool MatchesParameter(const PairPattern& pattern, const Parameter& parameter) {
  if (pattern.key) return pattern.key->Matches(parameter.key) && pattern.value.Matches(parameter.value);
  return pattern.value.Matches(parameter.has_value ? parameter.value : parameter.key);
}

// Query parameters as sent: any of them may match any of the pairs; case does not count.
class QueryString final : public CompiledCondition {
 public:
  explicit QueryString(std::vector<PairPattern> pairs) : pairs_(std::move(pairs)) {}

  bool Matches(const RequestFacts& facts) const override {
    std::string_view rest = facts.query;
    while (!rest.empty()) {
      const Parameter parameter = TakeParameter(rest);
      const auto matches = [&](const PairPattern& pair) { return MatchesParameter(pair, parameter); };
      if (std::ranges::any_of(pairs_, matches)) return true;
    }
    return false;
  }
  std::string Explain(const RequestFacts& facts) const override {
    if (facts.query.empty()) return "the request has no query";
    std::vector<std::string> words;
    for (const PairPattern& pair : pairs_) {
      words.push_back(
          QuotedText(pair.key ? fmt::format("{}={}", pair.key->source(), pair.value.source()) : pair.value.source()));
    }
    return MatchSentence(QuotedText(facts.query), Matches(facts), AnyOf(words));
  }
  std::string label() const override { return "query-string"; }

 private:
  std::vector<PairPattern> pairs_;
};

}  // namespace

BuiltCondition BuildQueryString(const config::Condition& condition, const std::string& /*path*/) {
  const auto pattern_of = [&condition](const config::LocatedText& text) {
    return CompileText(condition.kind, text.text);
  };
  std::vector<PairPattern> pairs;
  pairs.reserve(condition.pairs.size());
  for (const auto& pair : condition.pairs) {
    std::optional<TextPattern> key;
    if (pair.key) key = pattern_of(*pair.key);
    pairs.push_back({.key = std::move(key), .value = pattern_of(pair.value)});
  }
  return std::make_shared<const QueryString>(std::move(pairs));
}

}  // namespace weir::proxy
