#pragma once

#include "base/ip_address.h"
#include "config/model.h"
#include "health/status.h"

namespace weir::proxy {

// What the node of `balancer` that listens on `address` uses of a group with `settings`: its zone's part of `status`
// with cross-zone off, else all of it. Also all of it where no node has that address. spec: alb.md 10.1. Thread: any.
[[nodiscard]] const health::GroupStatus& StatusOfNode(const config::LoadBalancer& balancer, const IpAddress& address,
                                                      const config::TargetGroup& settings,
                                                      const health::GroupStatus& status);

}  // namespace weir::proxy
