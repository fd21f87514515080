#pragma once

#include "base/ip_address.h"
#include "config/model.h"
#include "http/message.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace weir::proxy {

// A request as it is told from others: its fields, the client's address and its path and query as they were sent.
struct HashedRequest {
  const std::vector<http::Field>& fields;
  const IpAddress& client;
  std::string_view path;
  std::string_view query;
};

// Spreads `value` over all 64 bits (the finaliser of SplitMix64).
[[nodiscard]] inline std::uint64_t MixHash(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

// The key of a request by the group's `weir.consistent_hash.…`: of equal texts the same, on every appliance. Absent
// when the request has no such field or cookie, or an empty one. Allocates nothing. Thread: any.
[[nodiscard]] std::optional<std::uint64_t> HashKeyOf(const config::ConsistentHashKey& key,
                                                     const HashedRequest& request);

}  // namespace weir::proxy
