#include "dns/zone/zone_set_builder.h"

#include "base/check.h"
#include "config/plain_records.h"
#include "dns/wire/types.h"
#include "dns/zone/huge_pages.h"
#include "dns/zone/name_table.h"
#include "dns/zone/values.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

namespace weir::dns {
namespace {

// spec: dns.md 3.3, TTL advice: what Route 53 answers for an alias to a load balancer.
constexpr std::uint32_t kLoadBalancerTtlSeconds = 60;
constexpr std::size_t kCachedBytesMax = 1 << 20;  // our choice: what a core has for itself, most of the time
constexpr std::size_t kValuesMax = 65'535;

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

void PutU32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

Name CheckedName(std::string_view text) {
  const auto name = Name::Parse(text);
  WEIR_CHECK(name.has_value());
  return *name;
}

std::expected<std::shared_ptr<const ZoneSet>, std::vector<config::Diagnostic>> ZoneSet::Build(
    std::shared_ptr<const config::Model> model, CounterRegistry& registry) {
  ZoneSetBuilder builder(std::move(model), registry);
  auto set = builder.Build();
  if (set) return set;
  return std::unexpected(std::move(builder.findings()));
}

ZoneSetBuilder::ZoneSetBuilder(std::shared_ptr<const config::Model> model, CounterRegistry& registry)
    : model_(std::move(model)), registry_(registry), set_(new ZoneSet()) {
  set_->model_ = model_;
}

std::shared_ptr<const ZoneSet> ZoneSetBuilder::Build() {
  ReserveTables();
  AddLoadBalancers();
  for (std::uint32_t zone = 0; zone < model_->zones.size(); ++zone) AddZone(zone);
  ResolveAliases();
  MarkDrawsByClient();
  CheckMessageSizes();
  CompileCidrTables();
  LoadLatency();
  ReleasePlainRecords();
  const auto spread = [](const auto& table) { UseHugePages(std::as_bytes(std::span(table))); };
  spread(set_->node_slots_);
  spread(set_->nodes_);
  spread(set_->groups_);
  spread(set_->members_);
  spread(set_->names_);
  spread(set_->rdata_);
  set_->outgrows_caches_ = set_->memory_bytes() > kCachedBytesMax;
  findings_ = Sorted(std::move(findings_));
  return findings_.empty() ? set_ : nullptr;
}

void ZoneSetBuilder::Fail(const config::Position& position, std::string message, std::string hint) {
  findings_.push_back({.severity = config::Severity::kError,
                       .position = position,
                       .path = {},
                       .message = std::move(message),
                       .hint = std::move(hint)});
}

void ZoneSetBuilder::ReserveTables() {
  std::size_t records = 0;
  for (const auto& zone : model_->zones) records += zone.records.size() + 2;
  set_->zone_slots_.assign(std::bit_ceil(model_->zones.size() * 2 + 2), 0);
  set_->node_slots_.assign(std::bit_ceil(records * 2 + 2), 0);
  set_->nodes_.reserve(records);
  set_->groups_.reserve(records);
  set_->members_.reserve(records);
  set_->zones_.resize(model_->zones.size());
}

RdataList ZoneSetBuilder::PutRdata(std::span<const std::uint8_t> rdata) {
  auto& all = set_->rdata_;
  const RdataList list{static_cast<std::uint32_t>(all.size()), 1};
  const auto size = static_cast<std::uint16_t>(rdata.size());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&size);
  all.insert(all.end(), bytes, bytes + sizeof(size));
  all.insert(all.end(), rdata.begin(), rdata.end());
  return list;
}

void ZoneSetBuilder::AddLoadBalancers() {
  for (const auto& balancer : model_->load_balancers) {
    auto& lists = set_->load_balancer_values_.emplace_back();
    for (const bool v4 : {true, false}) {
      RdataList& list = lists[v4 ? 0 : 1];
      list.offset = static_cast<std::uint32_t>(set_->rdata_.size());
      for (const IpAddress& address : balancer.advertise) {
        if (address.is_v4() != v4) continue;
        static_cast<void>(PutRdata(address.bytes()));
        ++list.count;
      }
    }
  }
}

void ZoneSetBuilder::AddZone(std::uint32_t zone) {
  const config::Zone& configured = model_->zones[zone];
  WEIR_CHECK(configured.plain_record_count == 0);  // else its records would be missing
  const Name name = CheckedName(configured.name);
  ZoneApex& apex = set_->zones_[zone];
  HashedName hashed;
  hashed.Assign(name.wire());
  apex.labels = static_cast<std::uint16_t>(hashed.labels());
  apex.node = PutNode(zone, hashed);
  apex.counters = registry_.Zone(configured.name);
  PutSlot(set_->zone_slots_, hashed.suffix_hash(hashed.labels()), zone);
  std::vector<Entry> entries;
  entries.reserve(configured.records.size() + 2);
  AddApexRecords(zone, entries);
  for (std::uint32_t i = 0; i < configured.records.size(); ++i) AddRecord(zone, name, i, entries);
  BuildGroups(zone, entries);
}

void ZoneSetBuilder::AddApexRecords(std::uint32_t zone, std::vector<Entry>& entries) {
  const config::Zone& configured = model_->zones[zone];
  ZoneApex& apex = set_->zones_[zone];
  const auto append_name = [this](const std::string& text) {
    const Name name = CheckedName(text);
    scratch_.insert(scratch_.end(), name.wire().begin(), name.wire().end());
  };
  scratch_.clear();
  append_name(configured.soa.mname);
  append_name(configured.soa.rname);
  for (const std::uint32_t number :
       {configured.soa.serial, configured.soa.refresh_seconds, configured.soa.retry_seconds,
        configured.soa.expire_seconds, configured.soa.minimum_seconds}) {
    PutU32(scratch_, number);
  }
  apex.soa = PutRdata(scratch_);
  apex.negative_ttl_seconds = std::min(configured.soa.ttl_seconds, configured.soa.minimum_seconds);
  entries.push_back({.node = apex.node,
                     .type = rr::kSoa,
                     .record = kNoIndex,
                     .member = {.values = apex.soa, .ttl_seconds = configured.soa.ttl_seconds}});
  if (configured.name_servers.empty()) return;
  Member ns{.values = {static_cast<std::uint32_t>(set_->rdata_.size()), 0}, .ttl_seconds = configured.ns_ttl_seconds};
  for (const auto& server : configured.name_servers) {
    scratch_.clear();
    append_name(server);
    static_cast<void>(PutRdata(scratch_));
    ++ns.values.count;
  }
  entries.push_back({.node = apex.node, .type = rr::kNs, .record = kNoIndex, .member = ns});
}

void ZoneSetBuilder::AddRecord(std::uint32_t zone, const Name& zone_name, std::uint32_t index,
                               std::vector<Entry>& entries) {
  const config::RecordSet& record = model_->zones[zone].records[index];
  HashedName hashed;
  hashed.Assign(CheckedName(record.name).wire());
  Entry entry{.node = PutNode(zone, hashed), .type = record.type, .record = index, .member = {}};
  Member& member = entry.member;
  member.record = index;
  member.health_check = record.health_check.value_or(kNoIndex);
  switch (record.policy) {
    case config::RoutingPolicy::kWeighted:
      member.figure = record.weight;
      break;
    case config::RoutingPolicy::kFailover:
      member.figure = record.failover == config::FailoverRole::kPrimary ? 0 : 1;
      break;
    case config::RoutingPolicy::kLatency:
      member.figure = record.region;
      break;
    case config::RoutingPolicy::kCidr:
      member.figure = record.cidr->location.value_or(kNoIndex);
      break;
    case config::RoutingPolicy::kSimple:
    case config::RoutingPolicy::kMultivalue:
      break;
  }
  if (record.alias) {
    member.evaluate_target_health = record.alias->evaluate_target_health;
    member.alias = record.alias->load_balancer ? AliasKind::kLoadBalancer : AliasKind::kRecord;
    member.alias_target = record.alias->load_balancer.value_or(0);
    member.ttl_seconds = record.ttl_seconds.value_or(kLoadBalancerTtlSeconds);
  } else {
    member.ttl_seconds = record.ttl_seconds.value_or(0);
    member.values = AddValues(record, zone_name);
  }
  entries.push_back(entry);
}

RdataList ZoneSetBuilder::AddValues(const config::RecordSet& record, const Name& zone_name) {
  RdataList list{static_cast<std::uint32_t>(set_->rdata_.size()), 0};
  if (record.values.size() > kValuesMax) {
    Fail(record.position, "more than 65,535 values", "an answer holds at most 64 KiB");
    return list;
  }
  for (const auto& value : record.values) {
    scratch_.clear();
    if (auto finding = ReadValue(record.type, value, zone_name, scratch_)) {
      findings_.push_back(std::move(*finding));
      continue;
    }
    static_cast<void>(PutRdata(scratch_));
    ++list.count;
  }
  if (set_->rdata_.size() > std::numeric_limits<std::uint32_t>::max()) {
    Fail(record.position, "more than 4 GiB of record data", "split the zones over several appliances");
  }
  return list;
}

std::uint32_t ZoneSetBuilder::PutNode(std::uint32_t zone, const HashedName& name) {
  auto& nodes = set_->nodes_;
  // Upwards until a node exists: the apex at the latest, except while the apex itself is made.
  std::size_t depth = name.labels();
  const std::size_t apex_depth = set_->zones_[zone].labels;
  std::optional<std::uint32_t> own;
  for (;; --depth) {
    if (const auto found = set_->FindHashed(zone, name.suffix_hash(depth), name.suffix(depth))) {
      return own ? *own : *found;
    }
    const auto index = static_cast<std::uint32_t>(nodes.size());
    const auto wire = name.suffix(depth);
    nodes.push_back({.name = static_cast<std::uint32_t>(set_->names_.size()),
                     .zone = zone,
                     .first_group = 0,
                     .group_count = 0,
                     .name_bytes = static_cast<std::uint8_t>(wire.size()),
                     .delegation = false});
    set_->names_.insert(set_->names_.end(), wire.begin(), wire.end());
    if (nodes.size() * 3 > set_->node_slots_.size() * 2) {
      // Empty non-terminals were not counted beforehand.
      set_->node_slots_.assign(set_->node_slots_.size() * 2, 0);
      HashedName again;
      for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        again.Assign(set_->name_of(nodes[i]));
        PutSlot(set_->node_slots_, NodeHash(nodes[i].zone, again.suffix_hash(again.labels())), i);
      }
    } else {
      PutSlot(set_->node_slots_, NodeHash(zone, name.suffix_hash(depth)), index);
    }
    if (!own) own = index;
    if (depth <= apex_depth) return *own;
  }
}

