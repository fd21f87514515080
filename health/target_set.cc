#include "health/target_set.h"

#include "base/log.h"
#include "base/text.h"
#include "health/status_rules.h"
#include "net/proxy_protocol.h"
#include "net/tls_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace weir::health {
namespace {

constexpr std::string_view kByOverride = "override";

HealthState StateOf(AdminState admin) {
  switch (admin) {
    case AdminState::kUnhealthy:
      return HealthState::kUnhealthy;
    case AdminState::kDraining:
      return HealthState::kDraining;
    default:
      return HealthState::kHealthy;
  }
}

}  // namespace

// What the group should hold, by configuration and name service.
struct TargetSet::Wanted {
  Endpoint endpoint;
  const config::Target* target = nullptr;
};

// One target. Registered, or deregistered and draining.
class TargetSet::Member final : public ProbeSubject {
 public:
  Member(TargetSet& set, const Endpoint& target_endpoint, std::size_t workers)
      : endpoint(target_endpoint),
        observations(std::make_shared<TargetObservations>(workers)),
        drain(set, *this),
        set_(set) {}

  void OnProbeResult(const ProbeResult& result) override {
    if (set_.parts_.on_check) {
      set_.parts_.on_check({.group = *set_.settings_,
                            .target = endpoint,
                            .result = result,
                            .latency = latency(),
                            .time = set_.parts_.loop.wall_now()});
    }
    seen = DescribeSeen(result);
    if (result.outcome != ProbeOutcome::kPassed) failure = seen;
    check = Step(check, set_.thresholds_, result, set_.parts_.loop.wall_now());
    set_.Show(*this, {});
  }
  Readiness Prepare() override {
    if (check.reason == HealthReason::kRegistrationInProgress) {
      check.reason = HealthReason::kInitialHealthChecking;
      set_.Show(*this, {});
    }
    return Readiness::kReady;
  }

  // What others see; compared to notice a change.
  struct Shown {
    HealthState state = HealthState::kInitial;
    HealthReason reason = HealthReason::kNone;
    std::uint16_t code = 0;
    bool overridden = false;
    HealthState measured = HealthState::kInitial;
    std::string seen;  // what the probe behind `reason` saw
    friend bool operator==(const Shown&, const Shown&) = default;
  };
  [[nodiscard]] Shown Look() const {
    const HealthState measured = set_.in_use_ ? check.state : HealthState::kUnused;
    if (deregistered) {
      return {HealthState::kDraining, HealthReason::kDeregistrationInProgress, 0, false, measured, {}};
    }
    if (admin != AdminState::kMeasured) return {StateOf(admin), HealthReason::kNone, 0, true, measured, {}};
    if (!set_.in_use_) return {measured, HealthReason::kNotInUse, 0, false, measured, {}};
    if (!set_.checks_) {
      return {HealthState::kUnavailable, HealthReason::kHealthCheckDisabled, 0, false, HealthState::kUnavailable, {}};
    }
    return {measured, check.reason, check.code, false, measured, failure};
  }

  struct DrainTimer final : net::Timer {
    DrainTimer(TargetSet& owner, Member& subject) : set(owner), member(subject) {}
    void OnTimer() override { set.Remove(member); }
    TargetSet& set;
    Member& member;
  };

  const Endpoint endpoint;
  std::string zone;
  std::string host;
  std::uint16_t weight = 1;
  AnomalyDetector::Record anomaly;
  TargetCheckState check;
  std::string seen;     // by the latest probe, for the log
  std::string failure;  // seen by the latest that failed
  AdminState admin = AdminState::kMeasured;
  WallTime admin_since;
  bool registered = false;  // false too before Register
  bool deregistered = false;
  Shown shown;
  WallTime shown_since;
  WallTime slow_start_since;
  std::shared_ptr<TargetObservations> observations;
  DrainTimer drain;

 private:
  TargetSet& set_;
};

TargetSet::TargetSet(EngineParts& parts, std::string name) : parts_(parts), name_(std::move(name)) {}

TargetSet::~TargetSet() = default;

void TargetSet::MarkDirty() {
  dirty_ = true;
  parts_.on_change();
}

bool TargetSet::TakeDirty() { return std::exchange(dirty_, false); }

