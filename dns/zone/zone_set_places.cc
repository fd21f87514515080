// Building a zone set: what says where clients are.

#include "dns/policy/cidr_table.h"
#include "dns/policy/geo_database.h"
#include "dns/policy/latency_table.h"
#include "dns/zone/zone_set_builder.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

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
  const config::LocatedText& table = model_->latency.table;
  if (!table.text.empty()) {
    std::vector<std::string> regions;
    for (const auto& region : model_->regions) regions.push_back(region.name);
    errno = 0;
    std::ifstream file(table.text, std::ios::binary);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    std::error_code ignored;
    if (!file || file.bad() || std::filesystem::is_directory(table.text, ignored)) {
      const int code = errno;
      Fail(table.position, "cannot read " + table.text + (code != 0 ? std::string(": ") + std::strerror(code) : ""),
           "give a file of rows client-cidr,region,milliseconds");
    } else if (auto parsed = LatencyTable::Parse(text.view(), regions)) {
      set_->latency_ = std::make_unique<const LatencyTable>(std::move(*parsed));
    } else {
      for (auto& error : parsed.error()) Fail(table.position, table.text + " " + error.message, error.hint);
    }
  }
  const config::LocatedText& geoip = model_->latency.geoip;
  if (geoip.text.empty()) return;
  auto geo = GeoDatabase::Open(geoip.text);
  if (geo) {
    set_->geo_ = std::move(*geo);
  } else {
    Fail(geoip.position, geo.error().message, geo.error().hint);
  }
}

}  // namespace weir::dns
