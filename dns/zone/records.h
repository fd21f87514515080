#pragma once

// The rows of a compiled zone. Plain numbers and offsets: a record costs about 110 bytes with its name and its share of
// the hash table. Indexes of nodes, groups and members are those of the zone; what stands outside of it (health checks,
// load balancers, regions, CIDR collections) has the index that it has in the model.

#include "config/model.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

namespace weir::dns {

inline constexpr std::uint32_t kNoIndex = std::numeric_limits<std::uint32_t>::max();

// Values in wire form, one after the other in Zone::rdata(): for each a 16-bit length in host order, then the value.
struct RdataList {
  std::uint32_t offset = 0;
  std::uint32_t count = 0;
};
// The value that is stored at `at`, which moves behind it.
[[nodiscard]] inline std::span<const std::uint8_t> NextValue(const std::uint8_t*& at) {
  std::uint16_t size = 0;
  std::memcpy(&size, at, sizeof(size));
  const std::span<const std::uint8_t> value{at + sizeof(size), size};
  at += sizeof(size) + size;
  return value;
}

enum class AliasKind : std::uint8_t { kNone, kRecord, kLoadBalancer };

// One configured record set: a member of the group of its name and type.
struct Member {
  RdataList values;  // empty for aliases
  std::uint32_t ttl_seconds = 0;
  std::uint32_t alias_target = 0;         // index of a group or of a load balancer, by `alias`
  std::uint32_t health_check = kNoIndex;  // index into StatusTable::checks
  std::uint32_t record = kNoIndex;        // index into the records of Zone::config()
  // By the group's policy: weight, region index, failover role (0 primary), location index (kNoIndex: `*`). The places
  // of geolocation and geoproximity stand in the configured record.
  std::uint32_t figure = 0;
  AliasKind alias = AliasKind::kNone;
  bool evaluate_target_health = false;
};

// All record sets of one name and type; they share one policy (spec: dns.md 2.1).
struct Group {
  std::uint32_t first_member = 0;
  std::uint32_t member_count = 0;
  std::uint32_t node = 0;
  // Weighted: where its credits begin among those of the zone. CIDR: index of its collection's table.
  std::uint32_t policy_index = kNoIndex;
  // Target of an alias that evaluates health: where a worker remembers it, among the slots of the zone.
  std::uint32_t health_slot = kNoIndex;
  std::uint16_t type = 0;
  config::RoutingPolicy policy = config::RoutingPolicy::kSimple;
  // Weighted, or an alias to such a CNAME: a member leads to an answer that depends on who asks, so every draw has the
  // scope of such an answer.
  bool draws_by_client = false;
};

// One owner name, or an empty non-terminal.
struct Node {
  std::uint32_t name = 0;  // offset into the names
  std::uint32_t first_group = 0;
  std::uint16_t group_count = 0;
  std::uint8_t name_bytes = 0;
  bool delegation = false;  // NS below the apex
};

struct ZoneApex {
  std::uint32_t node = 0;
  std::uint16_t labels = 0;                // of its name
  bool has_delegations = false;            // saves the walk for zone cuts
  std::uint32_t negative_ttl_seconds = 0;  // min(SOA TTL, SOA MINIMUM), RFC 2308 section 5
  RdataList soa;
};

}  // namespace weir::dns
