// Record sets that share a name and type; spec: dns.md 2.1.

#include "base/domain_name.h"
#include "base/record_type.h"
#include "base/text.h"
#include "config/check/checks.h"
#include "config/decode/dns_name.h"
#include "config/decode/units.h"
#include "config/findings.h"
#include "config/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace weir::config {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

std::string_view PolicyName(RoutingPolicy policy) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"simple", "weighted", "failover", "latency", "multivalue", "CIDR", "geolocation", "geoproximity"});
  return kNames[static_cast<std::size_t>(policy)];
}

class ZoneCheck {
 public:
  ZoneCheck(const Model& model, const Zone& zone, Findings& findings)
      : model_(model), zone_(zone), findings_(findings) {}

  void Check();

 private:
  // All record sets of one name and type, in the order of the file.
  struct Group {
    std::vector<std::uint32_t> records;
    std::uint16_t type = 0;
    std::uint32_t next = kNone;  // the next group of the same name
    enum class Visit : std::uint8_t { kNew, kOpen, kDone } visit = Visit::kNew;
    std::uint32_t height = 0;  // alias steps below
  };

  void Collect();
  [[nodiscard]] std::uint32_t FindGroup(std::string_view name, std::uint16_t type) const;
  void CheckGroup(const Group& group);
  void CheckSets(const Group& group);
  void CheckRoles(const Group& group);
  void CheckRegions(const Group& group);
  void CheckLocations(const Group& group);
  void CheckGeoLocations(const Group& group);
  void CheckGeoProximities(const Group& group);
  void CheckGeoDatabase(const Group& group, std::string_view consequence);
  void CheckWeights(const Group& group);
  void CheckCnames();
  void CheckAliasTarget(const RecordSet& record);
  [[nodiscard]] std::string_view DelegationOf(std::string_view name) const;
  [[nodiscard]] std::string NearestTargetHint(const RecordSet& record) const;
  void CheckValues(const RecordSet& record);
  void CheckAdvertised(const RecordSet& record);
  std::uint32_t Visit(std::uint32_t index, std::uint32_t depth);

  [[nodiscard]] const RecordSet& At(std::uint32_t record) const { return zone_.records[record]; }
  [[nodiscard]] std::string Title(const Group& group) const {
    const RecordSet& first = At(group.records.front());
    return fmt::format("{} {}", first.name, RecordTypeName(first.type));
  }

  [[nodiscard]] std::string CollectionName(const RecordSet& record) const {
    return Quoted(model_.cidr_collections[record.cidr->collection].name);
  }

  const Model& model_;
  const Zone& zone_;
  Findings& findings_;
  std::vector<Group> groups_;
  std::unordered_map<std::string_view, std::uint32_t> first_group_;  // by name
};

void ZoneCheck::Collect() {
  first_group_.reserve(zone_.records.size());
  groups_.reserve(zone_.records.size());
  for (std::uint32_t i = 0; i < zone_.records.size(); ++i) {
    const RecordSet& record = At(i);
    if (record.name.empty() || record.type == 0) continue;
    std::uint32_t index = FindGroup(record.name, record.type);
    if (index == kNone) {
      index = static_cast<std::uint32_t>(groups_.size());
      const auto [at, fresh] = first_group_.emplace(record.name, index);
      groups_.push_back({{}, record.type, fresh ? kNone : at->second});
      at->second = index;
    }
    groups_[index].records.push_back(i);
  }
}

std::uint32_t ZoneCheck::FindGroup(std::string_view name, std::uint16_t type) const {
  const auto found = first_group_.find(name);
  std::uint32_t index = found == first_group_.end() ? kNone : found->second;
  while (index != kNone && groups_[index].type != type) index = groups_[index].next;
  return index;
}

void ZoneCheck::Check() {
  Collect();
  for (const Group& group : groups_) CheckGroup(group);
  CheckCnames();
  for (const RecordSet& record : zone_.records) {
    CheckValues(record);
    if (!record.alias) continue;
    CheckAliasTarget(record);
    CheckAdvertised(record);
  }
  for (std::uint32_t i = 0; i < groups_.size(); ++i) Visit(i, 0);
}

