#include "dns/explain.h"

#include "dns/answer.h"
#include "dns/explain_message.h"
#include "dns/wire/name.h"
#include "dns/wire/rdata.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace weir::dns {
namespace {

std::string SetText(const config::RecordSet* record) { return record == nullptr ? std::string() : record->set; }

std::vector<std::string> ValueTexts(const std::uint8_t* rdata, const RdataList& list, std::uint16_t type) {
  std::vector<std::string> texts;
  const std::uint8_t* at = rdata + list.offset;
  for (std::uint32_t i = 0; i < list.count; ++i) texts.push_back(RdataText(type, NextValue(at)));
  return texts;
}

// Tells a name and a type as one speaks of a group: `eu.example.test. A`.
std::string GroupText(const Zone& zone, const Group& group) {
  std::string text;
  AppendDomainName(zone.name_of(zone.node(group.node)), text);
  return text + " " + RecordTypeName(group.type);
}

// Turns decisions into explanations, with the health words of the status table.
class Explainer final : public SelectionTrace {
 public:
  Explainer(const ZoneSet& zones, const health::StatusTable& status, const std::optional<CidrBlock>& client)
      : zones_(zones), status_(status), client_(client), judge_(0) {
    judge_.SetView(zones, status, true);
  }

  void OnDecision(const Decision& decision) override;
  [[nodiscard]] std::vector<DecisionExplanation>& decisions() { return decisions_; }

 private:
  HealthExplanation ExplainMember(const ZonePlace& place, const Group& group, const Member& member, std::size_t budget);
  std::string CheckReason(const Member& member, bool& healthy) const;
  // Which zones of a load balancer answer; empty: it has none.
  [[nodiscard]] std::string NodesText(std::uint32_t load_balancer) const;
  CandidateExplanation ExplainCandidate(const Decision& decision, const Member& member, const Candidate& candidate);
  void ExplainFigure(const Decision& decision, const Member& member, const Candidate& candidate,
                     CandidateExplanation& out) const;
  [[nodiscard]] std::string RegionName(const Member& member) const {
    const auto& regions = zones_.model().regions;
    return member.figure < regions.size() ? regions[member.figure].name : std::string();
  }

  [[nodiscard]] std::string LocationName(const Group& group, const Member& member) const {
    if (member.figure == kNoIndex) return "*";
    return zones_.model().cidr_collections[group.policy_index].locations[member.figure].name;
  }
  [[nodiscard]] std::string_view Reason(const Decision& decision, const Candidate& candidate) const;

  // Health trees are shown this deep: below it, only whether the group is healthy.
  static constexpr std::size_t kHealthDepthMax = 8;

