// Building a zone set: its zones, new or taken over, and what they have in common.

#include "config/plain_records.h"
#include "dns/policy/cidr_table.h"
#include "dns/policy/geo_database.h"
#include "dns/policy/latency_table.h"
#include "dns/zone/name_table.h"
#include "dns/zone/values.h"
#include "dns/zone/zone_builder.h"
#include "dns/zone/zone_set.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace weir::dns {
namespace {

constexpr std::size_t kCachedBytesMax = 1 << 20;  // our choice: what a core has for itself, most of the time

// In the order of the file; findings of one place stay in the order they were made.
std::vector<config::Diagnostic> Sorted(std::vector<config::Diagnostic> findings) {
  std::vector<std::size_t> order(findings.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&findings](std::size_t i) {
    const config::Position& position = findings[i].position;
    return std::tuple(position.file, position.line, position.column, i);
  });
  std::vector<config::Diagnostic> out;
  out.reserve(findings.size());
  for (const std::size_t i : order) out.push_back(std::move(findings[i]));
  return out;
}

bool SameBlocks(const config::CidrCollection& a, const config::CidrCollection& b) {
  return std::ranges::equal(a.locations, b.locations, [](const auto& x, const auto& y) {
    return std::ranges::equal(x.blocks, y.blocks, {}, &config::LocatedBlock::block, &config::LocatedBlock::block);
  });
}

bool SameRegions(const config::Model& a, const config::Model& b) {
  return std::ranges::equal(a.regions, b.regions, {}, &config::Region::name, &config::Region::name);
}

}  // namespace

class ZoneSetBuilder {
 public:
  ZoneSetBuilder(std::shared_ptr<const config::Model> model, CounterRegistry& registry, const ZoneSet* previous)
      : model_(std::move(model)), registry_(registry), previous_(previous), set_(new ZoneSet()) {}

  // Null when there are findings.
  [[nodiscard]] std::shared_ptr<const ZoneSet> Build();
  [[nodiscard]] std::vector<config::Diagnostic>& findings() { return findings_; }

 private:
  void AddLoadBalancers();
  void AddZones();
  void Place(const std::shared_ptr<const Zone>& zone);
  // Compiles the CIDR collections that zones use, and reads the latency table and the MaxMind database.
  void CompileCidrTables();
  void LoadLatency();
  void ReleasePlainRecords();

  std::shared_ptr<const config::Model> model_;
  CounterRegistry& registry_;
  const ZoneSet* previous_;
  std::shared_ptr<ZoneSet> set_;
  std::vector<config::Diagnostic> findings_;
};

std::expected<std::shared_ptr<const ZoneSet>, std::vector<config::Diagnostic>> ZoneSet::Build(
    std::shared_ptr<const config::Model> model, CounterRegistry& registry, const ZoneSet* previous) {
  ZoneSetBuilder builder(std::move(model), registry, previous);
  auto set = builder.Build();
  if (set) return set;
  return std::unexpected(std::move(builder.findings()));
}

std::shared_ptr<const ZoneSet> ZoneSetBuilder::Build() {
  AddLoadBalancers();
  AddZones();
  LoadLatency();
  if (const auto secret = ReadCookieSecret(*model_, findings_)) set_->cookie_secret_ = *secret;
  if (!findings_.empty()) {
    findings_ = Sorted(std::move(findings_));
    return nullptr;
  }
  CompileCidrTables();
  ReleasePlainRecords();
  set_->outgrows_caches_ = set_->memory_bytes() > kCachedBytesMax;
  return set_;
}

void ZoneSetBuilder::AddLoadBalancers() {
  auto& rdata = set_->load_balancer_rdata_;
  const auto put = [&rdata](std::span<const std::uint8_t> value) {
    const auto size = static_cast<std::uint16_t>(value.size());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&size);
    rdata.insert(rdata.end(), bytes, bytes + sizeof(size));
    rdata.insert(rdata.end(), value.begin(), value.end());
  };
  const auto put_addresses = [&](const std::vector<IpAddress>& addresses, bool v4) {
    RdataList list{.offset = static_cast<std::uint32_t>(rdata.size()), .count = 0};
    for (const IpAddress& address : addresses) {
      if (address.is_v4() != v4) continue;
      put(address.bytes());
      ++list.count;
    }
    return list;
  };
  for (const auto& balancer : model_->load_balancers) {
    auto& lists = set_->load_balancer_values_.emplace_back();
    auto& nodes = set_->node_values_.emplace_back(balancer.nodes.size());
    for (const bool v4 : {true, false}) {
      const std::size_t family = v4 ? 0 : 1;
      if (nodes.empty()) {
        lists[family] = put_addresses(balancer.advertise, v4);
        continue;
      }
      // What nodes answer, one after the other, is what all of them do.
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        nodes[i][family] = put_addresses(balancer.nodes[i].advertise, v4);
        if (i == 0) lists[family].offset = nodes[i][family].offset;
        lists[family].count += nodes[i][family].count;
      }
    }
  }
}

