#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "config/model.h"
#include "health/status.h"
#include "proxy/routing/routing_table.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace weir::proxy {

// One worker's choices: which target group a forward action draws, which target of the group takes the request. Shares
// by weight are exact, not only on average: any 1,000 draws differ from the configured share by less than the number of
// groups (smooth weighted round robin). Allocates only in Reset. Thread: worker.
class Selector {
 public:
  // Starts over for a new table: draws and cursors begin at a position of their own per worker, so that workers do not
  // move in step.
  void Reset(const RoutingTable& table, std::uint64_t seed);

  // The index of the chosen group (ForwardChoice::group); absent when every weight is 0. An exchange may still hold a
  // table from before the last Reset: it gets a valid choice, exact shares are those of the current table.
  [[nodiscard]] std::optional<std::uint32_t> SelectGroup(const Forward& forward);
  // The index into `status.targets` of the target that the group's algorithm chooses from `status.routable`; absent
  // when that is empty. `key` is what consistent hashing goes by. spec: alb.md 8.
  [[nodiscard]] std::optional<std::uint32_t> SelectTarget(const config::TargetGroup& settings, std::uint32_t group,
                                                          const health::GroupStatus& status, WallTime now,
                                                          std::optional<std::uint64_t> key = {}) {
    if (settings.algorithm == config::BalancingAlgorithm::kRoundRobin && !status.slow_start &&
        status.weight_sums.empty()) {
      return NextTarget(group, status);
    }
    return ChooseTarget(settings, group, status, now, key);
  }
  // The one with the fewest requests under way, whatever the group's algorithm.
  [[nodiscard]] std::optional<std::uint32_t> LeastBusyTarget(const health::GroupStatus& status);
  // The next in turn, whatever the group's algorithm and the targets' weights.
  [[nodiscard]] std::optional<std::uint32_t> NextTarget(std::uint32_t group, const health::GroupStatus& status);

 private:
  [[nodiscard]] std::optional<std::uint32_t> ChooseTarget(const config::TargetGroup& settings, std::uint32_t group,
                                                          const health::GroupStatus& status, WallTime now,
                                                          std::optional<std::uint64_t> key);

  Random random_{0};
  std::vector<std::int64_t> draws_;  // from draw_id on: current weight of each choice
  // By group: position of the next target, reduced when it is used; for each zone whose nodes keep to it those of all
  // groups once more.
  std::vector<std::uint32_t> cursors_;
  std::size_t groups_ = 0;
};

}  // namespace weir::proxy
