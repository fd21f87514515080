#include "proxy/balancing/node.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

// spec: alb.md 10.1.
TEST(StatusOfNodeTest, GoesByTheAddressThatARequestCameInBy) {
  config::LoadBalancer balancer;
  balancer.nodes.resize(2);
  const IpAddress first = IpAddress::V4({127, 0, 1, 1});
  const IpAddress second = IpAddress::V4({127, 0, 2, 1});
  balancer.nodes[0].addresses = {first};
  balancer.nodes[0].zone_index = 1;
  balancer.nodes[1].addresses = {second};
  config::TargetGroup settings;
  health::GroupStatus status;
  status.by_zone.resize(2);
  EXPECT_EQ(&StatusOfNode(balancer, first, settings, status), &status) << "cross-zone is on";
  settings.cross_zone = config::CrossZone::kFalse;
  EXPECT_EQ(&StatusOfNode(balancer, first, settings, status), &status.by_zone[1]);
  EXPECT_EQ(&StatusOfNode(balancer, second, settings, status), &status.by_zone[0]);
  EXPECT_EQ(&StatusOfNode(balancer, IpAddress::AnyV4(), settings, status), &status);
  settings.cross_zone = config::CrossZone::kUseLoadBalancerConfiguration;
  EXPECT_EQ(&StatusOfNode(balancer, first, settings, status), &status);
  balancer.attributes.cross_zone = false;
  EXPECT_EQ(&StatusOfNode(balancer, first, settings, status), &status.by_zone[1]);
}

}  // namespace
}  // namespace weir::proxy
