#include "dns/policy/selection.h"

#include "config/limits.h"
#include "dns/policy/cidr_table.h"
#include "dns/policy/geo_database.h"
#include "dns/policy/latency_table.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace weir::dns {

static_assert(kMultivalueMax >= config::kNodesMax);
namespace {

constexpr std::uint32_t kRolePrimary = 0;
// epoch * 2 + healthy must fit 32 bits.
constexpr std::uint32_t kEpochMax = std::numeric_limits<std::uint32_t>::max() / 2;

Place PlaceOf(const config::Region& region) { return {region.latitude, region.longitude}; }

// Places that a geolocation record can name, the narrowest first.
enum class GeoLevel : std::uint8_t { kSubdivision, kCountry, kContinent, kDefault };
constexpr std::array kGeoLevels = {GeoLevel::kSubdivision, GeoLevel::kCountry, GeoLevel::kContinent,
                                   GeoLevel::kDefault};

bool Holds(const config::GeoLocation& location, GeoLevel level, const GeoDatabase::Codes& client) {
  switch (level) {
    case GeoLevel::kSubdivision:
      return !location.subdivision.empty() && location.country == client.country &&
             location.subdivision == client.subdivision;
    case GeoLevel::kCountry:
      return location.subdivision.empty() && !location.country.empty() && location.country == client.country;
    case GeoLevel::kContinent:
      return !location.continent.empty() && location.continent == client.continent;
    case GeoLevel::kDefault:
      return location.is_default();
  }
  return false;
}

// Spec: dns.md 3.3, Geoproximity bias.
double Biased(double kilometres, int bias) {
  const double share = bias / 100.0;
  return bias >= 0 ? kilometres * (1 - share) : kilometres / (1 + share);
}

}  // namespace

std::uint32_t AnswerTtlSeconds(const Member& member) { return member.ttl_seconds; }

// Zones mostly keep their places.
void RecordSelector::TakeCredits(const ZoneSet& zones) {
  std::vector<std::int64_t> credits(zones.draw_count(), 0);
  const std::size_t shared = zones_ == nullptr ? 0 : std::min(zones.zone_count(), zones_->zone_count());
  for (std::size_t i = 0; i < shared; ++i) {
    const ZonePlace& before = zones_->place(i);
    const ZonePlace& now = zones.place(i);
    if (before.zone != now.zone) continue;
    std::copy_n(credits_.begin() + before.first_draw, now.zone->draw_count(), credits.begin() + now.first_draw);
  }
  credits_ = std::move(credits);
}

void RecordSelector::SetView(const ZoneSet& zones, const health::StatusTable& status, bool zones_changed) {
  if (zones_changed) {
    TakeCredits(zones);
    candidates_.resize(zones.group_members_max());
    spare_candidates_.resize(zones.group_members_max());
    found_scopes_.assign(zones.draw_count(), {});
  }
  zones_ = &zones;
  status_ = &status;
  if (zones_changed || epoch_ == kEpochMax) {
    group_health_.assign(zones.health_slot_count(), 0);
    epoch_ = 0;
  }
  ++epoch_;
}

bool RecordSelector::IsHealthy(const ZonePlace& place, const Member& member) {
  if (member.health_check < status_->checks.size() && !status_->checks[member.health_check].healthy) return false;
  if (!member.evaluate_target_health) return true;
  if (member.alias == AliasKind::kLoadBalancer) {
    return member.alias_target >= status_->load_balancers.size() ||
           status_->load_balancers[member.alias_target].healthy;
  }
  return member.alias != AliasKind::kRecord || IsGroupHealthy(place, place.zone->groups()[member.alias_target]);
}

bool RecordSelector::IsGroupHealthy(const ZonePlace& place, const Group& group) {
  // Remembered until the next SetView: without that, a tree whose branches meet again would be walked once for each way
  // that leads to its leaves. The depth of the recursion is that of the alias tree, which has no cycle.
  std::uint32_t* const memory =
      group.health_slot == kNoIndex ? nullptr : &group_health_[place.first_health_slot + group.health_slot];
  if (memory != nullptr && *memory / 2 == epoch_) return *memory % 2 != 0;
  const bool healthy = std::ranges::any_of(place.zone->members_of(group),
                                           [&](const Member& member) { return IsHealthy(place, member); });
  if (memory != nullptr) *memory = epoch_ * 2 + (healthy ? 1U : 0U);
  return healthy;
}

