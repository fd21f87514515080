#pragma once

#include <cstddef>
#include <span>

namespace weir::dns {

// Asks the system to back a large table with huge pages, in place: a lookup in a million records touches a page of each
// table, and finding the page costs more than reading it. Does nothing for a table below 4 MiB, and where the system
// has no such pages to give. Blocks while the system copies. Thread: the one that builds the table.
void UseHugePages(std::span<const std::byte> table);

}  // namespace weir::dns
