#include "dns/zone/zone_builder.h"

#include "base/check.h"
#include "config/plain_records.h"
#include "dns/wire/types.h"
#include "dns/zone/huge_pages.h"
#include "dns/zone/name_table.h"
#include "dns/zone/values.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

namespace weir::dns {
namespace {

// spec: dns.md 3.3, TTL advice: what Route 53 answers for an alias to a load balancer.
constexpr std::uint32_t kLoadBalancerTtlSeconds = 60;
constexpr std::size_t kValuesMax = 65'535;

void PutU32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

Name CheckedName(std::string_view text) {
  const auto name = Name::Parse(text);
  WEIR_CHECK(name.has_value());
  return *name;
}

ZoneBuilder::ZoneBuilder(std::shared_ptr<const config::Zone> zone, std::shared_ptr<ZoneCountersTable> counters)
    : configured_(std::move(zone)), name_(CheckedName(configured_->name)), zone_(new Zone()) {
  zone_->config_ = configured_;
  zone_->counters_ = std::move(counters);
}

std::shared_ptr<const Zone> ZoneBuilder::Build() {
  WEIR_CHECK(configured_->plain_record_count == 0);  // else its records would be missing
  ReserveTables();
  AddApex();
  std::vector<Entry> entries;
  entries.reserve(configured_->records.size() + 2);
  AddApexRecords(entries);
  for (std::uint32_t i = 0; i < configured_->records.size(); ++i) AddRecord(i, entries);
  BuildGroups(entries);
  ResolveAliases();
  MarkDrawsByClient();
  CheckMessageSizes();
  if (!findings_.empty()) return nullptr;
  ReleasePlainRecords();
  FitTables();
  return zone_;
}

void ZoneBuilder::Fail(const config::Position& position, std::string message, std::string hint) {
  findings_.push_back({.severity = config::Severity::kError,
                       .position = position,
                       .path = {},
                       .message = std::move(message),
                       .hint = std::move(hint)});
}

void ZoneBuilder::ReserveTables() {
  const std::size_t records = configured_->records.size() + 2;
  zone_->node_slots_.assign(std::bit_ceil(records * 2 + 2), 0);
  zone_->nodes_.reserve(records);
  zone_->groups_.reserve(records);
  zone_->members_.reserve(records);
}

// A zone lives long: what it does not need goes back.
void ZoneBuilder::FitTables() {
  const auto fit = [](auto& table) {
    table.shrink_to_fit();
    UseHugePages(std::as_bytes(std::span(table)));
  };
  fit(zone_->node_slots_);
  fit(zone_->nodes_);
  fit(zone_->groups_);
  fit(zone_->members_);
  fit(zone_->names_);
  fit(zone_->rdata_);
}

RdataList ZoneBuilder::PutRdata(std::span<const std::uint8_t> rdata) {
  auto& all = zone_->rdata_;
  const RdataList list{static_cast<std::uint32_t>(all.size()), 1};
  const auto size = static_cast<std::uint16_t>(rdata.size());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&size);
  all.insert(all.end(), bytes, bytes + sizeof(size));
  all.insert(all.end(), rdata.begin(), rdata.end());
  return list;
}

void ZoneBuilder::AddApex() {
  HashedName hashed;
  hashed.Assign(name_.wire());
  zone_->apex_.labels = static_cast<std::uint16_t>(hashed.labels());
  zone_->apex_.node = PutNode(hashed);
}

void ZoneBuilder::AddApexRecords(std::vector<Entry>& entries) {
  const config::Zone& configured = *configured_;
  ZoneApex& apex = zone_->apex_;
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
  Member ns{.values = {static_cast<std::uint32_t>(zone_->rdata_.size()), 0}, .ttl_seconds = configured.ns_ttl_seconds};
  for (const auto& server : configured.name_servers) {
    scratch_.clear();
    append_name(server);
    static_cast<void>(PutRdata(scratch_));
    ++ns.values.count;
  }
  entries.push_back({.node = apex.node, .type = rr::kNs, .record = kNoIndex, .member = ns});
}

void ZoneBuilder::AddRecord(std::uint32_t index, std::vector<Entry>& entries) {
  const config::RecordSet& record = configured_->records[index];
  HashedName hashed;
  hashed.Assign(CheckedName(record.name).wire());
  Entry entry{.node = PutNode(hashed), .type = record.type, .record = index, .member = {}};
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
    case config::RoutingPolicy::kGeolocation:
    case config::RoutingPolicy::kGeoproximity:
      break;
  }
  if (record.alias) {
    member.evaluate_target_health = record.alias->evaluate_target_health;
    member.alias = record.alias->load_balancer ? AliasKind::kLoadBalancer : AliasKind::kRecord;
    member.alias_target = record.alias->load_balancer.value_or(0);
    member.ttl_seconds = record.ttl_seconds.value_or(kLoadBalancerTtlSeconds);
  } else {
    member.ttl_seconds = record.ttl_seconds.value_or(0);
    member.values = AddValues(record);
  }
  entries.push_back(entry);
}