void ZoneSetBuilder::AddZones() {
  std::unordered_map<const config::Zone*, std::shared_ptr<const Zone>> known;
  for (std::size_t i = 0; previous_ != nullptr && i < previous_->zone_count(); ++i) {
    const auto& zone = previous_->shared_zone(i);
    known.emplace(zone->config().get(), zone);
  }
  set_->zone_slots_.assign(std::bit_ceil(model_->zones.size() * 2 + 2), 0);
  set_->zones_.reserve(model_->zones.size());
  set_->places_.reserve(model_->zones.size());
  for (const auto& configured : model_->zones) {
    if (const auto found = known.find(configured.get()); found != known.end()) {
      Place(found->second);
      continue;
    }
    ZoneBuilder builder(configured, registry_.Zone(configured->name));
    if (const auto zone = builder.Build()) {
      Place(zone);
      set_->compiled_record_count_ += zone->record_count();
    } else {
      std::ranges::move(builder.findings(), std::back_inserter(findings_));
    }
  }
}

void ZoneSetBuilder::Place(const std::shared_ptr<const Zone>& zone) {
  ZoneSet& set = *set_;
  HashedName name;
  name.Assign(zone->apex_name());
  PutSlot(set.zone_slots_, name.suffix_hash(name.labels()), static_cast<std::uint32_t>(set.zones_.size()));
  set.places_.push_back({.zone = zone.get(),
                         .name = zone->apex_name(),
                         .first_draw = set.draw_count_,
                         .first_health_slot = set.health_slot_count_});
  set.zones_.push_back(zone);
  set.record_count_ += zone->record_count();
  set.draw_count_ += zone->draw_count();
  set.health_slot_count_ += zone->health_slot_count();
  set.group_members_max_ = std::max(set.group_members_max_, zone->group_members_max());
}

void ZoneSetBuilder::CompileCidrTables() {
  set_->cidr_tables_.resize(model_->cidr_collections.size());
  for (const auto& zone : set_->zones_) {
    for (const std::uint32_t index : zone->cidr_collections()) {
      auto& table = set_->cidr_tables_[index];
      if (table != nullptr) continue;
      const config::CidrCollection& collection = model_->cidr_collections[index];
      const bool same = previous_ != nullptr && index < previous_->cidr_tables_.size() &&
                        previous_->cidr_tables_[index] != nullptr &&
                        SameBlocks(previous_->model().cidr_collections[index], collection);
      table = same ? previous_->cidr_tables_[index] : std::make_shared<const CidrTable>(collection);
    }
  }
}

void ZoneSetBuilder::LoadLatency() {
  const config::Latency& wanted = model_->latency;
  const config::Latency* const before = previous_ == nullptr ? nullptr : &previous_->model().latency;
  if (before != nullptr && before->table.text == wanted.table.text && before->geoip.text == wanted.geoip.text &&
      SameRegions(previous_->model(), *model_)) {
    set_->latency_ = previous_->latency_;
    set_->geo_ = previous_->geo_;
    return;
  }
  Places places = ReadPlaces(*model_, findings_);
  set_->latency_ = std::move(places.latency);
  set_->geo_ = std::move(places.geo);
}

// What answering, status and explanations do not need goes, once nothing can be found wrong with it.
void ZoneSetBuilder::ReleasePlainRecords() {
  std::vector<std::shared_ptr<const config::Zone>> zones;
  zones.reserve(set_->zones_.size());
  for (const auto& zone : set_->zones_) zones.push_back(zone->config());
  set_->model_ = config::WithZones(std::move(model_), std::move(zones));
}

}  // namespace weir::dns
