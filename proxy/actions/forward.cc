#include "proxy/actions/forward.h"

#include "base/clock.h"
#include "config/schema/schema.h"
#include "config/version_shares.h"
#include "net/tls_client.h"
#include "proxy/balancing/consistent_hash.h"
#include "proxy/balancing/hash_key.h"
#include "proxy/balancing/least_outstanding.h"
#include "proxy/balancing/node.h"
#include "proxy/balancing/slow_start.h"
#include "proxy/balancing/weights.h"
#include "proxy/downstream/connection_facts.h"
#include "proxy/routing/explain.h"
#include "proxy/routing/protocol_version.h"
#include "proxy/worker_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir::proxy {
namespace {

TargetExplanation ExplainTarget(const health::TargetStatus& target) {
  TargetExplanation explained;
  explained.id = target.id();
  explained.zone = target.zone;
  explained.state = target.state;
  explained.reason = target.reason;
  explained.description = target.description;
  explained.admin_state = target.admin_state;
  explained.zonal_override = target.zonal_override;
  explained.outstanding = OutstandingRequests(target);
  explained.weight = target.weight;
  explained.anomaly = target.anomaly;
  return explained;
}

bool GoesByOutstanding(config::BalancingAlgorithm algorithm) {
  return algorithm == config::BalancingAlgorithm::kLeastOutstandingRequests ||
         algorithm == config::BalancingAlgorithm::kPowerOfTwoChoices;
}

// Whom the group's algorithm chooses, as far as that is known beforehand.
void ExplainShares(const config::TargetGroup& settings, const health::GroupStatus& status, GroupExplanation& group) {
  const WallTime now = SystemClock().WallNow();
  double total = 0;
  for (std::uint32_t position = 0; position < status.routable.size(); ++position) {
    const std::uint32_t index = status.routable[position];
    TargetExplanation& target = group.targets[index];
    target.routable = true;
    if (group.goes_by_outstanding) continue;
    const double grown = SlowStartShare(status.targets[index], settings.slow_start, now);
    target.slow_start = grown < 1;
    target.share_percent = grown * static_cast<double>(WeightAt(status, position));
    total += target.share_percent;
  }
  for (const std::uint32_t index : status.routable) {
    if (total > 0) group.targets[index].share_percent *= group.share_percent / total;
  }
}

// What each node sees, where nodes use only targets of their own zone.
void ExplainNodes(const config::LoadBalancer& balancer, const config::TargetGroup& settings,
                  const health::GroupStatus& status, GroupExplanation& group) {
  for (const config::LoadBalancerNode& node : balancer.nodes) {
    if (node.zone_index >= status.by_zone.size()) continue;
    const health::GroupStatus& seen = status.by_zone[node.zone_index];
    group.nodes.push_back({.zone = node.zone,
                           .healthy = seen.healthy,
                           .registered = seen.registered,
                           .fail_open = seen.fail_open,
                           .answers = !seen.routable.empty()});
    ExplainShares(settings, seen, group);
  }
}

std::string NameOf(const config::ConsistentHashKey& key) {
  switch (key.source) {
    case config::HashSource::kClientAddress:
      return "the client's address";
    case config::HashSource::kHeader:
      return "header " + key.name;
    case config::HashSource::kCookie:
      return "cookie " + key.name;
    case config::HashSource::kUri:
      return "the URI";
  }
  std::unreachable();
}

// Whom consistent hashing chooses, which is known where the request has the key.
void ExplainHash(const config::TargetGroup& settings, const health::GroupStatus& status,
                 const ExplainedRequest& request, GroupExplanation& group) {
  if (settings.algorithm != config::BalancingAlgorithm::kConsistentHash || status.routable.empty()) return;
  const auto key = HashKeyOf(
      settings.hash_key,
      {.fields = request.fields, .client = request.client, .path = request.parts.path, .query = request.parts.query});
  group.hash.key = NameOf(settings.hash_key);
  group.hash.has_key = key.has_value();
  if (!key) return;
  const HashedChoice choice = ChooseByHash(status, *key);
  const auto id_of = [&](std::uint32_t position) { return group.targets[status.routable[position]].id; };
  group.hash.chosen = id_of(choice.position);
  if (choice.position != choice.preferred) group.hash.overloaded = id_of(choice.preferred);
  for (TargetExplanation& target : group.targets) target.share_percent = 0;
  group.targets[status.routable[choice.position]].share_percent = group.share_percent;
}

std::string WhyRefused(const config::TargetGroup& settings, const VersionedRequest& request) {
  switch (FitOf(settings, request)) {
    case VersionFit::kFits:
      return {};
    case VersionFit::kNoGrpc:
      return "takes no gRPC";
    case VersionFit::kNoHttp1:
      return "takes no HTTP/" + std::string(VersionName(request.version));
    case VersionFit::kPostOnly:
      return "takes no " + std::string(request.method);
  }
  std::unreachable();
}

StickinessExplanation ExplainSticky(CookiePurpose purpose, const StickyChoice& sticky, std::string_view chosen) {
  StickinessExplanation out{
      .cookie = ToString(purpose), .verdict = sticky.verdict, .chosen = std::string(chosen), .expires = {}};
  if (sticky.session) {
    const bool is_over = sticky.verdict == StickyVerdict::kExpired;
    out.expires = (is_over ? "ended " : "until ") + FormatIso8601(sticky.session->expires);
  }
  return out;
}

// Whom the cookie chooses, before the algorithm.
void ExplainStickyTarget(const TargetGroupRoute& route, const health::GroupStatus& status,
                         const ExplainedRequest& request, Stickiness& stickiness, GroupExplanation& group) {
  if (!route.config->stickiness.enabled) return;
  const auto sticky = stickiness.FindTarget(route, status, request.fields, SystemClock().WallNow());
  const bool by_application = route.config->stickiness.type == config::StickinessType::kAppCookie;
  group.stickiness = ExplainSticky(by_application ? CookiePurpose::kApplication : CookiePurpose::kTarget, sticky,
                                   sticky.chosen ? std::string_view(group.targets[*sticky.chosen].id) : "");
  if (!sticky.chosen) return;
  for (TargetExplanation& target : group.targets) target.share_percent = 0;
  group.targets[*sticky.chosen].share_percent = group.share_percent;
}

// With cross-zone off the node of the client's zone may have no targets of a group that others have.
bool IsEmptyHere(const ActionRequest& request, std::uint32_t group) {
  if (request.view.status == nullptr) return false;
  return StatusOfNode(*request.listener.load_balancer_config, request.connection.slot->bound.address,
                      *request.view.routing->groups()[group].config, request.view.status->groups[group])
      .routable.empty();
}

void ExplainHealth(const health::GroupStatus& status, GroupExplanation& group) {
  group.health_known = true;
  group.fail_open = status.fail_open;
  group.healthy = status.healthy;
  group.registered = status.registered;
  std::ranges::transform(status.targets, std::back_inserter(group.targets), ExplainTarget);
}

// What is answered where no group has a target for the request; absent where one has. A draw stands: a group without
// targets, or that does not take the request, answers for its share only (spec: alb.md 5.1).
std::optional<std::uint16_t> AnswerOf(const std::vector<GroupExplanation>& groups) {
  std::size_t drawn = 0;
  std::size_t refusing = 0;
  for (const GroupExplanation& group : groups) {
    if (group.share_percent == 0) continue;
    ++drawn;
    if (!group.refusal.empty()) {
      ++refusing;
    } else if (!group.health_known || std::ranges::any_of(group.targets, &TargetExplanation::routable)) {
      return std::nullopt;
    }
  }
  return drawn > 0 && refusing == drawn ? 464 : 503;
}

}  // namespace