void ZoneSetBuilder::BuildGroups(std::uint32_t zone, std::vector<Entry>& entries) {
  // kNoIndex + 1 is 0: the zone's own SOA and NS come first.
  std::ranges::sort(entries, {},
                    [](const Entry& entry) { return std::tuple(entry.node, entry.type, entry.record + 1U); });
  auto& set = *set_;
  for (const Entry& entry : entries) {
    Node& node = set.nodes_[entry.node];
    const bool same_group = node.group_count > 0 && set.groups_.back().type == entry.type;
    if (!same_group) {
      if (node.group_count++ == 0) node.first_group = static_cast<std::uint32_t>(set.groups_.size());
      Group group{.first_member = static_cast<std::uint32_t>(set.members_.size()),
                  .member_count = 0,
                  .node = entry.node,
                  .type = entry.type};
      if (entry.record != kNoIndex) {
        const config::RecordSet& record = model_->zones[zone].records[entry.record];
        group.policy = record.policy;
        if (record.policy == config::RoutingPolicy::kCidr) group.policy_index = record.cidr->collection;
      }
      set.groups_.push_back(group);
    }
    Group& group = set.groups_.back();
    ++group.member_count;
    set.members_.push_back(entry.member);
    set.group_members_max_ = std::max(set.group_members_max_, group.member_count);
    if (group.policy != config::RoutingPolicy::kWeighted) continue;
    if (group.policy_index == kNoIndex) group.policy_index = set.draw_count_;
    ++set.draw_count_;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i == 0 || entries[i].node != entries[i - 1].node) {
      Node& node = set.nodes_[entries[i].node];
      const bool is_apex = entries[i].node == set.zones_[zone].node;
      node.delegation = !is_apex && set.FindGroup(entries[i].node, rr::kNs) != nullptr;
      set.zones_[zone].has_delegations = set.zones_[zone].has_delegations || node.delegation;
    }
  }
}

void ZoneSetBuilder::ReleasePlainRecords() {
  if (!findings_.empty()) return;
  set_->model_ = config::WithoutPlainRecords(model_);
  if (set_->model_ == model_) return;
  std::vector<std::vector<std::uint32_t>> places(model_->zones.size());  // by zone and record: where it is now
  for (std::size_t zone = 0; zone < places.size(); ++zone) {
    std::uint32_t kept = 0;
    for (const auto& record : model_->zones[zone].records) {
      places[zone].push_back(record.is_plain() ? kNoIndex : kept++);
    }
  }
  for (const Group& group : set_->groups_) {
    const auto& zone_places = places[set_->nodes_[group.node].zone];
    for (Member& member : std::span(set_->members_).subspan(group.first_member, group.member_count)) {
      if (member.record != kNoIndex) member.record = zone_places[member.record];
    }
  }
}

}  // namespace weir::dns
