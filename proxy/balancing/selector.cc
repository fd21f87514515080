#include "proxy/balancing/selector.h"

#include "proxy/balancing/algorithm.h"
#include "proxy/balancing/least_outstanding.h"
#include "proxy/balancing/weights.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <variant>

namespace weir::proxy {

namespace {

// How far a worker may begin from the start of a draw's sequence: enough to set workers apart, cheap for 10,000 rules.
constexpr std::uint64_t kHeadStartMax = 16;

// Smooth weighted round robin: every choice gains its weight, the largest is chosen and pays the total. The sum stays
// 0, so that any run of draws is as near to the shares as whole numbers allow. Returns the position in `choices`.
std::size_t Draw(const Forward& forward, std::span<std::int64_t> current) {
  std::size_t chosen = 0;
  bool found = false;
  for (std::size_t i = 0; i < forward.choices.size(); ++i) {
    if (forward.choices[i].weight == 0) continue;
    current[i] += forward.choices[i].weight;
    if (!found || current[i] > current[chosen]) chosen = i;
    found = true;
  }
  current[chosen] -= forward.weight_total;
  return chosen;
}

// For an exchange that pinned an older, larger table than the one the draws belong to.
std::optional<std::uint32_t> FirstWeighted(const Forward& forward) {
  const auto found = std::ranges::find_if(forward.choices, [](const auto& choice) { return choice.weight > 0; });
  if (found == forward.choices.end()) return std::nullopt;
  return found->group;
}

}  // namespace

void Selector::Reset(const RoutingTable& table, std::uint64_t seed) {
  Random random(seed);
  draws_.assign(table.draws(), 0);
  groups_ = table.groups().size();
  cursors_.assign(groups_ * (1 + table.node_zones()), 0);
  random_ = Random(random.Next());
  for (auto& cursor : cursors_) cursor = static_cast<std::uint32_t>(random.Below(1U << 16));
  for (const auto& listener : table.listeners()) {
    for (const Rule& rule : listener->rules) {
      const auto* forward = std::get_if<Forward>(&rule.action);
      if (forward == nullptr || forward->weight_total == 0 || forward->choices.size() < 2) continue;
      const auto head_start = random.Below(kHeadStartMax);
      const std::span<std::int64_t> current(draws_.data() + forward->draw_id, forward->choices.size());
      for (std::uint64_t i = 0; i < head_start; ++i) static_cast<void>(Draw(*forward, current));
    }
  }
}

std::optional<std::uint32_t> Selector::SelectGroup(const Forward& forward) {
  if (forward.weight_total == 0) return std::nullopt;
  if (forward.choices.size() == 1) return forward.choices.front().group;
  if (forward.draw_id + forward.choices.size() > draws_.size()) return FirstWeighted(forward);
  const std::span<std::int64_t> current(draws_.data() + forward.draw_id, forward.choices.size());
  return forward.choices[Draw(forward, current)].group;
}

std::optional<std::uint32_t> Selector::ChooseTarget(const config::TargetGroup& settings, std::uint32_t group,
                                                    const health::GroupStatus& status, WallTime now,
                                                    std::optional<std::uint64_t> key) {
  if (status.routable.empty()) return std::nullopt;
  std::uint32_t passing = 0;  // of a group that only an older table has
  const std::size_t cursor = group + groups_ * status.node;
  const TargetChoice choice{.settings = settings,
                            .status = status,
                            .now = now,
                            .key = key,
                            .random = random_,
                            .cursor = cursor < cursors_.size() ? cursors_[cursor] : passing};
  return status.routable[AlgorithmOf(settings.algorithm)(choice)];
}

std::optional<std::uint32_t> Selector::LeastBusyTarget(const health::GroupStatus& status) {
  if (status.routable.empty()) return std::nullopt;
  return status.routable[LeastOutstanding(status, DrawByWeight(status, random_))];
}

std::optional<std::uint32_t> Selector::NextTarget(std::uint32_t group, const health::GroupStatus& status) {
  if (status.routable.empty()) return std::nullopt;
  const std::size_t cursor = group + groups_ * status.node;
  if (cursor >= cursors_.size()) return status.routable.front();
  // Reduced here and not when the list changed: the list is another one with every publication.
  const auto position = cursors_[cursor] % static_cast<std::uint32_t>(status.routable.size());
  cursors_[cursor] = position + 1;
  return status.routable[position];
}

}  // namespace weir::proxy
