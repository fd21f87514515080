#include "proxy/routing/conditions/kinds.h"
#include "proxy/routing/conditions/text_values.h"

#include <fmt/format.h>

#include <utility>

namespace weir::proxy {
namespace {

// The method, exactly as written: methods have no wildcards, `*` would be compared as a character.
class RequestMethod final : public CompiledCondition {
 public:
  explicit RequestMethod(std::vector<std::string> methods) : methods_(std::move(methods)) {}

  bool Matches(const RequestFacts& facts) const override {
    return std::ranges::find(methods_, facts.method) != methods_.end();
  }
  std::string Explain(const RequestFacts& facts) const override {
    std::vector<std::string> words;
    for (const std::string& method : methods_) words.push_back(QuotedText(method));
    return fmt::format("{} {} {}", QuotedText(facts.method), Matches(facts) ? "is" : "is not", AnyOf(words));
  }
  std::string label() const override { return "http-request-method"; }

 private:
  std::vector<std::string> methods_;
};

}  // namespace

BuiltCondition BuildRequestMethod(const config::Condition& condition, const std::string& /*path*/) {
  std::vector<std::string> methods;
  methods.reserve(condition.values.size());
  for (const auto& value : condition.values) methods.push_back(value.text);
  return std::make_shared<const RequestMethod>(std::move(methods));
}

}  // namespace weir::proxy