void TargetSet::Apply(const config::TargetGroup& settings, std::shared_ptr<net::TlsClient> tls,
                      std::shared_ptr<const functions::FunctionTarget> function) {
  const bool first = settings_ == nullptr;
  settings_ = &settings;
  EndSlowStarts();
  const bool checked_before = checks_;
  checks_ = settings.health_check.enabled && (!settings.function || function != nullptr);
  ProbePlan plan = settings.function && checks_ ? BuildFunctionPlan(settings.health_check, std::move(function))
                                                : BuildTargetPlan(settings.health_check, std::move(tls));
  if (settings.proxy_protocol != config::ProxyProtocol::kOff) {
    const bool is_v1 = settings.proxy_protocol == config::ProxyProtocol::kV1;
    net::AppendLocalProxyHeader(plan.preamble, is_v1 ? net::ProxyVersion::kV1 : net::ProxyVersion::kV2);
  }
  const TargetThresholds thresholds{.healthy = settings.health_check.healthy_threshold,
                                    .unhealthy = settings.health_check.unhealthy_threshold};
  const bool same_plan = plan_ && *plan_ == plan;
  const bool same_check =
      same_plan && thresholds.healthy == thresholds_.healthy && thresholds.unhealthy == thresholds_.unhealthy;
  const bool same_use = in_use_ == settings.in_use && checked_before == checks_;
  if (!same_plan) plan_ = std::make_shared<const ProbePlan>(std::move(plan));
  thresholds_ = thresholds;
  in_use_ = settings.in_use;
  for (const auto& member : members_) {
    if (first || !member->registered) continue;
    if (!same_check) {
      member->check.successes_run = 0;
      member->check.failures_run = 0;
    }
    if (!same_use) {
      Register(*member);
    } else if (!same_plan) {
      Recheck(*member);
    }
  }
  Reconcile();
  MarkDirty();
}

void TargetSet::OnHostsChanged() {
  Reconcile();
  MarkDirty();
}

bool TargetSet::UsesHost(std::string_view host) const {
  return std::ranges::any_of(settings_->targets, [host](const config::Target& target) { return target.host == host; });
}

std::vector<TargetSet::Wanted> TargetSet::WantedTargets() const {
  std::vector<Wanted> wanted;
  wanted.reserve(settings_->targets.size());
  static const config::Target kFunction{.address = {}, .host = {}, .zone = {}, .position = {}};
  if (settings_->function) wanted.push_back({{}, &kFunction});
  for (const config::Target& target : settings_->targets) {
    if (target.address) {
      wanted.push_back({{*target.address, target.port}, &target});
    } else if (const auto* host = parts_.hosts.Find(target.host)) {
      for (const IpAddress& address : host->addresses) wanted.push_back({{address, target.port}, &target});
    }
  }
  return wanted;
}

void TargetSet::Reconcile() {
  std::unordered_map<Endpoint, std::unique_ptr<Member>> known;
  std::vector<Endpoint> order;
  for (auto& member : members_) {
    order.push_back(member->endpoint);
    known.emplace(member->endpoint, std::move(member));
  }
  members_.clear();
  std::unordered_map<Endpoint, bool> taken;
  for (const Wanted& wanted : WantedTargets()) {
    // Two names may lead to one address: it is one target all the same.
    if (!taken.emplace(wanted.endpoint, true).second) continue;
    auto node = known.extract(wanted.endpoint);
    members_.push_back(node ? std::move(node.mapped())
                            : std::make_unique<Member>(*this, wanted.endpoint, parts_.workers));
    Refresh(*members_.back(), wanted);
  }
  for (const Endpoint& endpoint : order) {
    auto node = known.extract(endpoint);
    if (!node) continue;
    if (node.mapped()->deregistered || Deregister(*node.mapped())) members_.push_back(std::move(node.mapped()));
  }
}

void TargetSet::Refresh(Member& member, const Wanted& wanted) {
  member.zone = wanted.target->zone;
  member.host = wanted.target->host;
  member.weight = wanted.target->weight;
  if (!member.registered) Register(member);
}

