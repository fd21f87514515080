#include "dns/policy/cidr_table.h"

#include <algorithm>
#include <utility>

namespace weir::dns {

CidrTable::CidrTable(const config::CidrCollection& collection) {
  std::vector<std::pair<CidrBlock, std::uint32_t>> all;
  for (std::uint32_t i = 0; i < collection.locations.size(); ++i) {
    for (const auto& located : collection.locations[i].blocks) all.emplace_back(located.block, i);
  }
  std::ranges::sort(all);
  std::vector<CidrBlock> blocks;
  blocks.reserve(all.size());
  locations_.reserve(all.size());
  for (const auto& [block, location] : all) {
    blocks.push_back(block);
    locations_.push_back(location);
  }
  prefixes_ = PrefixTable(blocks);
}

}  // namespace weir::dns