  const ZoneSet& zones_;
  const health::StatusTable& status_;
  const std::optional<CidrBlock>& client_;
  RecordSelector judge_;
  std::vector<DecisionExplanation> decisions_;
};

std::string Explainer::CheckReason(const Member& member, bool& healthy) const {
  if (member.health_check == kNoIndex) return {};
  const auto& checks = zones_.model().health_checks;
  const std::string name = member.health_check < checks.size() ? checks[member.health_check].name : std::string("?");
  if (member.health_check >= status_.checks.size()) return fmt::format("check {} is unknown, counts as healthy", name);
  const health::CheckStatus& check = status_.checks[member.health_check];
  healthy = check.healthy;
  std::string text = fmt::format("check {} is {}", name, check.healthy ? "healthy" : "unhealthy");
  if (check.admin_state != health::AdminState::kMeasured) return text + " by override";
  if (!check.last_result.empty()) text += ": " + check.last_result;
  const bool plain = check.healthy == check.measured_healthy || member.health_check >= checks.size();
  if (!plain) text += checks[member.health_check].inverted ? " (inverted)" : " (disabled)";
  return text;
}

std::string Explainer::NodesText(std::uint32_t load_balancer) const {
  const auto& nodes = zones_.model().load_balancers[load_balancer].nodes;
  const auto& statuses = status_.load_balancers[load_balancer].nodes;
  std::string text;
  for (std::size_t i = 0; i < std::min(nodes.size(), statuses.size()); ++i) {
    const std::string_view state = statuses[i].shifted    ? "left by a zonal shift"
                                   : !statuses[i].answers ? "unhealthy, does not answer"
                                   : statuses[i].healthy  ? "answers"
                                                          : "unhealthy like all others, answers";
    text += fmt::format("{}zone {}: {}", text.empty() ? "" : ", ", nodes[i].zone, state);
  }
  return text;
}

HealthExplanation Explainer::ExplainMember(const ZonePlace& place, const Group& group, const Member& member,
                                           std::size_t budget) {
  const Zone& zone = *place.zone;
  HealthExplanation out;
  out.subject = GroupText(zone, group);
  if (const auto set = SetText(zone.record_of(member)); !set.empty()) out.subject += " " + set;
  out.healthy = judge_.IsHealthy(place, member);
  bool check_healthy = true;
  std::string reason = CheckReason(member, check_healthy);
  const auto add = [&reason](const std::string& text) {
    if (!text.empty()) reason += (reason.empty() ? "" : "; ") + text;
  };
  if (member.alias == AliasKind::kRecord && member.evaluate_target_health) {
    const Group& target = zone.groups()[member.alias_target];
    const bool target_healthy = judge_.IsGroupHealthy(place, target);
    add(fmt::format("alias target {} has {} healthy record", GroupText(zone, target), target_healthy ? "a" : "no"));
    if (budget > 0) {
      for (const Member& below : zone.members_of(target)) {
        out.children.push_back(ExplainMember(place, target, below, budget - 1));
      }
    }
  } else if (member.alias == AliasKind::kLoadBalancer && member.evaluate_target_health) {
    const bool known = member.alias_target < status_.load_balancers.size();
    const bool healthy = !known || status_.load_balancers[member.alias_target].healthy;
    add(fmt::format("load balancer {} {}", zones_.model().load_balancers[member.alias_target].name,
                    healthy ? "has enough healthy targets" : "has a target group without enough healthy targets"));
    if (known) add(NodesText(member.alias_target));
  } else if (member.alias != AliasKind::kNone) {
    add("target health is not evaluated");
  }
  if (reason.empty()) reason = "no health check";
  out.reason = std::move(reason);
  return out;
}

void Explainer::ExplainFigure(const Decision& decision, const Member& member, const Candidate& candidate,
                              CandidateExplanation& out) const {
  switch (decision.group.policy) {
    case config::RoutingPolicy::kWeighted:
      out.figure = fmt::format("weight {}", member.figure);
      out.share = decision.weight_total == 0
                      ? 0
                      : static_cast<double>(candidate.weight) / static_cast<double>(decision.weight_total);
      break;
    case config::RoutingPolicy::kFailover:
      out.figure = member.figure == 0 ? "PRIMARY" : "SECONDARY";
      break;
    case config::RoutingPolicy::kLatency:
      out.figure = RegionName(member);
      if (candidate.rank == LatencyRank::kMeasured) {
        out.milliseconds = candidate.distance;
        out.figure += fmt::format(" {:g} ms by a /{} row", candidate.distance, candidate.matched_bits);
      } else if (candidate.rank == LatencyRank::kDistance) {
        out.kilometres = candidate.distance;
        out.figure += fmt::format(" {:.0f} km", candidate.distance);
      } else {
        out.figure += " unknown distance";
      }
      break;
    case config::RoutingPolicy::kCidr:
      out.figure = LocationName(decision.group, member);
      if (!candidate.holds_client || member.figure == kNoIndex) break;
      out.block = CidrBlock::Of(client_->address(), candidate.matched_bits);
      out.figure += " by " + out.block->ToString();
      break;
    case config::RoutingPolicy::kGeolocation:
      out.figure = GeoLocationText(*decision.place.zone->record_of(member)->geolocation);
      break;
    case config::RoutingPolicy::kGeoproximity: {
      const config::GeoProximity& near = *decision.place.zone->record_of(member)->geoproximity;
      out.figure = GeoProximityText(near, zones_.model());
      if (candidate.rank == LatencyRank::kDistance) {
        out.kilometres = candidate.distance;
        out.figure += fmt::format(" {:.0f} km", candidate.distance);
      } else {
        out.figure += " unknown distance";
      }
      break;
    }
    case config::RoutingPolicy::kSimple:
    case config::RoutingPolicy::kMultivalue:
      break;
  }
}

// Why a candidate that is not drawn by weight was chosen or not.
std::string_view Explainer::Reason(const Decision& decision, const Candidate& candidate) const {
  if (decision.group.policy == config::RoutingPolicy::kCidr && !candidate.holds_client) {
    return client_ ? "passed over: no block of its location holds the client"
                   : "passed over: the client's network is not known";
  }
  if (decision.group.policy == config::RoutingPolicy::kGeolocation && !candidate.holds_client) {
    return "passed over: the client is not known to be there";
  }
  if (!candidate.eligible) return "passed over: unhealthy";
  return candidate.chosen ? "chosen" : "another comes first";
}

CandidateExplanation Explainer::ExplainCandidate(const Decision& decision, const Member& member,
                                                 const Candidate& candidate) {
  CandidateExplanation out;
  const Zone& zone = *decision.place.zone;
  out.set = SetText(zone.record_of(member));
  out.health = ExplainMember(decision.place, decision.group, member, kHealthDepthMax);
  out.eligible = candidate.eligible;
  out.chosen = candidate.chosen;
  ExplainFigure(decision, member, candidate, out);
  if (member.alias == AliasKind::kRecord) {
    out.alias = "record " + GroupText(zone, zone.groups()[member.alias_target]);
  } else {
    const bool balanced = member.alias == AliasKind::kLoadBalancer;
    if (balanced) {
      out.alias = "load balancer " + zones_.model().load_balancers[member.alias_target].name;
      if (!member.evaluate_target_health && member.alias_target < status_.load_balancers.size()) {
        if (const auto nodes = NodesText(member.alias_target); !nodes.empty()) out.health.reason += "; " + nodes;
      }
    }
    const RdataList list =
        balanced ? zones_.load_balancer_values(member.alias_target, decision.group.type) : member.values;
    out.values = ValueTexts(balanced ? zones_.load_balancer_rdata() : zone.rdata(), list, decision.group.type);
    out.ttl_seconds = AnswerTtlSeconds(member);
  }
  const bool in_draw = decision.group.policy != config::RoutingPolicy::kWeighted || candidate.weight > 0;
  if (!in_draw && candidate.eligible) {
    out.reason = "never drawn: weight 0 while others have a weight";
  } else if (out.share && candidate.eligible) {
    out.reason = fmt::format("drawn for {:.4g} % of queries", *out.share * 100);
  } else {
    out.reason = Reason(decision, candidate);
  }
  return out;
}

std::string CidrReason(const Decision& decision) {
  if (std::ranges::none_of(decision.candidates, &Candidate::holds_client)) {
    return "no block holds the client, and there is no record for `*`: no answer";
  }
  return std::string(decision.fail_open ? "no record for the client is healthy, so all of those count as healthy; "
                                        : "") +
         "the longest block that holds the client answers, then shorter ones, then `*`";
}

std::string GeolocationReason(const Decision& decision) {
  if (std::ranges::none_of(decision.candidates, &Candidate::holds_client)) {
    return "no record is for the client's place, and there is none for `*`: no answer";
  }
  return std::string(decision.fail_open ? "no record for the client is healthy, so all of those count as healthy; "
                                        : "") +
         "the narrowest place that holds the client answers: subdivision, country, continent, then `*`";
}

// The sentence below a group.
std::string DecisionReason(const Decision& decision) {
  std::string text = decision.fail_open ? "no record is healthy, so all count as healthy; " : "";
  switch (decision.group.policy) {
    case config::RoutingPolicy::kSimple:
      return text + "one record answers";
    case config::RoutingPolicy::kWeighted:
      return text + "drawn by weight; the heaviest stands for the draw here";
    case config::RoutingPolicy::kFailover:
      return text + "the primary answers while it is healthy";
    case config::RoutingPolicy::kLatency:
      return text + "least latency by the table, then nearest, then first in the file";
    case config::RoutingPolicy::kMultivalue:
      return text + fmt::format("up to {} healthy records answer together", kMultivalueMax);
    case config::RoutingPolicy::kCidr:
      return CidrReason(decision);
    case config::RoutingPolicy::kGeolocation:
      return GeolocationReason(decision);
    case config::RoutingPolicy::kGeoproximity:
      return text + "the least distance with its bias, then first in the file";
  }
  return text;
}

void Explainer::OnDecision(const Decision& decision) {
  DecisionExplanation out;
  const Zone& zone = *decision.place.zone;
  AppendDomainName(zone.name_of(zone.node(decision.group.node)), out.name);
  out.type = decision.group.type;
  out.policy = decision.group.policy;
  // One simple record without a check cannot fail; one with a failing check answers all the same.
  out.fail_open = decision.fail_open;
  const auto members = zone.members_of(decision.group);
  for (std::size_t i = 0; i < members.size(); ++i) {
    out.candidates.push_back(ExplainCandidate(decision, members[i], decision.candidates[i]));
  }
  out.reason = DecisionReason(decision);
  decisions_.push_back(std::move(out));
}

std::string OutcomeText(const Explanation& explanation, const AnswerReport& report) {
  switch (report.rcode) {
    case Rcode::kNoError:
      break;
    case Rcode::kNxDomain:
      return "NXDOMAIN: no such name in zone " + explanation.zone;
    case Rcode::kRefused:
      return explanation.zone.empty() && (explanation.type < rr::kIxfr || explanation.type > rr::kAxfr)
                 ? "REFUSED: no zone here holds this name"
                 : "REFUSED: zone transfers are not given";
    default:
      return RcodeName(report.rcode);
  }
  if (report.referral) return "a referral: the name is delegated to other servers";
  if (!explanation.values.empty()) {
    return fmt::format("NOERROR: {} record{}", explanation.values.size(), explanation.values.size() == 1 ? "" : "s");
  }
  if (!explanation.answer.empty()) return "NOERROR: a CNAME that leads no further here";
  if (!explanation.decisions.empty() &&
      std::ranges::none_of(explanation.decisions.back().candidates, &CandidateExplanation::chosen)) {
    return "NODATA: no record is for this client";
  }
  if (!explanation.decisions.empty()) return "NODATA: the chosen alias has no address of this type";
  return "NODATA: the name exists without this type";
}

void RenderHealth(const HealthExplanation& health, std::size_t indent, std::string& out) {
  for (const auto& child : health.children) {
    out += fmt::format("{:{}}{} {}: {}\n", "", indent, child.healthy ? "up  " : "DOWN", child.subject, child.reason);
    RenderHealth(child, indent + 2, out);
  }
}

void RenderCandidate(const CandidateExplanation& candidate, std::size_t indent, std::string& out) {
  out += fmt::format(
      "{:{}}{} {}{}{}{}: {}\n", "", indent, candidate.chosen ? "->" : "  ", candidate.health.healthy ? "up  " : "DOWN",
      candidate.set.empty() ? "" : " " + candidate.set, candidate.figure.empty() ? "" : " (" + candidate.figure + ")",
      candidate.alias.empty() ? fmt::format(" {}", fmt::join(candidate.values, ", ")) : " alias to " + candidate.alias,
      candidate.reason);
  out += fmt::format("{:{}}health: {}\n", "", indent + 8, candidate.health.reason);
  RenderHealth(candidate.health, indent + 10, out);
}

}  // namespace