void TargetSet::Register(Member& member) {
  const bool is_new = !member.registered && !member.deregistered;
  member.registered = true;
  member.deregistered = false;
  member.drain.Cancel();
  member.seen.clear();
  member.failure.clear();
  member.check = {.since = parts_.loop.wall_now()};
  if (is_new) {
    // A target that was not there has no state to come from: nothing to report.
    member.shown = member.Look();
    member.shown_since = parts_.loop.wall_now();
  }
  Show(member, "registered");
  Recheck(member);
}

void TargetSet::Recheck(Member& member) {
  if (!in_use_ || !checks_) {
    parts_.schedule.End(member);
    return;
  }
  member.plan = plan_;
  if (plan_->function != nullptr) return parts_.schedule.Begin(member);
  member.probed_endpoint = {member.endpoint.address, plan_->port.value_or(member.endpoint.port)};
  member.host_field = HostField(*plan_, member.probed_endpoint, {});
  member.server_name =
      plan_->tls != nullptr ? plan_->tls->NameFor(member.host, member.endpoint.address) : std::string();
  parts_.schedule.Begin(member);
}

bool TargetSet::Deregister(Member& member) {
  parts_.schedule.End(member);
  member.registered = false;
  member.deregistered = true;
  if (std::exchange(member.admin, AdminState::kMeasured) != AdminState::kMeasured) {
    LogInfo(fmt::format("override dropped group={} target={} reason=\"the target was removed\"", name_,
                        member.endpoint.ToString()));
  }
  member.seen.clear();
  Show(member, {});
  if (settings_->deregistration_delay.count() == 0) return false;
  parts_.loop.timers().Schedule(member.drain, parts_.loop.now() + settings_->deregistration_delay);
  return true;
}

void TargetSet::Remove(const Member& member) {
  parts_.transitions.Report({.group = name_,
                             .id = member.endpoint.ToString(),
                             .from = std::string(ToString(HealthState::kDraining)),
                             .to = std::string(ToString(HealthState::kUnused)),
                             .reason = std::string(ToString(HealthReason::kNotRegistered)),
                             .seen = {},
                             .time = parts_.loop.wall_now()});
  std::erase_if(members_, [&member](const auto& candidate) { return candidate.get() == &member; });
  MarkDirty();
}

void TargetSet::Show(Member& member, std::string_view reason) {
  const Member::Shown now = member.Look();
  const Member::Shown before = std::exchange(member.shown, now);
  if (now == before) return;
  MarkDirty();
  if (now.state == before.state) return;
  member.shown_since = parts_.loop.wall_now();
  member.slow_start_since =
      now.state == HealthState::kHealthy && StartsSlowly(member) ? member.shown_since : WallTime{};
  if (reason.empty()) reason = ToString(now.reason);
  const bool probed = !now.overridden && (now.state == HealthState::kHealthy || now.state == HealthState::kUnhealthy);
  parts_.transitions.Report({.group = name_,
                             .id = settings_->function ? config::FunctionId(*settings_) : member.endpoint.ToString(),
                             .from = std::string(ToString(before.state)),
                             .to = std::string(ToString(now.state)),
                             .reason = std::string(reason),
                             .seen = probed ? member.seen : std::string(),
                             .time = member.shown_since});
}

// Whoever has come through a slow start does not begin anew because it takes longer now (spec: alb.md 8.1).
void TargetSet::EndSlowStarts() {
  const auto before = std::exchange(slow_start_, settings_->slow_start);
  if (slow_start_ == before) return;
  for (const auto& member : members_) {
    if (parts_.loop.wall_now() - member->slow_start_since >= before) member->slow_start_since = {};
  }
}

// Others bear the load meanwhile: targets that are healthy, not in slow start themselves, and not of one batch with it,
// whose first checks end within an interval of each other (spec: alb.md 8.1).
bool TargetSet::StartsSlowly(const Member& member) const {
  const auto duration = settings_->slow_start;
  if (duration.count() == 0) return false;
  const WallTime now = member.shown_since;
  return std::ranges::any_of(members_, [&](const auto& other) {
    return other.get() != &member && other->shown.state == HealthState::kHealthy &&
           now - other->shown_since >= settings_->health_check.interval && now - other->slow_start_since >= duration;
  });
}

