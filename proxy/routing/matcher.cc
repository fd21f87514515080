#include "proxy/routing/matcher.h"

#include "proxy/routing/conditions.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace weir::proxy {

namespace {

// Fewer rules than this are asked one by one: cheaper than a lookup, and most hosts have few.
constexpr std::size_t kIndexedRulesMin = 8;

const CompiledCondition* FindCondition(const Rule& rule, CompiledCondition::LookedUpBy key) {
  const auto found = std::ranges::find_if(rule.conditions, [key](const auto& c) { return c->looked_up_by() == key; });
  return found == rule.conditions.end() ? nullptr : found->get();
}

enum class HostKind : std::uint8_t { kEvery, kWildcards, kRegex };

std::pair<HostKind, std::string_view> KeyOf(const TextPattern* pattern) {
  if (pattern == nullptr) return {HostKind::kEvery, {}};
  return {pattern->is_regex() ? HostKind::kRegex : HostKind::kWildcards, pattern->source()};
}

}  // namespace

struct RuleMatcher::HostGroup {
  const TextPattern* pattern = nullptr;  // null: every host
  std::vector<std::uint32_t> rules;      // ascending; empty when `paths` has them
  std::unique_ptr<TextIndex> paths;

  void BuildPaths(std::span<const Rule> all);
};

// Splits a long list by path; the values of the index are rules.
void RuleMatcher::HostGroup::BuildPaths(std::span<const Rule> all) {
  rules.shrink_to_fit();
  if (rules.size() < kIndexedRulesMin) return;
  paths = std::make_unique<TextIndex>(CaseRule::kSensitive);
  for (const std::uint32_t index : rules) {
    const CompiledCondition* path = FindCondition(all[index], CompiledCondition::LookedUpBy::kPath);
    if (path == nullptr) {
      paths->AddAny(index);
      continue;
    }
    for (const TextPattern& value : path->lookup_patterns()) paths->Add(value, index);
  }
  paths->Seal();
  rules = {};
}

RuleMatcher::RuleMatcher(std::span<const Rule> rules) : hosts_(CaseRule::kInsensitive) {
  std::map<std::pair<HostKind, std::string_view>, std::uint32_t> known;
  const auto group_of = [&](const TextPattern* pattern) -> HostGroup& {
    const auto key = KeyOf(pattern);
    const auto [found, is_new] = known.try_emplace(key, static_cast<std::uint32_t>(groups_.size()));
    if (is_new) {
      groups_.push_back(HostGroup{.pattern = pattern, .rules = {}, .paths = nullptr});
      if (pattern == nullptr) {
        hosts_.AddAny(found->second);
      } else {
        hosts_.Add(*pattern, found->second);
      }
    }
    return groups_[found->second];
  };

  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].is_default()) continue;
    const auto index = static_cast<std::uint32_t>(i);
    const CompiledCondition* host = FindCondition(rules[i], CompiledCondition::LookedUpBy::kHost);
    if (host == nullptr) {
      group_of(nullptr).rules.push_back(index);
      continue;
    }
    for (const TextPattern& value : host->lookup_patterns()) {
      auto& list = group_of(&value).rules;
      if (list.empty() || list.back() != index) list.push_back(index);
    }
  }
  groups_.shrink_to_fit();
  for (HostGroup& group : groups_) group.BuildPaths(rules);
  hosts_.Seal();
}

RuleMatcher::~RuleMatcher() = default;

std::size_t RuleMatcher::Match(std::span<const Rule> rules, const RequestFacts& facts) const {
  std::size_t best = rules.size() - 1;
  const auto ask = [&](std::span<const std::uint32_t> candidates) {
    for (const std::uint32_t index : candidates) {
      if (index >= best) return;
      if (!AllMatch(rules[index], facts)) continue;
      best = index;
      return;
    }
  };
  hosts_.Find(facts.host, [&](std::span<const std::uint32_t> groups) {
    for (const std::uint32_t id : groups) {
      const HostGroup& group = groups_[id];
      if (group.pattern != nullptr && !group.pattern->Matches(facts.host)) continue;
      if (group.paths == nullptr) {
        ask(group.rules);
      } else {
        group.paths->Find(facts.path, ask);
      }
    }
  });
  return best;
}

}  // namespace weir::proxy
