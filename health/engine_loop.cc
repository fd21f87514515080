#include "health/engine_loop.h"

#include "base/log.h"
#include "base/text.h"
#include "health/status_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>

namespace weir::health {
namespace {

// At most ten tables a second: a table costs time that grows with the number of targets.
constexpr std::chrono::milliseconds kPublishGap{100};

}  // namespace

Engine::Loop::Loop(EngineOptions options, OnStatus on_status)
    : options_(std::move(options)),
      on_status_(std::move(on_status)),
      transitions_(transitions_total_, options_.on_transition),
      schedule_(loop_, options_.probes_in_flight_max, probe_totals_),
      hosts_(loop_, options_.resolver_servers, resolutions_failed_,
             [this](const std::string& host) { OnHostChanged(host); }),
      parts_{loop_, schedule_, hosts_, transitions_, options_.workers, [this] { OnChange(); }, options_.on_check},
      checks_(parts_),
      anomaly_timer_([this] { FindAnomalies(); }) {
  loop_.SetTurnEnd([this] { schedule_.EndTurn(); });
  thread_ = std::thread([this] { loop_.Run(); });
}

Engine::Loop::~Loop() { Stop(); }

void Engine::Loop::Stop() {
  if (!thread_.joinable()) return;
  loop_.Stop();
  thread_.join();
}

ProbeCounters Engine::Loop::counters() const {
  return {.sent = probe_totals_.sent.value(),
          .succeeded = probe_totals_.succeeded.value(),
          .failed = probe_totals_.failed.value(),
          .in_flight = probe_totals_.in_flight.value(),
          .waiting = probe_totals_.waiting.value(),
          .transitions = transitions_total_.value(),
          .resolutions_failed = resolutions_failed_.value()};
}

void Engine::Loop::Apply(std::shared_ptr<const config::Model> model, std::uint64_t revision,
                         const TargetTls& target_tls, const functions::FunctionTargetList& functions) {
  // What points into the old model is replaced before the old model goes.
  const auto old = std::exchange(model_, std::move(model));
  revision_ = revision;
  ApplyHosts();
  ApplyGroups(target_tls, functions);
  checks_.Apply(*model_);
  if (!anomaly_timer_.scheduled()) FindAnomalies();
  Publish();
}

void Engine::Loop::FindAnomalies() {
  for (TargetSet* group : group_order_) group->FindAnomalies();
  loop_.timers().Schedule(anomaly_timer_, loop_.now() + AnomalyDetector::kInterval);
}

void Engine::Loop::ApplyHosts() {
  std::set<std::string> names;
  for (const config::TargetGroup& group : model_->target_groups) {
    for (const config::Target& target : group.targets) {
      if (!target.address) names.insert(target.host);
    }
  }
  for (const config::HealthCheck& check : model_->health_checks) {
    const bool probed = check.type != config::HealthCheckType::kCalculated && !check.disabled;
    if (probed && !check.address) names.insert(check.host);
  }
  hosts_.Use(names);
}

void Engine::Loop::ApplyGroups(const TargetTls& target_tls, const functions::FunctionTargetList& functions) {
  auto before = std::exchange(groups_, {});
  group_order_.clear();
  for (std::size_t i = 0; i < model_->target_groups.size(); ++i) {
    const config::TargetGroup& settings = model_->target_groups[i];
    auto node = before.extract(settings.name);
    auto& slot = groups_[settings.name];
    slot = node ? std::move(node.mapped()) : std::make_unique<TargetSet>(parts_, settings.name);
    slot->Apply(settings, i < target_tls.size() ? tls_clients_.For(target_tls[i]) : nullptr,
                i < functions.size() ? functions[i] : nullptr);
    group_order_.push_back(slot.get());
  }
  for (const auto& [name, gone] : before) DropGroup(*gone);
  tls_clients_.ForgetUnused();
  group_statuses_.clear();
  group_statuses_.resize(group_order_.size());
}

void Engine::Loop::DropGroup(const TargetSet& group) const {
  std::vector<Override> overrides;
  group.AppendOverrides(overrides);
  for (const Override& dropped : overrides) {
    LogInfo(fmt::format("override dropped group={} target={} reason=\"the target group was removed\"", dropped.group,
                        dropped.id));
  }
}

void Engine::Loop::OnHostChanged(const std::string& host) {
  for (TargetSet* group : group_order_) {
    if (group->UsesHost(host)) group->OnHostsChanged();
  }
}

void Engine::Loop::OnChange() {
  changed_ = true;
  loop_.RunSoon(*this);
}

void Engine::Loop::RunTask() {
  if (!model_ || !changed_) return;
  // Calculated checks and their transitions follow at once; only tables are held back.
  checks_.Settle();
  const SteadyTime due = published_ + kPublishGap;
  if (loop_.now() >= due) return Publish();
  if (!scheduled()) loop_.timers().Schedule(*this, due);
}

void Engine::Loop::OnTimer() {
  if (changed_) Publish();
}

void Engine::Loop::Publish() {
  checks_.Settle();
  changed_ = false;
  Cancel();
  published_ = loop_.now();
  auto table = std::make_shared<StatusTable>();
  table->revision = revision_;
  table->generation = ++generation_;
  for (std::size_t i = 0; i < group_order_.size(); ++i) {
    if (group_order_[i]->TakeDirty()) group_statuses_[i] = group_order_[i]->Build(shifted_zone_);
  }
  table->groups = group_statuses_;
  table->checks = checks_.statuses();
  table->load_balancers.reserve(model_->load_balancers.size());
  for (const config::LoadBalancer& load_balancer : model_->load_balancers) {
    table->load_balancers.push_back(SummarizeLoadBalancer(load_balancer, *model_, table->groups, shifted_zone_));
  }
  table->shifted_zone = shifted_zone_;
  if (on_status_) on_status_(std::move(table));
}

Result<void> Engine::Loop::SetTargetOverride(const std::string& group, const Endpoint& target, AdminState state) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) {
    std::vector<std::string_view> candidates;
    for (const auto& [name, known] : groups_) candidates.push_back(name);
    const std::string_view nearest = NearestWord(group, candidates);
    return Failure(fmt::format("there is no target group '{}'", group),
                   nearest.empty() ? std::string() : fmt::format("did you mean '{}'?", nearest));
  }
  auto result = found->second->SetOverride(target, state);
  if (result) Publish();
  return result;
}

Result<void> Engine::Loop::SetCheckOverride(const std::string& check, AdminState state) {
  auto result = checks_.SetOverride(check, state);
  if (result) Publish();
  return result;
}

void Engine::Loop::ShiftAwayFrom(const std::string& zone) {
  shifted_zone_ = zone;
  if (!model_) return;
  for (std::size_t i = 0; i < group_order_.size(); ++i) {
    if (!model_->target_groups[i].shift_zones.empty()) group_statuses_[i] = group_order_[i]->Build(shifted_zone_);
  }
  Publish();
}

std::vector<Override> Engine::Loop::Overrides() const {
  std::vector<Override> overrides;
  for (const TargetSet* group : group_order_) group->AppendOverrides(overrides);
  checks_.AppendOverrides(overrides);
  return overrides;
}

}  // namespace weir::health
