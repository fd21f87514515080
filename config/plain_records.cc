#include "config/plain_records.h"

#include <algorithm>
#include <iterator>

namespace weir::config {
namespace {

bool HasPlainRecords(const Zone& zone) { return std::ranges::any_of(zone.records, &RecordSet::is_plain); }

Zone Reduced(const Zone& zone) {
  Zone out{.name = zone.name,
           .soa = zone.soa,
           .name_servers = zone.name_servers,
           .ns_ttl_seconds = zone.ns_ttl_seconds,
           .records = {},
           .plain_record_count = zone.plain_record_count,
           .position = zone.position};
  std::ranges::copy_if(zone.records, std::back_inserter(out.records),
                       [](const RecordSet& record) { return !record.is_plain(); });
  out.records.shrink_to_fit();
  out.plain_record_count += zone.records.size() - out.records.size();
  return out;
}

}  // namespace

std::shared_ptr<const Model> WithoutPlainRecords(std::shared_ptr<const Model> model) {
  if (std::ranges::none_of(model->zones, HasPlainRecords)) return model;
  // Field by field: the records must not be copied on the way.
  auto out = std::make_shared<Model>(Model{.files = model->files,
                                           .node = model->node,
                                           .regions = model->regions,
                                           .load_balancers = model->load_balancers,
                                           .target_groups = model->target_groups,
                                           .dns = model->dns,
                                           .health_checks = model->health_checks,
                                           .cidr_collections = model->cidr_collections,
                                           .zones = {},
                                           .tls_ticket_keys = model->tls_ticket_keys,
                                           .latency = model->latency,
                                           .admin = model->admin,
                                           .tests = model->tests});
  out->zones.reserve(model->zones.size());
  std::ranges::transform(model->zones, std::back_inserter(out->zones), Reduced);
  return out;
}

}  // namespace weir::config
