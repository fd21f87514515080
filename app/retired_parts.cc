#include "app/retired_parts.h"

#include "dns/zone/zone_set.h"

#include <malloc.h>

namespace weir::app {
namespace {

template <class T>
void AddIfReplaced(std::vector<std::shared_ptr<const T>>& parts, const std::shared_ptr<const T>& before,
                   const std::shared_ptr<const T>& now) {
  if (before != nullptr && before != now) parts.push_back(before);
}

// Those of the zones that no other set has.
std::size_t RecordsOfItsOwn(const dns::ZoneSet& zones) {
  std::size_t records = 0;
  for (std::size_t i = 0; i < zones.zone_count(); ++i) {
    if (zones.shared_zone(i).use_count() == 1) records += zones.zone(i).record_count();
  }
  return records;
}

}  // namespace

void RetiredParts::Add(const control::View& before, const control::View& now) {
  AddIfReplaced(routings_, before.routing, now.routing);
  AddIfReplaced(zones_, before.zones, now.zones);
  AddIfReplaced(models_, before.model, now.model);
}

bool RetiredParts::Sweep() {
  bool trim = false;
  std::erase_if(routings_, [](const auto& part) { return part.use_count() == 1; });
  std::erase_if(zones_, [&trim](const auto& part) {
    if (part.use_count() > 1) return false;
    trim |= RecordsOfItsOwn(*part) >= kRecordsTrimmed;
    return true;
  });
  // Routing tables and zones hold their model: it goes after them.
  std::erase_if(models_, [](const auto& part) { return part.use_count() == 1; });
  if (trim) malloc_trim(0);
  return routings_.empty() && zones_.empty() && models_.empty();
}

}  // namespace weir::app
