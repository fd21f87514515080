#include "config/same_conditions.h"

#include <algorithm>

namespace weir::config {
namespace {

bool SameTexts(const std::vector<LocatedText>& a, const std::vector<LocatedText>& b) {
  return std::ranges::equal(a, b, {}, &LocatedText::text, &LocatedText::text);
}

bool SamePair(const QueryStringPair& a, const QueryStringPair& b) {
  return a.key.has_value() == b.key.has_value() && (!a.key || a.key->text == b.key->text) &&
         a.value.text == b.value.text;
}

}  // namespace

bool SameConditions(std::span<const Condition> a, std::span<const Condition> b) {
  return std::ranges::equal(a, b, [](const Condition& x, const Condition& y) {
    return x.kind == y.kind && x.name == y.name && SameTexts(x.values, y.values) &&
           SameTexts(x.regex_values, y.regex_values) && std::ranges::equal(x.pairs, y.pairs, SamePair) &&
           std::ranges::equal(x.blocks, y.blocks);
  });
}

}  // namespace weir::config