std::string_view PolicyName(config::RoutingPolicy policy) {
  switch (policy) {
    case config::RoutingPolicy::kSimple:
      return "simple";
    case config::RoutingPolicy::kWeighted:
      return "weighted";
    case config::RoutingPolicy::kFailover:
      return "failover";
    case config::RoutingPolicy::kLatency:
      return "latency";
    case config::RoutingPolicy::kMultivalue:
      return "multivalue";
    case config::RoutingPolicy::kCidr:
      return "cidr";
    case config::RoutingPolicy::kGeolocation:
      return "geolocation";
    case config::RoutingPolicy::kGeoproximity:
      return "geoproximity";
  }
  return "simple";
}

std::string GeoLocationText(const config::GeoLocation& location) {
  if (location.is_default()) return "*";
  if (!location.continent.empty()) return "continent " + location.continent;
  return location.subdivision.empty() ? location.country : location.country + "-" + location.subdivision;
}

std::string GeoProximityText(const config::GeoProximity& near, const config::Model& model) {
  std::string text =
      near.region ? model.regions[*near.region].name : fmt::format("{:g}, {:g}", near.latitude, near.longitude);
  if (near.bias != 0) text += fmt::format(" bias {:+d}", near.bias);
  return text;
}

Result<Explanation> ExplainQuery(std::shared_ptr<const ZoneSet> zones,
                                 std::shared_ptr<const health::StatusTable> status, std::string_view name,
                                 std::uint16_t type, const std::optional<CidrBlock>& client) {
  const auto parsed = Name::Parse(name);
  if (!parsed) return std::unexpected(parsed.error());
  Explanation out;
  out.name = parsed->ToString();
  out.type = type;
  if (client) out.client = client->ToString();
  Explainer explainer(*zones, *status, client);
  Answerer answerer(0);
  answerer.set_deterministic();
  answerer.SetView(zones, std::move(status));
  const auto query = EncodeQuestion(*parsed, type, client);
  std::vector<std::uint8_t> response(kTcpMessageMax);
  // An unknown resolver: the wildcard address is nobody's.
  const auto report =
      answerer.Answer({.message = query, .client = {}, .transport = Transport::kTcp}, response, &explainer);
  out.decisions = std::move(explainer.decisions());
  out.rcode = report.rcode;
  if (report.zone) out.zone = zones->zone_name(*report.zone);
  ReadResponse(std::span(response).first(report.size), out);
  out.outcome = OutcomeText(out, report);
  return out;
}

std::string RenderText(const Explanation& explanation) {
  std::string out = fmt::format("{} {}", explanation.name, RecordTypeName(explanation.type));
  if (!explanation.client.empty()) out += " from " + explanation.client;
  out += '\n';
  if (!explanation.zone.empty()) out += fmt::format("zone {}\n", explanation.zone);
  std::size_t indent = 0;
  for (const auto& decision : explanation.decisions) {
    out += fmt::format("{:{}}{} {}: {}{}\n", "", indent, decision.name, RecordTypeName(decision.type),
                       PolicyName(decision.policy), decision.fail_open ? ", FAIL-OPEN" : "");
    for (const auto& candidate : decision.candidates) RenderCandidate(candidate, indent + 2, out);
    out += fmt::format("{:{}}{}\n", "", indent + 2, decision.reason);
    indent += 2;
  }
  out += explanation.outcome + "\n";
  for (const auto& line : explanation.answer) out += "  " + line + "\n";
  if (explanation.ttl_seconds) out += fmt::format("TTL {} s\n", *explanation.ttl_seconds);
  if (explanation.client_scope_bits) {
    out += fmt::format("the answer holds for the client's /{}\n", *explanation.client_scope_bits);
  }
  return out;
}

}  // namespace weir::dns