void ZoneCheck::CheckGroup(const Group& group) {
  const RecordSet& first = At(group.records.front());
  for (const std::uint32_t index : group.records) {
    const RecordSet& record = At(index);
    if (record.policy == first.policy) continue;
    findings_.AddError(
        record.position,
        fmt::format("a {} record of {} beside a {} one", PolicyName(record.policy), Title(group),
                    PolicyName(first.policy)),
        fmt::format("all records of one name and type share a policy; the first is {}", LineText(first.position)));
    return;
  }
  if (first.policy == RoutingPolicy::kSimple) {
    if (group.records.size() > 1) {
      findings_.AddError(At(group.records[1]).position, fmt::format("a second record {}", Title(group)),
                         fmt::format("the first is {}; write both values there, or give both a routing policy",
                                     LineText(first.position)));
    }
    return;
  }
  CheckSets(group);
  if (first.policy == RoutingPolicy::kFailover) CheckRoles(group);
  if (first.policy == RoutingPolicy::kLatency) CheckRegions(group);
  if (first.policy == RoutingPolicy::kCidr) CheckLocations(group);
  if (first.policy == RoutingPolicy::kGeolocation) CheckGeoLocations(group);
  if (first.policy == RoutingPolicy::kGeoproximity) CheckGeoProximities(group);
  if (first.policy == RoutingPolicy::kWeighted) CheckWeights(group);
}

void ZoneCheck::CheckSets(const Group& group) {
  if (group.records.size() < 2) return;
  std::unordered_map<std::string_view, std::uint32_t> seen;
  for (const std::uint32_t index : group.records) {
    if (At(index).set.empty()) continue;
    if (const auto [at, fresh] = seen.emplace(At(index).set, index); !fresh) {
      findings_.AddError(At(index).position, fmt::format("a second set {} of {}", Quoted(At(index).set), Title(group)),
                         fmt::format("the first is {}", LineText(At(at->second).position)));
    }
  }
}

void ZoneCheck::CheckRoles(const Group& group) {
  std::array<std::uint32_t, 2> first = {kNone, kNone};
  for (const std::uint32_t index : group.records) {
    auto& seen = first[static_cast<std::size_t>(At(index).failover)];
    if (seen == kNone) {
      seen = index;
      continue;
    }
    findings_.AddError(
        At(index).position,
        fmt::format("a second {} record of {}", At(index).failover == FailoverRole::kPrimary ? "PRIMARY" : "SECONDARY",
                    Title(group)),
        fmt::format("one of each; the first is {}", LineText(At(seen).position)));
  }
  if (first[0] == kNone || first[1] == kNone) {
    findings_.AddWarning(At(group.records.front()).position,
                         fmt::format("{} has no {} record", Title(group), first[0] == kNone ? "PRIMARY" : "SECONDARY"),
                         "there is nothing to fail over to");
  }
}

void ZoneCheck::CheckRegions(const Group& group) {
  std::unordered_map<std::uint32_t, std::uint32_t> seen;
  for (const std::uint32_t index : group.records) {
    if (const auto [at, fresh] = seen.emplace(At(index).region, index); !fresh) {
      findings_.AddError(At(index).position, fmt::format("a second record of {} for the same region", Title(group)),
                         fmt::format("one for each region; the first is {}", LineText(At(at->second).position)));
    }
  }
}

