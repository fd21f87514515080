#include "dns/explain.h"

#include "dns/answer.h"
#include "dns/wire/name.h"
#include "dns/wire/query.h"
#include "dns/wire/rdata.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace weir::dns {
namespace {

std::string SetText(const config::RecordSet* record) { return record == nullptr ? std::string() : record->set; }

std::vector<std::string> ValueTexts(const ZoneSet& zones, const RdataList& list, std::uint16_t type) {
  std::vector<std::string> texts;
  auto rest = zones.rdata().subspan(list.offset);
  for (std::uint32_t i = 0; i < list.count; ++i) {
    std::uint16_t size = 0;
    std::memcpy(&size, rest.data(), sizeof(size));
    texts.push_back(RdataText(type, rest.subspan(sizeof(size), size)));
    rest = rest.subspan(sizeof(size) + size);
  }
  return texts;
}

// Tells a name and a type as one speaks of a group: `eu.example.test. A`.
std::string GroupText(const ZoneSet& zones, const Group& group) {
  std::string text;
  AppendNameText(zones.name_of(zones.node(group.node)), text);
  return text + " " + TypeName(group.type);
}

// Turns decisions into explanations, with the health words of the status table.
class Explainer final : public SelectionTrace {
 public:
  Explainer(const ZoneSet& zones, const health::StatusTable& status) : zones_(zones), status_(status), judge_(0) {
    judge_.SetView(zones, status, true);
  }

  void OnDecision(const Decision& decision) override;
  [[nodiscard]] std::vector<DecisionExplanation>& decisions() { return decisions_; }

 private:
  HealthExplanation ExplainMember(const Group& group, const Member& member, std::size_t budget);
  std::string CheckReason(const Member& member, bool& healthy) const;
  CandidateExplanation ExplainCandidate(const Decision& decision, const Member& member, const Candidate& candidate);
  void ExplainFigure(const Decision& decision, const Member& member, const Candidate& candidate,
                     CandidateExplanation& out) const;
  [[nodiscard]] std::string RegionName(const Member& member) const {
    const auto& regions = zones_.model().regions;
    return member.figure < regions.size() ? regions[member.figure].name : std::string();
  }

  // Health trees are shown this deep: below it, only whether the group is healthy.
  static constexpr std::size_t kHealthDepthMax = 8;

