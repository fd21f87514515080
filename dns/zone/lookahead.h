#pragma once

#include "dns/zone/zone_set.h"

#include <cstdint>
#include <span>

namespace weir::dns {

// Brings what the answers to `messages` (queries as they came, checked by nobody yet) will read into the caches: the
// slot, the node, its name and groups, their members and values. Each of them leads to the next, so a single lookup
// waits for memory five times; here the waits of all messages overlap. A guess that changes nothing: names that do not
// exist and wildcards are simply not found. Allocates nothing. Thread: any.
void ReadAhead(const ZoneSet& zones, std::span<const std::span<const std::uint8_t>> messages);

}  // namespace weir::dns
