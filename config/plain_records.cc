#include "config/plain_records.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir::config {

std::shared_ptr<const Zone> WithoutPlainRecords(std::shared_ptr<const Zone> zone) {
  if (std::ranges::none_of(zone->records, &RecordSet::is_plain)) return zone;
  // Field by field: the records must not be copied on the way.
  auto out = std::make_shared<Zone>(Zone{.name = zone->name,
                                         .soa = zone->soa,
                                         .name_servers = zone->name_servers,
                                         .ns_ttl_seconds = zone->ns_ttl_seconds,
                                         .records = {},
                                         .plain_record_count = zone->plain_record_count,
                                         .position = zone->position});
  std::ranges::copy_if(zone->records, std::back_inserter(out->records),
                       [](const RecordSet& record) { return !record.is_plain(); });
  out->records.shrink_to_fit();
  out->plain_record_count += zone->records.size() - out->records.size();
  return out;
}

std::shared_ptr<const Model> WithZones(std::shared_ptr<const Model> model,
                                       std::vector<std::shared_ptr<const Zone>> zones) {
  if (model->zones == zones) return model;
  auto out = std::make_shared<Model>(*model);
  out->zones = std::move(zones);
  return out;
}

}  // namespace weir::config
