#pragma once

#include "config/model.h"
#include "proxy/connection_limits.h"

#include <cstddef>

namespace weir::app {

// What one process may have open, divided so that clients cannot take what the rest needs: a target connection for
// every client, probes, the admin API, logs and what a reload opens in passing.
struct DescriptorBudget {
  std::size_t limit = 0;  // RLIMIT_NOFILE, what was divided
  proxy::ConnectionLimits per_worker;
  std::size_t dns_connections = 0;  // over TCP, of one worker at one address
};

// How many connections the admin API may have open, and how many probes may be in flight, of `limit` descriptors.
[[nodiscard]] std::size_t AdminConnectionsMax(std::size_t limit);
[[nodiscard]] std::size_t ProbesInFlightMax(std::size_t limit);

// Divides `limit` descriptors for `model`, served by `workers` threads (at least one). Every worker may have one client
// at least, however little there is. Thread: any.
[[nodiscard]] DescriptorBudget DivideDescriptors(std::size_t limit, std::size_t workers, const config::Model& model);

}  // namespace weir::app
