#include "proxy/actions/forward.h"

#include "base/clock.h"
#include "config/schema/schema.h"
#include "net/tls_client.h"
#include "proxy/balancing/least_outstanding.h"
#include "proxy/balancing/slow_start.h"
#include "proxy/routing/explain.h"
#include "proxy/worker_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir::proxy {
namespace {

TargetExplanation ExplainTarget(const health::TargetStatus& target) {
  TargetExplanation explained;
  explained.id = target.endpoint.ToString();
  explained.zone = target.zone;
  explained.state = target.state;
  explained.reason = target.reason;
  explained.description = target.description;
  explained.admin_state = target.admin_state;
  explained.outstanding = OutstandingRequests(target);
  return explained;
}

// Whom the group's algorithm chooses, as far as that is known beforehand.
void ExplainShares(const config::TargetGroup& settings, const health::GroupStatus& status, GroupExplanation& group) {
  const WallTime now = SystemClock().WallNow();
  double total = 0;
  for (const std::uint32_t index : status.routable) {
    TargetExplanation& target = group.targets[index];
    target.routable = true;
    if (settings.algorithm == config::BalancingAlgorithm::kLeastOutstandingRequests) continue;
    target.share_percent = SlowStartShare(status.targets[index], settings.slow_start, now);
    target.slow_start = target.share_percent < 1;
    total += target.share_percent;
  }
  for (TargetExplanation& target : group.targets) {
    if (total > 0) target.share_percent *= group.share_percent / total;
  }
}

void ExplainHealth(const health::GroupStatus& status, GroupExplanation& group) {
  group.health_known = true;
  group.fail_open = status.fail_open;
  group.healthy = status.healthy;
  group.registered = status.registered;
  std::ranges::transform(status.targets, std::back_inserter(group.targets), ExplainTarget);
}

}  // namespace

void Forward::SumWeights() {
  weight_total = 0;
  for (const ForwardChoice& choice : choices) weight_total += choice.weight;
}

ActionOutcome Forward::Run(const ActionRequest& request) const {
  return ActionOutcome::Forward(request.worker.selector.SelectGroup(*this));
}

void Forward::Explain(const ExplainedRequest& request, RequestExplanation& explanation) const {
  for (const ForwardChoice& choice : choices) {
    GroupExplanation group;
    const TargetGroupRoute& route = request.table.groups()[choice.group];
    group.name = route.name;
    group.protocol = route.protocol();
    group.protocol_version = route.protocol_version();
    group.algorithm = config::kAlgorithmWords[std::to_underlying(route.config->algorithm)];
    if (route.is_https()) group.policy = route.tls->policy->name;
    group.weight = choice.weight;
    if (weight_total > 0) group.share_percent = 100.0 * choice.weight / weight_total;
    if (request.status != nullptr && choice.group < request.status->groups.size()) {
      const health::GroupStatus& status = request.status->groups[choice.group];
      ExplainHealth(status, group);
      ExplainShares(*route.config, status, group);
    }
    explanation.groups.push_back(std::move(group));
  }
  // A draw stands: a group without targets answers 503 for its share only (spec: alb.md 5.1).
  const bool answers = std::ranges::any_of(explanation.groups, [](const GroupExplanation& group) {
    if (group.weight == 0) return false;
    return !group.health_known || std::ranges::any_of(group.targets, &TargetExplanation::routable);
  });
  if (!answers) explanation.status = 503;
}

Forward BuildAction(const config::ForwardAction& action, std::uint32_t& draws) {
  Forward forward;
  for (const auto& group : action.target_groups) {
    forward.choices.push_back({.group = group.target_group, .weight = group.weight});
  }
  forward.SumWeights();
  forward.draw_id = draws;
  draws += static_cast<std::uint32_t>(forward.choices.size());
  return forward;
}

}  // namespace weir::proxy