Selection RecordSelector::Select(const ZonePlace& place, const Group& top, const ClientPlace& client,
                                 SelectionTrace* trace) {
  const Zone& zone = *place.zone;
  Selection selection;
  const Group* group = &top;
  while (true) {
    const auto members = zone.members_of(*group);
    JudgeHealth(place, members);
    const Choice choice = Choose(place, *group, members, client, selection);
    for (std::size_t i = 0; i < choice.count; ++i) candidates_[choice.members[i]].chosen = true;
    if (trace != nullptr) {
      Decision decision{place, *group, std::span(candidates_).first(members.size())};
      decision.fail_open = choice.count > 0 && !candidates_[choice.members[0]].healthy;
      for (const Candidate& candidate : decision.candidates) decision.weight_total += candidate.weight;
      trace->OnDecision(decision);
    }
    if (choice.count == 0) return selection;
    const Member& first = members[choice.members[0]];
    if (first.alias == AliasKind::kRecord) {
      group = &zone.groups()[first.alias_target];
      continue;
    }
    selection.ttl_seconds = AnswerTtlSeconds(first);
    if (first.alias == AliasKind::kLoadBalancer) {  // alone: a multivalue answer holds no alias
      AddLoadBalancer(first.alias_target, group->type, selection);
      return selection;
    }
    selection.rdata = zone.rdata();
    selection.list_count = choice.count;
    for (std::size_t i = 0; i < choice.count; ++i) {
      const Member& member = members[choice.members[i]];
      selection.lists[i] = member.values;
      selection.ttl_seconds = std::min(selection.ttl_seconds, AnswerTtlSeconds(member));
    }
    return selection;
  }
}

void RecordSelector::AddLoadBalancer(std::uint32_t balancer, std::uint16_t type, Selection& selection) const {
  selection.rdata = zones_->load_balancer_rdata();
  selection.list_count = 0;
  const auto* const nodes =
      balancer < status_->load_balancers.size() ? &status_->load_balancers[balancer].nodes : nullptr;
  const auto add = [&](bool health::NodeStatus::* counts, bool wanted) {
    for (std::size_t i = 0; i < nodes->size(); ++i) {
      if ((*nodes)[i].*counts != wanted) continue;
      const RdataList values = zones_->node_values(balancer, i, type);
      if (values.count > 0) selection.lists[selection.list_count++] = values;
    }
  };
  if (nodes != nullptr && !nodes->empty()) {
    add(&health::NodeStatus::answers, true);
    // Those that answer have no address of this family.
    if (selection.list_count == 0) add(&health::NodeStatus::shifted, false);
    if (selection.list_count > 0) return;
    selection.lists[0] = {};
  } else {
    selection.lists[0] = zones_->load_balancer_values(balancer, type);
  }
  selection.list_count = 1;
}

void RecordSelector::JudgeHealth(const ZonePlace& place, std::span<const Member> members) {
  bool any_healthy = false;
  for (std::size_t i = 0; i < members.size(); ++i) {
    candidates_[i] = {};
    candidates_[i].healthy = IsHealthy(place, members[i]);
    any_healthy = any_healthy || candidates_[i].healthy;
  }
  for (std::size_t i = 0; i < members.size(); ++i) candidates_[i].eligible = candidates_[i].healthy || !any_healthy;
}

RecordSelector::Choice RecordSelector::Choose(const ZonePlace& place, const Group& group,
                                              std::span<const Member> members, const ClientPlace& client,
                                              Selection& selection) {
  switch (group.policy) {
    case config::RoutingPolicy::kSimple:
      return ChooseFirst(members);
    case config::RoutingPolicy::kWeighted:
      return ChooseWeighted(place, group, members, client, selection);
    case config::RoutingPolicy::kFailover:
      return ChooseFailover(members);
    case config::RoutingPolicy::kLatency:
      return ChooseLatency(members, client, selection);
    case config::RoutingPolicy::kMultivalue:
      return ChooseMultivalue(members);
    case config::RoutingPolicy::kCidr:
      return ChooseCidr(group, members, client, selection);
    case config::RoutingPolicy::kGeolocation:
      return ChooseGeolocation(place, members, client, selection);
    case config::RoutingPolicy::kGeoproximity:
      return ChooseGeoproximity(place, members, client, selection);
  }
  return ChooseFirst(members);
}