void ZoneCheck::CheckLocations(const Group& group) {
  const RecordSet* first = nullptr;
  std::map<std::optional<std::uint32_t>, std::uint32_t> seen;
  for (const std::uint32_t index : group.records) {
    const RecordSet& record = At(index);
    if (!record.cidr) continue;
    if (first == nullptr) first = &record;
    if (record.cidr->collection != first->cidr->collection) {
      findings_.AddError(record.position,
                         fmt::format("{} by CIDR collection {} beside {}", Title(group), CollectionName(record),
                                     CollectionName(*first)),
                         fmt::format("all records of one name and type use one collection; the first is {}",
                                     LineText(first->position)));
    } else if (const auto [at, fresh] = seen.emplace(record.cidr->location, index); !fresh) {
      findings_.AddError(record.position, fmt::format("a second record of {} for the same location", Title(group)),
                         fmt::format("one for each location; the first is {}", LineText(At(at->second).position)));
    }
  }
  if (first == nullptr || seen.contains(std::nullopt)) return;
  findings_.AddWarning(first->position, fmt::format("{} has no record for location `*`", Title(group)),
                       "clients that no block holds get no answer");
}

void ZoneCheck::CheckGeoLocations(const Group& group) {
  const RecordSet* fallback = nullptr;
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    const RecordSet& record = At(group.records[i]);
    if (!record.geolocation) return;
    if (record.geolocation->is_default()) fallback = &record;
    const auto same = std::ranges::find_if(
        group.records, [&](std::uint32_t other) { return At(other).geolocation == record.geolocation; });
    if (*same == group.records[i]) continue;
    findings_.AddError(record.position, fmt::format("a second record of {} for the same geolocation", Title(group)),
                       fmt::format("one for each place; the first is {}", LineText(At(*same).position)));
  }
  if (fallback == nullptr) {
    findings_.AddWarning(At(group.records.front()).position,
                         fmt::format("{} has no record for geolocation `country: \"*\"`", Title(group)),
                         "clients elsewhere, and those of unknown place, get no answer");
  }
  CheckGeoDatabase(group, "every client gets the record of `country: \"*\"`");
}

void ZoneCheck::CheckGeoProximities(const Group& group) {
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    const auto& place = At(group.records[i]).geoproximity;
    if (!place) return;
    const auto same = std::ranges::find_if(group.records, [&](std::uint32_t other) {
      const auto& there = At(other).geoproximity;
      return there && there->region == place->region && there->latitude == place->latitude &&
             there->longitude == place->longitude;
    });
    if (*same == group.records[i]) continue;
    findings_.AddError(At(group.records[i]).position,
                       fmt::format("a second record of {} at the same place", Title(group)),
                       fmt::format("the nearest answers; the first is {}", LineText(At(*same).position)));
  }
  CheckGeoDatabase(group, "every client gets the first healthy record");
}

void ZoneCheck::CheckGeoDatabase(const Group& group, std::string_view consequence) {
  if (!model_.latency.geoip.text.empty()) return;
  const RecordSet& first = At(group.records.front());
  findings_.AddWarning(
      first.position,
      fmt::format("{} is a {} record, and nothing says where clients are", Title(group), PolicyName(first.policy)),
      fmt::format("{} until `latency: {{geoip: FILE}}` names a MaxMind database", consequence));
}

void ZoneCheck::CheckWeights(const Group& group) {
  std::uint64_t total = 0;
  const RecordSet* with_ttl = nullptr;
  for (const std::uint32_t index : group.records) {
    const RecordSet& record = At(index);
    total += record.weight;
    if (!record.ttl_seconds || record.alias) continue;
    if (with_ttl == nullptr) with_ttl = &record;
    if (record.ttl_seconds == with_ttl->ttl_seconds) continue;
    findings_.AddWarning(record.position, fmt::format("the TTLs of {} differ", Title(group)),
                         fmt::format("{}s {}; a resolver keeps the longer one longer than its share",
                                     *with_ttl->ttl_seconds, LineText(with_ttl->position)));
    break;
  }
  if (total == 0) {
    findings_.AddWarning(At(group.records.front()).position, fmt::format("every weight of {} is 0", Title(group)),
                         "all are then equally likely");
  }
}

