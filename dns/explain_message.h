#pragma once

// An explanation asks its question in wire form and reads the response, so that it takes the way of every query.

#include "base/ip_address.h"
#include "dns/wire/name.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace weir::dns {

struct Explanation;

// The question as a client would send it over TCP, with `client` as its EDNS Client Subnet. Thread: any.
[[nodiscard]] std::vector<std::uint8_t> EncodeQuestion(const Name& name, std::uint16_t type,
                                                       const std::optional<CidrBlock>& client);
// Fills in what the response says: answer, values, TTL, and the scope when `out.client` is set. `response` is one that
// MessageWriter made: its offsets are trusted. Thread: any.
void ReadResponse(std::span<const std::uint8_t> response, Explanation& out);

}  // namespace weir::dns
