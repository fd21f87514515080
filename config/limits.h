#pragma once

// Limits of the configuration that those who use a checked model build upon.

#include <cstddef>
#include <cstdint>

namespace weir::config {

// Aliases that follow each other to a record with values or a load balancer. Our choice: Route 53 publishes none, and
// health and answers walk the tree by recursion; as many as CNAMEs are followed (dns::kCnameChainMax).
inline constexpr std::uint32_t kAliasDepthMax = 16;

// Zones of a load balancer. Our choice: no region of AWS has more than six, and a DNS answer joins as many lists.
inline constexpr std::size_t kNodesMax = 8;

}  // namespace weir::config