// Where no record has to hold the client, at least one candidate is eligible: a group is never empty, and fail-open
// makes all of them eligible.
RecordSelector::Choice RecordSelector::ChooseFirst(std::span<const Member> members) const {
  Choice choice{.members = {}, .count = 1};
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    if (!candidates_[i].eligible) continue;
    choice.members[0] = i;
    break;
  }
  return choice;
}

// The truth table of spec: dns.md 3.3 follows from eligibility: with both roles eligible, PRIMARY.
RecordSelector::Choice RecordSelector::ChooseFailover(std::span<const Member> members) const {
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    if (candidates_[i].eligible && members[i].figure == kRolePrimary) return {.members = {i}, .count = 1};
  }
  return ChooseFirst(members);
}

// Stage 1 draws among eligible members with a weight; stage 2, without any, equally among all eligible ones.
RecordSelector::Choice RecordSelector::ChooseWeighted(const ZonePlace& place, const Group& group,
                                                      std::span<const Member> members, const ClientPlace& client,
                                                      Selection& selection) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (candidates_[i].eligible) candidates_[i].weight = members[i].figure;
    total += candidates_[i].weight;
  }
  if (total == 0) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      candidates_[i].weight = candidates_[i].eligible ? 1 : 0;
      total += candidates_[i].weight;
    }
  }
  if (group.draws_by_client) {
    ++walk_;
    candidates_.swap(spare_candidates_);
    selection.scope_bits = std::max(selection.scope_bits, DrawScopeBits(place, group, client));
    candidates_.swap(spare_candidates_);
  }
  const auto credits = std::span(credits_).subspan(place.first_draw + group.policy_index, members.size());
  return {.members = {Draw(credits, total)}, .count = 1};
}

unsigned RecordSelector::DrawScopeBits(const ZonePlace& place, const Group& group, const ClientPlace& client) {
  if (!group.draws_by_client) return 0;
  FoundScope& found = found_scopes_[place.first_draw + group.policy_index];
  if (found.walk == walk_) return found.bits;
  const auto members = place.zone->members_of(group);
  const bool any_healthy = std::ranges::any_of(members, [&](const Member& member) { return IsHealthy(place, member); });
  const auto is_eligible = [&](const Member& member) { return !any_healthy || IsHealthy(place, member); };
  const bool any_weight =
      std::ranges::any_of(members, [&](const Member& member) { return member.figure > 0 && is_eligible(member); });
  unsigned bits = 0;
  for (const Member& member : members) {
    if (member.alias != AliasKind::kRecord || (any_weight && member.figure == 0) || !is_eligible(member)) continue;
    bits = std::max(bits, ScopeBits(place, place.zone->groups()[member.alias_target], client));
  }
  found = {walk_, bits};
  return bits;
}

unsigned RecordSelector::ScopeBits(const ZonePlace& place, const Group& top, const ClientPlace& client) {
  Selection selection;
  const Group* group = &top;
  while (group->policy != config::RoutingPolicy::kWeighted) {
    const auto members = place.zone->members_of(*group);
    JudgeHealth(place, members);
    const Choice choice = Choose(place, *group, members, client, selection);
    if (choice.count == 0 || members[choice.members[0]].alias != AliasKind::kRecord) return selection.scope_bits;
    group = &place.zone->groups()[members[choice.members[0]].alias_target];
  }
  return std::max(selection.scope_bits, DrawScopeBits(place, *group, client));
}