  const ZoneSet& zones_;
  const health::StatusTable& status_;
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

HealthExplanation Explainer::ExplainMember(const Group& group, const Member& member, std::size_t budget) {
  HealthExplanation out;
  out.subject = GroupText(zones_, group);
  if (const auto set = SetText(zones_.record_of(group, member)); !set.empty()) out.subject += " " + set;
  out.healthy = judge_.IsHealthy(member);
  bool check_healthy = true;
  std::string reason = CheckReason(member, check_healthy);
  const auto add = [&reason](const std::string& text) { reason += (reason.empty() ? "" : "; ") + text; };
  if (member.alias == AliasKind::kRecord && member.evaluate_target_health) {
    const Group& target = zones_.groups()[member.alias_target];
    const bool target_healthy = judge_.IsGroupHealthy(target);
    add(fmt::format("alias target {} has {} healthy record", GroupText(zones_, target), target_healthy ? "a" : "no"));
    if (budget > 0) {
      for (const Member& below : zones_.members_of(target)) {
        out.children.push_back(ExplainMember(target, below, budget - 1));
      }
    }
  } else if (member.alias == AliasKind::kLoadBalancer && member.evaluate_target_health) {
    const bool known = member.alias_target < status_.load_balancers.size();
    const bool healthy = !known || status_.load_balancers[member.alias_target].healthy;
    add(fmt::format("load balancer {} {}", zones_.model().load_balancers[member.alias_target].name,
                    healthy ? "has enough healthy targets" : "has a target group without enough healthy targets"));
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
    case config::RoutingPolicy::kSimple:
    case config::RoutingPolicy::kMultivalue:
      break;
  }
}

CandidateExplanation Explainer::ExplainCandidate(const Decision& decision, const Member& member,
                                                 const Candidate& candidate) {
  CandidateExplanation out;
  out.set = SetText(zones_.record_of(decision.group, member));
  out.health = ExplainMember(decision.group, member, kHealthDepthMax);
  out.eligible = candidate.eligible;
  out.chosen = candidate.chosen;
  ExplainFigure(decision, member, candidate, out);
  if (member.alias == AliasKind::kRecord) {
    out.alias = "record " + GroupText(zones_, zones_.groups()[member.alias_target]);
  } else {
    const bool balanced = member.alias == AliasKind::kLoadBalancer;
    if (balanced) out.alias = "load balancer " + zones_.model().load_balancers[member.alias_target].name;
    const RdataList list =
        balanced ? zones_.load_balancer_values(member.alias_target, decision.group.type) : member.values;
    out.values = ValueTexts(zones_, list, decision.group.type);
    out.ttl_seconds = AnswerTtlSeconds(member);
  }
  const bool in_draw = decision.group.policy != config::RoutingPolicy::kWeighted || candidate.weight > 0;
  if (!candidate.eligible) {
    out.reason = "passed over: unhealthy";
  } else if (!in_draw) {
    out.reason = "never drawn: weight 0 while others have a weight";
  } else if (out.share) {
    out.reason = fmt::format("drawn for {:.4g} % of queries", *out.share * 100);
  } else {
    out.reason = candidate.chosen ? "chosen" : "another comes first";
  }
  return out;
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
  }
  return text;
}

void Explainer::OnDecision(const Decision& decision) {
  DecisionExplanation out;
  AppendNameText(zones_.name_of(zones_.node(decision.group.node)), out.name);
  out.type = decision.group.type;
  out.policy = decision.group.policy;
  // One simple record without a check cannot fail; one with a failing check answers all the same.
  out.fail_open = decision.fail_open;
  const auto members = zones_.members_of(decision.group);
  for (std::size_t i = 0; i < members.size(); ++i) {
    out.candidates.push_back(ExplainCandidate(decision, members[i], decision.candidates[i]));
  }
  out.reason = DecisionReason(decision);
  decisions_.push_back(std::move(out));
}

void PutU16(std::vector<std::uint8_t>& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

// The question as a client would send it, so that the explanation takes the way of every query.
std::vector<std::uint8_t> EncodeQuery(const Name& name, std::uint16_t type, const std::optional<CidrBlock>& client) {
  std::vector<std::uint8_t> out = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  out.insert(out.end(), name.wire().begin(), name.wire().end());
  PutU16(out, type);
  PutU16(out, kClassIn);
  out.push_back(0);
  PutU16(out, rr::kOpt);
  PutU16(out, kTcpMessageMax);
  PutU16(out, 0);
  PutU16(out, 0);
  if (!client) {
    PutU16(out, 0);
    return out;
  }
  const std::size_t octets = (client->prefix_bits() + 7) / 8;
  PutU16(out, 8 + octets);
  PutU16(out, 8);
  PutU16(out, 4 + octets);
  PutU16(out, client->address().is_v4() ? 1 : 2);
  out.push_back(static_cast<std::uint8_t>(client->prefix_bits()));
  out.push_back(0);
  const auto address = client->address().bytes().first(octets);
  out.insert(out.end(), address.begin(), address.end());
  return out;
}

// Reads our own response. Offsets are trusted: MessageWriter made them.
class ResponseReader {
 public:
  explicit ResponseReader(std::span<const std::uint8_t> message) : message_(message) {}

  void ReadInto(Explanation& out) {
    const std::size_t answers = U16At(6);
    const std::size_t authorities = U16At(8);
    at_ = kHeaderBytes;
    static_cast<void>(ReadName());
    at_ += 4;
    for (std::size_t i = 0; i < answers; ++i) ReadAnswer(out);
    for (std::size_t i = 0; i < authorities; ++i) {
      const std::size_t begin = at_;
      static_cast<void>(ReadName());
      const std::uint16_t type = U16At(at_);
      if (type == rr::kSoa && !out.ttl_seconds) out.ttl_seconds = TtlAt(at_ + 4);
      at_ = begin;
      SkipRecord();
    }
    ReadSubnet(out);
  }

 private:
  [[nodiscard]] std::uint16_t U16At(std::size_t at) const {
    return static_cast<std::uint16_t>(message_[at] << 8 | message_[at + 1]);
  }
  [[nodiscard]] std::uint32_t TtlAt(std::size_t at) const {
    return static_cast<std::uint32_t>(U16At(at)) << 16 | U16At(at + 2);
  }
  // The uncompressed name at the place, which moves behind it.
  std::vector<std::uint8_t> ReadName() {
    std::vector<std::uint8_t> wire;
    std::size_t from = at_;
    bool jumped = false;
    while (message_[from] != 0) {
      if (message_[from] >= 0xC0) {
        if (!jumped) at_ = from + 2;
        jumped = true;
        from = U16At(from) & 0x3FFFU;
        continue;
      }
      const std::size_t label = 1U + message_[from];
      wire.insert(wire.end(), message_.begin() + static_cast<std::ptrdiff_t>(from),
                  message_.begin() + static_cast<std::ptrdiff_t>(from + label));
      from += label;
    }
    wire.push_back(0);
    if (!jumped) at_ = from + 1;
    return wire;
  }
  void SkipRecord() {
    static_cast<void>(ReadName());
    at_ += 10U + U16At(at_ + 8);
  }
  void ReadAnswer(Explanation& out) {
    const auto owner = ReadName();
    const std::uint16_t type = U16At(at_);
    const std::uint32_t ttl = TtlAt(at_ + 4);
    const std::size_t size = U16At(at_ + 8);
    at_ += 10;
    const std::size_t end = at_ + size;
    const std::string value = RdataText(type, PlainRdata(type, end));
    at_ = end;
    std::string line;
    AppendNameText(owner, line);
    out.answer.push_back(fmt::format("{} {} {} {}", line, ttl, TypeName(type), value));
    if (type == out.type || out.type == rr::kAny) out.values.push_back(value);
    // What a client may keep is the shortest TTL of the chain.
    out.ttl_seconds = std::min(out.ttl_seconds.value_or(ttl), ttl);
  }
  std::vector<std::uint8_t> PlainRdata(std::uint16_t type, std::size_t end) {
    std::vector<std::uint8_t> out;
    const auto take = [&](std::size_t count) {
      for (; count > 0; --count) out.push_back(message_[at_++]);
    };
    const auto take_name = [&] {
      const auto name = ReadName();
      out.insert(out.end(), name.begin(), name.end());
    };
    if (type == rr::kMx) take(2);
    if (type == rr::kMx || type == rr::kNs || type == rr::kCname || type == rr::kPtr || type == rr::kSoa) take_name();
    if (type == rr::kSoa) take_name();
    take(end - at_);
    return out;
  }
  // The scope of the EDNS Client Subnet option: OPT is the last record, and the option stands first in it.
  void ReadSubnet(Explanation& out) {
    for (std::size_t i = U16At(10); i > 1; --i) SkipRecord();
    if (out.client.empty() || U16At(at_ + 9) < 8) return;
    out.client_scope_bits = message_[at_ + 11 + 7];
  }

  std::span<const std::uint8_t> message_;
  std::size_t at_ = 0;
};

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
  }
  return "simple";
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
  Explainer explainer(*zones, *status);
  Answerer answerer(0);
  answerer.set_deterministic();
  answerer.SetView(zones, std::move(status));
  const auto query = EncodeQuery(*parsed, type, client);
  std::vector<std::uint8_t> response(kTcpMessageMax);
  // An unknown resolver: the wildcard address is nobody's.
  const auto report =
      answerer.Answer({.message = query, .client = {}, .transport = Transport::kTcp}, response, &explainer);
  out.decisions = std::move(explainer.decisions());
  out.rcode = report.rcode;
  if (report.zone) out.zone = zones->zone_name(*report.zone);
  ResponseReader(std::span(response).first(report.size)).ReadInto(out);
  out.outcome = OutcomeText(out, report);
  return out;
}

std::string RenderText(const Explanation& explanation) {
  std::string out = fmt::format("{} {}", explanation.name, TypeName(explanation.type));
  if (!explanation.client.empty()) out += " from " + explanation.client;
  out += '\n';
  if (!explanation.zone.empty()) out += fmt::format("zone {}\n", explanation.zone);
  std::size_t indent = 0;
  for (const auto& decision : explanation.decisions) {
    out += fmt::format("{:{}}{} {}: {}{}\n", "", indent, decision.name, TypeName(decision.type),
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