RdataList ZoneBuilder::AddValues(const config::RecordSet& record) {
  RdataList list{static_cast<std::uint32_t>(zone_->rdata_.size()), 0};
  if (record.values.size() > kValuesMax) {
    Fail(record.position, "more than 65,535 values", "an answer holds at most 64 KiB");
    return list;
  }
  for (const auto& value : record.values) {
    scratch_.clear();
    if (auto finding = ReadValue(record.type, value, name_, scratch_)) {
      findings_.push_back(std::move(*finding));
      continue;
    }
    static_cast<void>(PutRdata(scratch_));
    ++list.count;
  }
  if (zone_->rdata_.size() > std::numeric_limits<std::uint32_t>::max()) {
    Fail(record.position, "more than 4 GiB of record data", "split the zones over several appliances");
  }
  return list;
}

std::uint32_t ZoneBuilder::PutNode(const HashedName& name) {
  auto& nodes = zone_->nodes_;
  auto& slots = zone_->node_slots_;
  // Upwards until a node exists: the apex at the latest, except while the apex itself is made.
  std::size_t depth = name.labels();
  const std::size_t apex_depth = zone_->apex_.labels;
  std::optional<std::uint32_t> own;
  for (;; --depth) {
    if (const auto found = zone_->FindHashed(name.suffix_hash(depth), name.suffix(depth))) return own ? *own : *found;
    const auto index = static_cast<std::uint32_t>(nodes.size());
    const auto wire = name.suffix(depth);
    nodes.push_back({.name = static_cast<std::uint32_t>(zone_->names_.size()),
                     .first_group = 0,
                     .group_count = 0,
                     .name_bytes = static_cast<std::uint8_t>(wire.size()),
                     .delegation = false});
    zone_->names_.insert(zone_->names_.end(), wire.begin(), wire.end());
    if (nodes.size() * 3 > slots.size() * 2) {
      // Empty non-terminals were not counted beforehand.
      slots.assign(slots.size() * 2, 0);
      HashedName again;
      for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        again.Assign(zone_->name_of(nodes[i]));
        PutSlot(slots, again.suffix_hash(again.labels()), i);
      }
    } else {
      PutSlot(slots, name.suffix_hash(depth), index);
    }
    if (!own) own = index;
    if (depth <= apex_depth) return *own;
  }
}

void ZoneBuilder::BuildGroups(std::vector<Entry>& entries) {
  // kNoIndex + 1 is 0: the zone's own SOA and NS come first.
  std::ranges::sort(entries, {},
                    [](const Entry& entry) { return std::tuple(entry.node, entry.type, entry.record + 1U); });
  Zone& zone = *zone_;
  for (const Entry& entry : entries) {
    Node& node = zone.nodes_[entry.node];
    const bool same_group = node.group_count > 0 && zone.groups_.back().type == entry.type;
    if (!same_group) {
      if (node.group_count++ == 0) node.first_group = static_cast<std::uint32_t>(zone.groups_.size());
      Group group{.first_member = static_cast<std::uint32_t>(zone.members_.size()),
                  .member_count = 0,
                  .node = entry.node,
                  .type = entry.type};
      if (entry.record != kNoIndex) {
        const config::RecordSet& record = configured_->records[entry.record];
        group.policy = record.policy;
        if (record.policy == config::RoutingPolicy::kCidr) {
          group.policy_index = record.cidr->collection;
          auto& used = zone.cidr_collections_;
          if (std::ranges::find(used, group.policy_index) == used.end()) used.push_back(group.policy_index);
        }
      }
      zone.groups_.push_back(group);
    }
    Group& group = zone.groups_.back();
    ++group.member_count;
    zone.members_.push_back(entry.member);
    zone.group_members_max_ = std::max(zone.group_members_max_, group.member_count);
    if (group.policy != config::RoutingPolicy::kWeighted) continue;
    if (group.policy_index == kNoIndex) group.policy_index = zone.draw_count_;
    ++zone.draw_count_;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i == 0 || entries[i].node != entries[i - 1].node) {
      Node& node = zone.nodes_[entries[i].node];
      const bool is_apex = entries[i].node == zone.apex_.node;
      node.delegation = !is_apex && zone.FindGroup(entries[i].node, rr::kNs) != nullptr;
      zone.apex_.has_delegations = zone.apex_.has_delegations || node.delegation;
    }
  }
}

void ZoneBuilder::ReleasePlainRecords() {
  zone_->config_ = config::WithoutPlainRecords(configured_);
  if (zone_->config_ == configured_) return;
  std::vector<std::uint32_t> places;  // by record: where it is now
  places.reserve(configured_->records.size());
  std::uint32_t kept = 0;
  for (const auto& record : configured_->records) places.push_back(record.is_plain() ? kNoIndex : kept++);
  for (Member& member : zone_->members_) {
    if (member.record != kNoIndex) member.record = places[member.record];
  }
}

}  // namespace weir::dns