// Smooth weighted round robin: every member in the draw gains its weight, the richest wins and pays the total.
std::uint32_t RecordSelector::Draw(std::span<std::int64_t> credits, std::uint64_t weight_total) {
  const bool cycle_begins = std::ranges::all_of(credits, [](std::int64_t credit) { return credit == 0; });
  const bool at_random = cycle_begins && !deterministic_;
  std::uint64_t place = at_random ? random_.Below(weight_total) : 0;
  std::uint32_t chosen = kNoIndex;
  for (std::uint32_t i = 0; i < credits.size(); ++i) {
    const std::uint64_t weight = candidates_[i].weight;
    if (weight == 0) continue;
    credits[i] += static_cast<std::int64_t>(weight);
    if (!at_random) {
      if (chosen == kNoIndex || credits[i] > credits[chosen]) chosen = i;
    } else if (chosen == kNoIndex) {
      if (place < weight) chosen = i;
      place -= std::min(place, weight);
    }
  }
  credits[chosen] -= static_cast<std::int64_t>(weight_total);
  return chosen;
}

RecordSelector::Choice RecordSelector::ChooseLatency(std::span<const Member> members, const ClientPlace& client,
                                                     Selection& selection) {
  if (client.known && members.size() > 1) {
    RankByTable(members, client, selection);
    RankByDistance(members, client, selection);
  }
  return ChooseNearest(members);
}

RecordSelector::Choice RecordSelector::ChooseNearest(std::span<const Member> members) const {
  Choice choice = ChooseFirst(members);
  const auto rank_of = [this](std::uint32_t i) { return std::tuple(candidates_[i].rank, candidates_[i].distance); };
  for (std::uint32_t i = choice.members[0] + 1; i < members.size(); ++i) {
    if (candidates_[i].eligible && rank_of(i) < rank_of(choice.members[0])) choice.members[0] = i;
  }
  return choice;
}

void RecordSelector::RankByTable(std::span<const Member> members, const ClientPlace& client, Selection& selection) {
  const LatencyTable* table = zones_->latency_table();
  if (table == nullptr) return;
  const auto place = table->Locate(client.address);
  selection.scope_bits = std::max(selection.scope_bits, table->ScopeBits(client.address, place));
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto match = table->Find(client.address, place, client.prefix_bits, members[i].figure);
    if (!match) continue;
    candidates_[i].rank = LatencyRank::kMeasured;
    candidates_[i].distance = match->milliseconds;
    candidates_[i].matched_bits = match->prefix_bits;
  }
}

// For the members that the table does not measure.
void RecordSelector::RankByDistance(std::span<const Member> members, const ClientPlace& client, Selection& selection) {
  const GeoDatabase* geo = zones_->geo_database();
  if (geo == nullptr) return;
  const auto unknown =
      std::ranges::any_of(std::span(candidates_).first(members.size()),
                          [](const Candidate& candidate) { return candidate.rank == LatencyRank::kUnknown; });
  if (!unknown) return;
  const auto match = geo->Find(client.address);
  selection.scope_bits = std::max(selection.scope_bits, match.scope_bits);
  if (!match.place) return;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (candidates_[i].rank != LatencyRank::kUnknown) continue;
    candidates_[i].rank = LatencyRank::kDistance;
    candidates_[i].distance = Kilometres(*match.place, PlaceOf(zones_->model().regions[members[i].figure]));
  }
}

// The record of the longest block that holds the client, then those of shorter ones, then `*`: the first of them that
// is healthy, and the very first when none is (spec: dns.md 3.3, IP-based). Health elsewhere in the group does not
// matter.
RecordSelector::Choice RecordSelector::ChooseCidr(const Group& group, std::span<const Member> members,
                                                  const ClientPlace& client, Selection& selection) {
  std::uint32_t first = kNoIndex;
  std::uint32_t healthy = kNoIndex;
  const auto take = [&](std::uint32_t location, unsigned matched_bits) {
    const std::uint32_t member = MarkLocation(members, location, matched_bits);
    if (member == kNoIndex) return;
    if (first == kNoIndex) first = member;
    if (healthy == kNoIndex && candidates_[member].healthy) healthy = member;
  };
  if (client.known) {
    const CidrTable& table = zones_->cidr_table(group.policy_index);
    const PrefixTable& prefixes = table.prefixes();
    const auto place = prefixes.Locate(client.address);
    selection.scope_bits = std::max(selection.scope_bits, prefixes.ScopeBits(client.address, place));
    auto block = prefixes.Longest(client.address, place, client.prefix_bits);
    for (; block != PrefixTable::kNoBlock; block = prefixes.Shorter(block)) {
      take(table.location(block), prefixes.prefix_bits(block));
    }
  }
  take(kNoIndex, 0);
  return ChooseHolder(members, first, healthy);
}

