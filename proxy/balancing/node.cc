#include "proxy/balancing/node.h"

#include <algorithm>

namespace weir::proxy {

const health::GroupStatus& StatusOfNode(const config::LoadBalancer& balancer, const IpAddress& address,
                                        const config::TargetGroup& settings, const health::GroupStatus& status) {
  if (CrossesZones(balancer.attributes, settings)) return status;
  for (const config::LoadBalancerNode& node : balancer.nodes) {
    if (std::ranges::find(node.addresses, address) == node.addresses.end()) continue;
    return health::StatusOfNode(balancer, node, settings, status);
  }
  return status;
}

}  // namespace weir::proxy