void TargetSet::FindAnomalies() {
  if (!in_use_) return;
  std::vector<AnomalyDetector::Input> inputs;
  std::vector<bool> were_anomalous;
  for (const auto& member : members_) {
    const TargetObservations& seen = *member->observations;
    const std::uint64_t errors =
        seen.Sum([](const TargetObservation& o) { return o.responses_5xx.value() + o.connection_errors.value(); });
    const std::uint64_t others = seen.Sum([](const TargetObservation& o) {
      return o.responses_2xx.value() + o.responses_3xx.value() + o.responses_4xx.value();
    });
    inputs.push_back({.record = member->anomaly,
                      .healthy = member->registered && member->shown.state == HealthState::kHealthy,
                      .attempts = errors + others,
                      .errors = errors});
    were_anomalous.push_back(member->anomaly.anomaly().is_anomalous);
  }
  if (!anomalies_.Step(inputs, settings_->anomaly_mitigation, parts_.loop.now())) return;
  MarkDirty();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Anomaly& now = members_[i]->anomaly.anomaly();
    if (now.is_anomalous == were_anomalous[i]) continue;
    LogInfo(fmt::format("anomaly group={} target={} result={} errors={:.1f}% peers={:.1f}%", name_,
                        members_[i]->endpoint.ToString(), now.is_anomalous ? "anomalous" : "normal", now.error_percent,
                        now.peers_percent));
  }
}

GroupStatus TargetSet::Build(std::string_view shifted_zone) const {
  GroupStatus status;
  status.targets.reserve(members_.size());
  for (const auto& member : members_) {
    const Member::Shown& shown = member->shown;
    status.targets.push_back(
        {.endpoint = member->endpoint,
         .zone = member->zone,
         .host = member->host,
         .state = shown.state,
         .reason = shown.reason,
         .description =
             shown.overridden ? "Set by an administrative override" : Describe(shown.reason, shown.code, shown.seen),
         .since = member->shown_since,
         .admin_state = member->admin,
         .measured_state = shown.measured,
         .deregistered = member->deregistered,
         .slow_start_since = member->slow_start_since,
         .weight = member->weight,
         .anomaly = member->anomaly.anomaly(),
         .observations = member->observations,
         .function = settings_->function && !member->deregistered ? config::FunctionId(*settings_) : std::string()});
  }
  status.unresolved = UnresolvedHosts();
  SummarizeGroup(*settings_, status, shifted_zone);
  return status;
}

std::vector<UnresolvedHost> TargetSet::UnresolvedHosts() const {
  std::vector<UnresolvedHost> unresolved;
  for (const config::Target& target : settings_->targets) {
    const auto* const host = target.address ? nullptr : parts_.hosts.Find(target.host);
    if (host == nullptr || (host->answered && host->failure.empty())) continue;
    unresolved.push_back({.host = target.host,
                          .port = target.port,
                          .reason = host->answered ? host->failure : "not resolved yet",
                          .addresses_kept = static_cast<std::uint32_t>(host->addresses.size())});
  }
  return unresolved;
}

Result<void> TargetSet::SetOverride(const Endpoint& endpoint, AdminState state) {
  const auto found = std::ranges::find_if(
      members_, [&](const auto& member) { return member->registered && member->endpoint == endpoint; });
  if (found == members_.end()) {
    std::vector<std::string> names;
    for (const auto& member : members_) {
      if (member->registered) names.push_back(member->endpoint.ToString());
    }
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const std::string_view nearest = NearestWord(endpoint.ToString(), candidates);
    return Failure(fmt::format("target group '{}' has no target {}", name_, endpoint.ToString()),
                   nearest.empty() ? std::string() : fmt::format("did you mean {}?", nearest));
  }
  Member& member = **found;
  if (member.admin == state) return {};
  member.admin = state;
  member.admin_since = parts_.loop.wall_now();
  LogInfo(fmt::format("override set group={} target={} state={}", name_, endpoint.ToString(), ToString(state)));
  Show(member, kByOverride);
  MarkDirty();
  return {};
}

void TargetSet::AppendOverrides(std::vector<Override>& out) const {
  for (const auto& member : members_) {
    if (member->admin == AdminState::kMeasured) continue;
    out.push_back({.kind = "target",
                   .group = name_,
                   .id = member->endpoint.ToString(),
                   .state = member->admin,
                   .since = member->admin_since});
  }
}

}  // namespace weir::health