RecordSelector::Choice RecordSelector::ChooseHolder(std::span<const Member> members, std::uint32_t first,
                                                    std::uint32_t healthy) {
  for (Candidate& candidate : std::span(candidates_).first(members.size())) {
    candidate.eligible = candidate.holds_client && (candidate.healthy || healthy == kNoIndex);
  }
  if (first == kNoIndex) return {};
  return {.members = {healthy != kNoIndex ? healthy : first}, .count = 1};
}

// The subdivision's record, then the country's, the continent's and `*`: the first of them that is healthy, and the
// narrowest when none is (spec: dns.md 3.3, Geolocation).
RecordSelector::Choice RecordSelector::ChooseGeolocation(const ZonePlace& place, std::span<const Member> members,
                                                         const ClientPlace& client, Selection& selection) {
  const GeoDatabase* const geo = zones_->geo_database();
  GeoDatabase::Codes codes;
  if (client.known && geo != nullptr) {
    codes = geo->FindCodes(client.address);
    selection.scope_bits = std::max(selection.scope_bits, codes.scope_bits);
  }
  std::uint32_t first = kNoIndex;
  std::uint32_t healthy = kNoIndex;
  for (const GeoLevel level : kGeoLevels) {
    for (std::uint32_t i = 0; i < members.size(); ++i) {
      const config::RecordSet* const record = place.zone->record_of(members[i]);
      if (!Holds(*record->geolocation, level, codes)) continue;
      candidates_[i].holds_client = true;
      if (first == kNoIndex) first = i;
      if (healthy == kNoIndex && candidates_[i].healthy) healthy = i;
      break;  // no two records of a group have the same place
    }
  }
  return ChooseHolder(members, first, healthy);
}

// The least distance with the bias; the first in the file for clients of unknown place.
RecordSelector::Choice RecordSelector::ChooseGeoproximity(const ZonePlace& place, std::span<const Member> members,
                                                          const ClientPlace& client, Selection& selection) {
  const GeoDatabase* const geo = zones_->geo_database();
  if (!client.known || geo == nullptr) return ChooseFirst(members);
  const auto match = geo->Find(client.address);
  selection.scope_bits = std::max(selection.scope_bits, match.scope_bits);
  if (!match.place) return ChooseFirst(members);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const config::GeoProximity& near = *place.zone->record_of(members[i])->geoproximity;
    const Place at =
        near.region ? PlaceOf(zones_->model().regions[*near.region]) : Place{near.latitude, near.longitude};
    candidates_[i].rank = LatencyRank::kDistance;
    candidates_[i].distance = Biased(Kilometres(*match.place, at), near.bias);
  }
  return ChooseNearest(members);
}

std::uint32_t RecordSelector::MarkLocation(std::span<const Member> members, std::uint32_t location,
                                           unsigned matched_bits) {
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    if (members[i].figure != location) continue;
    // A longer block of the same location may hold the client, too.
    if (!candidates_[i].holds_client) candidates_[i].matched_bits = matched_bits;
    candidates_[i].holds_client = true;
    return i;
  }
  return kNoIndex;
}

// Reservoir sampling keeps every set of eight eligible members equally likely without a list of them.
RecordSelector::Choice RecordSelector::ChooseMultivalue(std::span<const Member> members) {
  Choice choice;
  std::uint64_t seen = 0;
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    if (!candidates_[i].eligible) continue;
    ++seen;
    if (choice.count < kMultivalueMax) {
      choice.members[choice.count++] = i;
    } else if (const std::uint64_t slot = deterministic_ ? kMultivalueMax : random_.Below(seen);
               slot < kMultivalueMax) {
      choice.members[slot] = i;
    }
  }
  return choice;
}

}  // namespace weir::dns