// RFC 1034 3.6.2: nothing stands beside a CNAME.
void ZoneCheck::CheckCnames() {
  for (const auto& [name, last] : first_group_) {
    if (groups_[last].next == kNone) continue;
    const std::uint32_t cname = FindGroup(name, rr::kCname);
    if (cname == kNone) continue;
    for (std::uint32_t other = last; other != kNone; other = groups_[other].next) {
      if (other == cname) continue;
      findings_.AddError(At(groups_[cname].records.front()).position,
                         fmt::format("a CNAME beside the {} records of {}", RecordTypeName(groups_[other].type), name),
                         fmt::format("a CNAME stands alone at its name; the other is {}",
                                     LineText(At(groups_[other].records.front()).position)));
      break;
    }
  }
}

void ZoneCheck::CheckAliasTarget(const RecordSet& record) {
  const std::string& target = record.alias->record;
  if (target.empty() || record.type == 0 || !IsInZone(target, zone_.name)) return;
  if (FindGroup(target, record.type) != kNone) {
    const std::string_view child = DelegationOf(target);
    if (child.empty()) return;
    findings_.AddError(record.alias->position, fmt::format("{} is delegated with {}", target, child),
                       "what is at or below an NS record is answered elsewhere; alias to a record above it");
    return;
  }
  findings_.AddError(
      record.alias->position, fmt::format("no {} record is named {}", RecordTypeName(record.type), target),
      first_group_.contains(target) ? "an alias answers records of its own type" : NearestTargetHint(record));
}

// The name with NS records below the apex that `name`, which lies in the zone, is at or below; empty without one.
std::string_view ZoneCheck::DelegationOf(std::string_view name) const {
  while (name != zone_.name && name != ".") {
    if (FindGroup(name, rr::kNs) != kNone) return name;
    const std::size_t dot = name.find('.');
    name = dot + 1 == name.size() ? std::string_view(".") : name.substr(dot + 1);
  }
  return {};
}

// Compares what stands before the zone's name: with the name itself everything would be alike.
std::string ZoneCheck::NearestTargetHint(const RecordSet& record) const {
  const auto below_zone = [this](std::string_view name) {
    if (zone_.name != ".") name.remove_suffix(zone_.name.size());
    return name;
  };
  std::vector<std::string_view> names;
  std::vector<std::string_view> below;
  for (const Group& group : groups_) {
    const std::string& name = At(group.records.front()).name;
    if (group.type != record.type || name == record.name) continue;
    names.push_back(name);
    below.push_back(below_zone(name));
  }
  constexpr std::size_t kSearchedNamesMax = 5'000;
  if (names.empty() || names.size() > kSearchedNamesMax) return {};
  const std::string_view nearest = NearestWord(below_zone(record.alias->record), below);
  const auto found = std::ranges::find(below, nearest);
  if (!nearest.empty() && found != below.end()) {
    return fmt::format("did you mean {}?", Quoted(names[static_cast<std::size_t>(found - below.begin())]));
  }
  constexpr std::size_t kListedNamesMax = 12;
  if (names.size() > kListedNamesMax) return {};
  return fmt::format("{} {}", names.size() == 1 ? "there is only" : "one of", JoinWords(names));
}

void ZoneCheck::CheckValues(const RecordSet& record) {
  const bool is_text = record.type == rr::kTxt || record.type == rr::kSpf;
  for (const LocatedText& value : record.values) {
    if (is_text && TextFormOf(value.text) == TextForm::kUnquotedWords) {
      findings_.AddWarning(value.position, fmt::format("{} is not in quotation marks", Quoted(value.text)),
                           "each word becomes a string, and who reads them joins them without spaces (RFC 7208 3.3); "
                           "write '\"one string\"'");
    }
    const std::string_view name = InternationalName(record.type, value.text);
    if (name.empty()) continue;
    const std::string punycode = ToPunycode(name);
    findings_.AddWarning(value.position, fmt::format("the name {} is sent as it is, in UTF-8", Quoted(name)),
                         punycode.empty() ? std::string() : fmt::format("in DNS it is {}", punycode));
  }
}

