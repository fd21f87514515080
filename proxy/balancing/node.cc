#include "proxy/balancing/node.h"

#include <algorithm>

namespace weir::proxy {

const health::GroupStatus& StatusOfNode(const config::LoadBalancer& balancer, const IpAddress& address,
                                        const config::TargetGroup& settings, const health::GroupStatus& status) {
  if (CrossesZones(balancer.attributes, settings)) return status;
  for (const config::LoadBalancerNode& node : balancer.nodes) {
    if (std::ranges::find(node.addresses, address) == node.addresses.end()) continue;
    return node.zone_index < status.by_zone.size() ? status.by_zone[node.zone_index] : status;
  }
  return status;
}

}  // namespace weir::proxy
