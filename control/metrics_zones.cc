#include "control/metrics_zones.h"

#include "health/status.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::control {
namespace {

void WriteNodes(MetricsWriter& out, const View& view) {
  const auto& balancers = view.model->load_balancers;
  const auto node_family = [&](std::string_view name, std::string_view help, bool health::NodeStatus::* member) {
    out.Family(name, "gauge", help);
    for (std::size_t i = 0; i < balancers.size() && i < view.health->load_balancers.size(); ++i) {
      const auto& statuses = view.health->load_balancers[i].nodes;
      for (std::size_t node = 0; node < std::min(balancers[i].nodes.size(), statuses.size()); ++node) {
        out.Sample({{"load_balancer", balancers[i].name}, {"zone", balancers[i].nodes[node].zone}},
                   std::uint64_t{statuses[node].*member});
      }
    }
  };
  node_family("weir_zone_healthy", "1 while enough targets are healthy for the node of a zone to be in DNS.",
              &health::NodeStatus::healthy);
  node_family("weir_zone_answers", "1 while DNS aliases answer the addresses of the node of a zone.",
              &health::NodeStatus::answers);
  node_family("weir_zone_shifted", "1 while a zonal shift leads away from the node of a zone.",
              &health::NodeStatus::shifted);
}

// What nodes use of groups with cross-zone off.
void WriteGroups(MetricsWriter& out, const View& view) {
  out.Family("weir_zone_fail_open", "gauge",
             "1 while the node of a zone sends requests to every target of its zone because too few are healthy.");
  const auto& groups = view.model->target_groups;
  for (std::size_t i = 0; i < groups.size() && i < view.health->groups.size(); ++i) {
    const auto& by_zone = view.health->groups[i].by_zone;
    for (std::size_t zone = 0; zone < std::min(groups[i].node_zones.size(), by_zone.size()); ++zone) {
      out.Sample({{"target_group", groups[i].name}, {"zone", groups[i].node_zones[zone]}},
                 std::uint64_t{by_zone[zone].fail_open});
    }
  }
  out.Family("weir_target_group_shifted_targets", "gauge", "Targets that a zonal shift leads away from.");
  for (std::size_t i = 0; i < groups.size() && i < view.health->groups.size(); ++i) {
    const auto shifted = std::ranges::count_if(view.health->groups[i].targets, [](const health::TargetStatus& target) {
      return target.zonal_override != health::ZonalOverride::kNone;
    });
    out.Sample({{"target_group", groups[i].name}}, static_cast<std::uint64_t>(shifted));
  }
}

}  // namespace

void WriteZones(MetricsWriter& out, const View& view, const Runtime& runtime) {
  WriteNodes(out, view);
  WriteGroups(out, view);
  out.Family("weir_zonal_shift_expires_timestamp_seconds", "gauge",
             "When the zonal shift that is under way expires, Unix time.");
  if (!runtime.zonal_shift || !runtime.zonal_shift->is_active()) return;
  const auto expires =
      std::chrono::duration_cast<std::chrono::seconds>(runtime.zonal_shift->expires.time_since_epoch());
  out.Sample({{"zone", runtime.zonal_shift->zone}}, static_cast<std::uint64_t>(expires.count()));
}

}  // namespace weir::control
