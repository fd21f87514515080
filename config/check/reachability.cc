#include "base/percent.h"
#include "base/text.h"
#include "config/check/checks.h"
#include "config/decode/units.h"
#include "config/findings.h"
#include "config/schema/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weir::config {
namespace {

using Rules = std::vector<std::shared_ptr<const Rule>>;

enum class Case : std::uint8_t { kCounts, kIgnored };

// Our choice: comparing two rules takes a fraction of a microsecond, so that a listener takes at most about a second.
constexpr std::uint32_t kComparisonsMax = 2'000'000;
// Patterns this long are looked up whole, not by every prefix.
constexpr std::size_t kPrefixesMax = 256;

bool Same(char a, char b, Case sensitivity) {
  return sensitivity == Case::kCounts ? a == b : ToLowerAscii(a) == ToLowerAscii(b);
}

// Whether every text that `narrow` matches is matched by `wide`. Sound: a `*` or `?` of `narrow` is only taken by a
// `*`, a `?` also by a `?`. Linear in the product of the lengths at worst.
bool PatternCovers(std::string_view wide, std::string_view narrow, Case sensitivity) {
  std::size_t w = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < narrow.size()) {
    if (w < wide.size() && wide[w] == '*') {
      star = w++;
      resume = n;
    } else if (w < wide.size() && narrow[n] != '*' &&
               (wide[w] == '?' || (narrow[n] != '?' && Same(wide[w], narrow[n], sensitivity)))) {
      ++w;
      ++n;
    } else if (star != std::string_view::npos) {
      w = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (w < wide.size() && wide[w] == '*') ++w;
  return w == wide.size();
}

// A backslash makes the next wildcard literal; such texts are only compared whole.
bool EscapedCovers(std::string_view wide, std::string_view narrow) {
  if (EqualsIgnoreCase(wide, narrow) || wide == "*") return true;
  if (wide.find('\\') != std::string_view::npos || narrow.find('\\') != std::string_view::npos) return false;
  return PatternCovers(wide, narrow, Case::kIgnored);
}

// Whether each of `narrow` is covered by one of `wide`. No texts cover nothing and are covered by nothing.
template <class Item, class Covers>
bool AllCovered(const std::vector<Item>& wide, const std::vector<Item>& narrow, Covers covers) {
  return !wide.empty() && !narrow.empty() && std::ranges::all_of(narrow, [&](const Item& n) {
    return std::ranges::any_of(wide, [&](const Item& w) { return covers(w, n); });
  });
}

bool TextCovers(std::string_view wide, std::string_view narrow, Comparison comparison) {
  switch (comparison) {
    case Comparison::kExact:
      return wide == narrow;
    case Comparison::kCaseCounts:
      return PatternCovers(wide, narrow, Case::kCounts);
    case Comparison::kCaseIgnored:
      return PatternCovers(wide, narrow, Case::kIgnored);
    case Comparison::kEscapedIgnored:
      return EscapedCovers(wide, narrow);
  }
  std::unreachable();
}

// One of each kind has values, expressions, pairs or blocks.
bool ConditionCovers(const Condition& wide, const Condition& narrow) {
  if (wide.kind != narrow.kind) return false;
  const ConditionRow& row = RowOf(wide.kind);
  const auto covers = [&](const LocatedText& a, const LocatedText& b) {
    return TextCovers(a.text, b.text, row.comparison);
  };
  const auto same = [](const LocatedText& a, const LocatedText& b) { return a.text == b.text; };
  const auto pair_covers = [&](const QueryStringPair& a, const QueryStringPair& b) {
    return (!a.key || (b.key && covers(*a.key, *b.key))) && covers(a.value, b.value);
  };
  const auto block_covers = [](const CidrBlock& a, const CidrBlock& b) {
    return a.prefix_bits() <= b.prefix_bits() && a.Contains(b.address());
  };
  const bool same_name = row.name_comparison == Comparison::kCaseIgnored ? EqualsIgnoreCase(wide.name, narrow.name)
                                                                         : wide.name == narrow.name;
  return same_name && (AllCovered(wide.values, narrow.values, covers) ||
                       AllCovered(*wide.regex_values, *narrow.regex_values, same) ||
                       AllCovered(*wide.pairs, *narrow.pairs, pair_covers) ||
                       AllCovered(*wide.blocks, *narrow.blocks, block_covers));
}

// Every condition of `wide` follows from one of `narrow`.
bool RuleCovers(const Rule& wide, const Rule& narrow) {
  return std::ranges::all_of(wide.conditions, [&](const Condition& w) {
    return std::ranges::any_of(narrow.conditions, [&](const Condition& n) { return ConditionCovers(w, n); });
  });
}

// The texts that rules can be looked up by; null for a condition of a kind that has none.
const std::vector<LocatedText>* LookupTexts(const Condition& condition) {
  return RowOf(condition.kind).is_filed ? &condition.values : nullptr;
}

// Finds among the earlier rules those that may cover a later one. Each rule is filed under the values of the one host
// or path condition whose places are the least crowded: under the text itself, under `prefix*`, or, with wildcards
// elsewhere or no such condition, in a list that is always searched.
class EarlierRules {
 public:
  void Add(const Rule& rule) {
    const std::vector<LocatedText>* best = nullptr;
    std::size_t best_crowd = 0;
    for (const Condition& condition : rule.conditions) {
      const auto* const texts = LookupTexts(condition);
      if (texts == nullptr || texts->empty() || !std::ranges::all_of(*texts, IsFiled)) continue;
      std::size_t crowd = 0;
      for (const LocatedText& text : *texts) {
        const auto place = places_.find(ToLowerAscii(text.text));
        if (place != places_.end()) crowd += place->second.size();
      }
      if (best != nullptr && crowd >= best_crowd) continue;
      best = texts;
      best_crowd = crowd;
    }
    if (best == nullptr) {
      anywhere_.push_back(&rule);
      return;
    }
    for (const LocatedText& text : *best) places_[ToLowerAscii(text.text)].push_back(&rule);
  }

  // The first rule found that covers `rule`; null when there is none.
  const Rule* FindCovering(const Rule& rule) {
    if (const Rule* const found = Search(anywhere_, rule)) return found;
    for (const Condition& condition : rule.conditions) {
      const auto* const texts = LookupTexts(condition);
      if (texts == nullptr || texts->empty()) continue;
      if (const Rule* const found = SearchText(ToLowerAscii(texts->front().text), rule)) return found;
    }
    return nullptr;
  }

 private:
  static bool IsFiled(const LocatedText& text) {
    const std::size_t wildcard = text.text.find_first_of("*?");
    return text.text.size() <= kPrefixesMax &&
           (wildcard == std::string::npos || (text.text[wildcard] == '*' && wildcard + 1 == text.text.size()));
  }

  const Rule* SearchText(std::string text, const Rule& rule) {
    if (const Rule* const found = SearchPlace(text, rule)) return found;
    text.resize(std::min(text.size(), kPrefixesMax));
    for (std::size_t size = 0; size <= text.size(); ++size) {
      if (const Rule* const found = SearchPlace(text.substr(0, size) + "*", rule)) return found;
    }
    return nullptr;
  }

  const Rule* SearchPlace(const std::string& text, const Rule& rule) {
    const auto place = places_.find(text);
    return place == places_.end() ? nullptr : Search(place->second, rule);
  }

  const Rule* Search(const std::vector<const Rule*>& candidates, const Rule& rule) {
    for (const Rule* const candidate : candidates) {
      if (comparisons_ >= kComparisonsMax) return nullptr;
      ++comparisons_;
      if (RuleCovers(*candidate, rule)) return candidate;
    }
    return nullptr;
  }

  std::unordered_map<std::string, std::vector<const Rule*>> places_;
  std::vector<const Rule*> anywhere_;
  std::uint32_t comparisons_ = 0;
};

bool HasEncodings(const std::shared_ptr<const Rule>& rule) {
  return std::ranges::any_of(rule->conditions, [](const Condition& condition) {
    return RowOf(condition.kind).percent_encoded && std::ranges::any_of(condition.values, [](const LocatedText& value) {
             return value.text.find('%') != std::string::npos;
           });
  });
}

// The rules with their patterns as they are compared: percent-encodings in their normal form.
Rules WithNormalPaths(Rules rules) {
  for (auto& rule : rules) {
    if (!HasEncodings(rule)) continue;
    auto normal = std::make_shared<Rule>(*rule);
    for (Condition& condition : normal->conditions) {
      if (!RowOf(condition.kind).percent_encoded) continue;
      for (LocatedText& value : condition.values) value.text = WithNormalEncodings(value.text);
    }
    rule = std::move(normal);
  }
  return rules;
}

std::string Title(const Rule& rule) {
  return rule.name.empty() ? fmt::format("priority {}", rule.priority)
                           : fmt::format("priority {} ({})", rule.priority, Quoted(rule.name));
}

void CheckRules(const Rules& rules, Findings& findings) {
  EarlierRules earlier;
  for (const auto& shared : rules) {
    const Rule& rule = *shared;
    const Rule* const covering = earlier.FindCovering(rule);
    if (covering == nullptr) {
      earlier.Add(rule);
      continue;
    }
    findings.AddWarning(
        rule.position, fmt::format("the rule with {} can never match", Title(rule)),
        fmt::format("the rule with {} {} takes all of its requests", Title(*covering), LineText(covering->position)));
  }
}

}  // namespace

void CheckReachability(const Model& model, const KnownUnits& known, DecodedUnits& units, Findings& findings) {
  for (const LoadBalancer& balancer : model.load_balancers) {
    for (const Listener& listener : balancer.listeners) {
      auto& unreachable = units.unreachable.emplace_back();
      if (const auto* const before = known.FindUnreachable(units.unreachable.size() - 1, listener.rules)) {
        unreachable = *before;
        findings.Add(unreachable);
        continue;
      }
      const std::size_t found = findings.items().size();
      CheckRules(WithNormalPaths(listener.rules), findings);
      const auto items = findings.ItemsSince(found);
      unreachable.assign(items.begin(), items.end());
    }
  }
}

}  // namespace weir::config
