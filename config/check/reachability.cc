#include "base/percent.h"
#include "base/text.h"
#include "config/check/checks.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

namespace weir::config {
namespace {

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

// A backslash makes the next wildcard literal in query strings; such texts are only compared whole.
bool QueryCovers(std::string_view wide, std::string_view narrow) {
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

template <class Patterns>
bool PatternsCover(const Patterns& wide, const Patterns& narrow, Case sensitivity) {
  const auto same = [](const LocatedText& a, const LocatedText& b) { return a.text == b.text; };
  const auto covers = [&](const LocatedText& a, const LocatedText& b) {
    return PatternCovers(a.text, b.text, sensitivity);
  };
  return AllCovered(wide.values, narrow.values, covers) || AllCovered(wide.regex_values, narrow.regex_values, same);
}

struct Covering {
  bool operator()(const HostHeaderCondition& a, const HostHeaderCondition& b) const {
    return PatternsCover(a, b, Case::kIgnored);
  }
  bool operator()(const PathPatternCondition& a, const PathPatternCondition& b) const {
    return PatternsCover(a, b, Case::kCounts);
  }
  bool operator()(const HttpHeaderCondition& a, const HttpHeaderCondition& b) const {
    return EqualsIgnoreCase(a.name, b.name) && PatternsCover(a, b, Case::kIgnored);
  }
  bool operator()(const RequestMethodCondition& a, const RequestMethodCondition& b) const {
    return AllCovered(a.values, b.values, [](const LocatedText& x, const LocatedText& y) { return x.text == y.text; });
  }
  bool operator()(const QueryStringCondition& a, const QueryStringCondition& b) const {
    return AllCovered(a.pairs, b.pairs, [](const QueryStringPair& x, const QueryStringPair& y) {
      return (!x.key || (y.key && QueryCovers(x.key->text, y.key->text))) && QueryCovers(x.value.text, y.value.text);
    });
  }
  bool operator()(const SourceIpCondition& a, const SourceIpCondition& b) const {
    return AllCovered(a.blocks, b.blocks, [](const CidrBlock& x, const CidrBlock& y) {
      return x.prefix_bits() <= y.prefix_bits() && x.Contains(y.address());
    });
  }
  template <class A, class B>
  bool operator()(const A& /*wide*/, const B& /*narrow*/) const {
    return false;
  }
};

// Every condition of `wide` follows from one of `narrow`.
bool RuleCovers(const Rule& wide, const Rule& narrow) {
  return std::ranges::all_of(wide.conditions, [&](const Condition& w) {
    return std::ranges::any_of(narrow.conditions,
                               [&](const Condition& n) { return std::visit(Covering{}, w.kind, n.kind); });
  });
}

// The texts of a host or path condition that rules can be looked up by; null for every other condition.
const std::vector<LocatedText>* LookupTexts(const Condition& condition) {
  if (const auto* const host = std::get_if<HostHeaderCondition>(&condition.kind)) return &host->values;
  if (const auto* const path = std::get_if<PathPatternCondition>(&condition.kind)) return &path->values;
  return nullptr;
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

bool HasEncodings(const Rule& rule) {
  return std::ranges::any_of(rule.conditions, [](const Condition& condition) {
    const auto* const path = std::get_if<PathPatternCondition>(&condition.kind);
    return path != nullptr && std::ranges::any_of(path->values, [](const LocatedText& value) {
             return value.text.find('%') != std::string::npos;
           });
  });
}

// The rules with their path patterns as they are compared: percent-encodings in their normal form.
std::vector<Rule> WithNormalPaths(std::vector<Rule> rules) {
  for (Rule& rule : rules) {
    for (Condition& condition : rule.conditions) {
      auto* const path = std::get_if<PathPatternCondition>(&condition.kind);
      if (path == nullptr) continue;
      for (LocatedText& value : path->values) value.text = WithNormalEncodings(value.text);
    }
  }
  return rules;
}

std::string Title(const Rule& rule) {
  return rule.name.empty() ? fmt::format("priority {}", rule.priority)
                           : fmt::format("priority {} ({})", rule.priority, Quoted(rule.name));
}

void CheckRules(const std::vector<Rule>& rules, Findings& findings) {
  EarlierRules earlier;
  for (const Rule& rule : rules) {
    const Rule* const covering = earlier.FindCovering(rule);
    if (covering == nullptr) {
      earlier.Add(rule);
      continue;
    }
    findings.AddWarning(rule.position, fmt::format("the rule with {} can never match", Title(rule)),
                        fmt::format("the rule with {} at line {} takes all of its requests", Title(*covering),
                                    covering->position.line));
  }
}

}  // namespace

void CheckReachability(const Model& model, Findings& findings) {
  for (const LoadBalancer& balancer : model.load_balancers) {
    for (const Listener& listener : balancer.listeners) {
      if (std::ranges::any_of(listener.rules, HasEncodings)) {
        CheckRules(WithNormalPaths(listener.rules), findings);
      } else {
        CheckRules(listener.rules, findings);
      }
    }
  }
}

}  // namespace weir::config