void Forward::SumWeights() {
  weight_total = 0;
  for (const ForwardChoice& choice : choices) weight_total += choice.weight;
}

ActionOutcome Forward::Run(const ActionRequest& request) const {
  if (is_sticky()) {
    StickyChoice sticky = request.worker.stickiness.FindGroup(*this, *request.view.routing, request.view.status.get(),
                                                              request.head.fields, request.worker.loop.wall_now());
    if (sticky.chosen && IsEmptyHere(request, *sticky.chosen)) {
      sticky.chosen.reset();
      sticky.verdict = StickyVerdict::kGone;
    }
    auto outcome = ActionOutcome::Forward(sticky.chosen ? sticky.chosen : request.worker.selector.SelectGroup(*this));
    outcome.group_cookie = sticky.verdict;
    return outcome;
  }
  return ActionOutcome::Forward(request.worker.selector.SelectGroup(*this));
}

void Forward::Explain(const ExplainedRequest& request, RequestExplanation& explanation) const {
  Stickiness cookies;
  cookies.Reset(request.table);
  StickyChoice sticky;
  if (is_sticky()) {
    sticky = cookies.FindGroup(*this, request.table, request.status, request.fields, SystemClock().WallNow());
    explanation.stickiness = ExplainSticky(
        CookiePurpose::kGroup, sticky,
        sticky.chosen ? std::string_view(request.table.groups()[*sticky.chosen].name) : std::string_view());
  }
  for (const ForwardChoice& choice : choices) {
    GroupExplanation group;
    const TargetGroupRoute& route = request.table.groups()[choice.group];
    group.name = route.name;
    group.protocol = route.protocol();
    group.protocol_version = route.protocol_version();
    group.is_function = route.config->function.has_value();
    if (group.is_function) group.versions = config::VersionShares(*route.config->function);
    group.algorithm = config::kAlgorithmWords[std::to_underlying(route.config->algorithm)];
    group.goes_by_outstanding = GoesByOutstanding(route.config->algorithm);
    if (route.is_https()) group.policy = route.tls->policy->name;
    group.refusal = WhyRefused(*route.config, request.versioned);
    group.weight = choice.weight;
    if (weight_total > 0) group.share_percent = 100.0 * choice.weight / weight_total;
    if (sticky.chosen) group.share_percent = choice.group == *sticky.chosen ? 100 : 0;
    if (request.status != nullptr && choice.group < request.status->groups.size()) {
      const health::GroupStatus& status = request.status->groups[choice.group];
      ExplainHealth(status, group);
      if (CrossesZones(request.load_balancer.attributes, *route.config)) {
        ExplainShares(*route.config, status, group);
        ExplainHash(*route.config, status, request, group);
        ExplainStickyTarget(route, status, request, cookies, group);
      } else {
        group.fail_open = false;
        ExplainNodes(request.load_balancer, *route.config, status, group);
      }
    }
    if (!group.refusal.empty()) {
      for (TargetExplanation& target : group.targets) target.share_percent = 0;
    }
    explanation.groups.push_back(std::move(group));
  }
  explanation.status = AnswerOf(explanation.groups);
}

Forward BuildAction(const config::ForwardAction& action, std::uint32_t& draws) {
  Forward forward;
  for (const auto& group : action.target_groups) {
    forward.choices.push_back({.group = group.target_group, .weight = group.weight});
  }
  forward.SumWeights();
  forward.stickiness = action.stickiness.value_or(std::chrono::seconds(0));
  forward.draw_id = draws;
  draws += static_cast<std::uint32_t>(forward.choices.size());
  return forward;
}

}  // namespace weir::proxy
