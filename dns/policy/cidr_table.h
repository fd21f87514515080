#pragma once

#include "base/ip_address.h"
#include "config/model.h"
#include "dns/policy/prefix_table.h"

#include <cstdint>
#include <vector>

namespace weir::dns {

// One CIDR collection, compiled: shared by all groups of records that use it. Immutable. Thread: any (const).
class CidrTable {
 public:
  explicit CidrTable(const config::CidrCollection& collection);

  // Which blocks hold a client; their indexes are good for location().
  [[nodiscard]] const PrefixTable& prefixes() const { return prefixes_; }
  // The location of a block: an index into the locations of the collection.
  [[nodiscard]] std::uint32_t location(std::uint32_t block) const { return locations_[block]; }

 private:
  PrefixTable prefixes_;
  std::vector<std::uint32_t> locations_;  // by block
};

}  // namespace weir::dns
