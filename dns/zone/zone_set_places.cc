// Building a zone set: what says where clients are.

#include "dns/policy/cidr_table.h"
#include "dns/zone/values.h"
#include "dns/zone/zone_set_builder.h"

#include <memory>
#include <utility>

namespace weir::dns {

void ZoneSetBuilder::CompileCidrTables() {
  set_->cidr_tables_.resize(model_->cidr_collections.size());
  for (const Group& group : set_->groups_) {
    if (group.policy != config::RoutingPolicy::kCidr) continue;
    auto& table = set_->cidr_tables_[group.policy_index];
    if (table == nullptr) table = std::make_unique<const CidrTable>(model_->cidr_collections[group.policy_index]);
  }
}

void ZoneSetBuilder::LoadLatency() {
  Places places = ReadPlaces(*model_, findings_);
  set_->latency_ = std::move(places.latency);
  set_->geo_ = std::move(places.geo);
}

}  // namespace weir::dns