void ZoneCheck::CheckAdvertised(const RecordSet& record) {
  if (!record.alias->load_balancer) return;
  const LoadBalancer& balancer = model_.load_balancers[*record.alias->load_balancer];
  if (balancer.addresses.empty()) return;  // They could not be read.
  const bool v4 = record.type == rr::kA;
  if (!v4 && record.type != rr::kAaaa) return;
  if (std::ranges::any_of(balancer.advertise, [&](const IpAddress& a) { return a.is_v4() == v4; })) return;
  findings_.AddWarning(
      record.position,
      fmt::format("load balancer {} advertises no {} address", Quoted(balancer.name), v4 ? "IPv4" : "IPv6"),
      "the alias answers nothing; add one to `advertise`");
}

// Depth first along aliases. Returns the alias steps below the group. The recursion ends at kAliasDepthMax.
std::uint32_t ZoneCheck::Visit(std::uint32_t index, std::uint32_t depth) {
  Group& group = groups_[index];
  if (group.visit == Group::Visit::kDone) return group.height;
  group.visit = Group::Visit::kOpen;
  for (const std::uint32_t member : group.records) {
    const RecordSet& record = At(member);
    if (!record.alias || record.alias->record.empty()) continue;
    const std::uint32_t target = FindGroup(record.alias->record, record.type);
    if (target == kNone) continue;
    if (groups_[target].visit == Group::Visit::kOpen) {
      findings_.AddError(record.alias->position,
                         fmt::format("the alias to {} leads back to itself", record.alias->record),
                         "aliases form a tree");
      continue;
    }
    if (depth + 1 > kAliasDepthMax) {
      findings_.AddError(record.alias->position,
                         fmt::format("aliases are nested deeper than {} steps", kAliasDepthMax));
      continue;
    }
    const std::uint32_t height = Visit(target, depth + 1) + 1;
    // What leads there is too long as well: told once.
    if (height == kAliasDepthMax + 1 && group.height < height) {
      findings_.AddError(record.alias->position,
                         fmt::format("aliases are nested deeper than {} steps", kAliasDepthMax));
    }
    group.height = std::max(group.height, height);
  }
  group.visit = Group::Visit::kDone;
  return group.height;
}

}  // namespace

// Warns of a zone that is reached only by those who ask this server for it: its parent, which is here, too, does not
// say where it is (RFC 1034 4.2.1).
void CheckDelegations(const Model& model, std::span<const ZoneUnit> units, Findings& findings) {
  if (model.zones.size() < 2) return;
  std::unordered_set<std::string_view> zones;
  std::unordered_set<std::string_view> delegations;
  for (const auto& zone : model.zones) zones.insert(zone->name);
  for (const ZoneUnit& unit : units) delegations.insert(unit.delegations.begin(), unit.delegations.end());
  for (const auto& shared : model.zones) {
    const Zone& zone = *shared;
    // A delegation above the zone, too, leads those who ask elsewhere.
    bool delegated = delegations.contains(zone.name);
    std::string_view parent = zone.name;
    do {
      const std::size_t dot = parent.find('.');
      if (parent == "." || dot == std::string_view::npos) break;
      parent = dot + 1 == parent.size() ? std::string_view(".") : parent.substr(dot + 1);
      if (!zones.contains(parent)) delegated = delegated || delegations.contains(parent);
    } while (!zones.contains(parent));
    if (delegated || parent == zone.name || !zones.contains(parent)) continue;
    findings.AddWarning(zone.position, fmt::format("zone {} has no NS record for its child {}", parent, zone.name),
                        fmt::format("add {{name: {}, type: NS, ttl: ..., values: [...]}} there", zone.name));
  }
}

void CheckRecordSets(const Model& model, const Zone& zone, Findings& findings) {
  // Without a name that can be read nobody knows which record an alias names.
  if (!zone.name.empty()) ZoneCheck(model, zone, findings).Check();
}

}  // namespace weir::config
