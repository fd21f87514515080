#include "health/check_set.h"

#include "base/log.h"
#include "base/text.h"
#include "health/check_state.h"
#include "health/status_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::health {
namespace {

std::string_view Word(bool healthy) { return healthy ? "healthy" : "unhealthy"; }

}  // namespace

// One check. CALCULATED and disabled ones are not probed.
class CheckSet::Check final : public ProbeSubject {
 public:
  explicit Check(CheckSet& set) : set_(set) {}

  Readiness Prepare() override {
    if (settings->address) return Readiness::kReady;
    const auto* host = set_.parts_.hosts.Find(settings->host);
    if (host == nullptr || !host->answered) return Readiness::kLater;
    // Route 53 asks for IPv4 addresses only (spec: dns.md 2.2).
    const auto address = std::ranges::find_if(host->addresses, &IpAddress::is_v4);
    if (host->not_found || address == host->addresses.end()) return Readiness::kUnresolved;
    probed_endpoint = {*address, settings->port};
    return Readiness::kReady;
  }

  void OnProbeResult(const ProbeResult& result) override {
    const bool was_healthy = state.healthy;
    state = Step(state, settings->failure_threshold, result);
    std::string seen = DescribeSeen(result);
    if (was_healthy == state.healthy && seen == last_result) return;
    last_result = std::move(seen);
    set_.MarkUnsettled();
  }

  [[nodiscard]] bool calculated() const { return settings->type == config::HealthCheckType::kCalculated; }
  // Why a change came about when no probe of its own is the cause.
  [[nodiscard]] std::string_view reason() const {
    if (admin != AdminState::kMeasured) return "override";
    if (settings->disabled) return "disabled";
    return calculated() ? "children" : "";
  }

  const config::HealthCheck* settings = nullptr;
  EndpointCheckState state;
  std::string last_result;
  AdminState admin = AdminState::kMeasured;
  WallTime admin_since;
  bool settled = false;  // `healthy` has been worked out once
  bool healthy = true;   // what records see
  WallTime since;        // when `healthy` last changed

 private:
  CheckSet& set_;
};

CheckSet::CheckSet(EngineParts& parts) : parts_(parts) {}

CheckSet::~CheckSet() = default;

void CheckSet::MarkUnsettled() {
  unsettled_ = true;
  parts_.on_change();
}

void CheckSet::Apply(const config::Model& model) {
  model_ = &model;
  std::map<std::string, std::unique_ptr<Check>, std::less<>> before;
  before.swap(checks_);
  order_.clear();
  for (const config::HealthCheck& settings : model.health_checks) {
    auto node = before.extract(settings.name);
    auto& slot = checks_[settings.name];
    slot = node ? std::move(node.mapped()) : std::make_unique<Check>(*this);
    Arrange(*slot, settings);
    order_.push_back(slot.get());
  }
  for (const auto& [name, gone] : before) {
    if (gone->admin == AdminState::kMeasured) continue;
    LogInfo(fmt::format("override dropped check={} reason=\"the health check was removed\"", name));
  }
  MarkUnsettled();
}

void CheckSet::Arrange(Check& check, const config::HealthCheck& settings) {
  check.settings = &settings;
  if (check.calculated() || settings.disabled) {
    parts_.schedule.End(check);
    check.plan = nullptr;
    return;
  }
  ProbePlan plan = BuildCheckPlan(settings);
  const Endpoint endpoint{settings.address.value_or(IpAddress()), settings.port};
  std::string host_field = HostField(plan, endpoint, settings.host);
  const bool same_endpoint = !settings.address || check.probed_endpoint == endpoint;
  if (check.plan && *check.plan == plan && check.host_field == host_field && same_endpoint) return;
  check.plan = std::make_shared<const ProbePlan>(std::move(plan));
  check.host_field = std::move(host_field);
  check.probed_endpoint = endpoint;
  check.state.against_run = 0;
  parts_.schedule.Begin(check);
}

void CheckSet::Settle() {
  if (!std::exchange(unsettled_, false)) return;
  statuses_.resize(order_.size());
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const Check& check = *order_[i];
    const config::HealthCheck& settings = *check.settings;
    CheckStatus& status = statuses_[i];
    status.admin_state = check.admin;
    status.last_result = check.last_result;
    status.measured_healthy = check.state.healthy;
    status.healthy = EffectiveHealthy(check.state.healthy, settings.disabled, settings.inverted, check.admin);
  }
  CalculateChecks(*model_, statuses_);
  for (std::size_t i = 0; i < order_.size(); ++i) {
    Check& check = *order_[i];
    const bool before = std::exchange(check.healthy, statuses_[i].healthy);
    const bool first = !std::exchange(check.settled, true);
    if (first || before != check.healthy) check.since = parts_.loop.wall_now();
    statuses_[i].since = check.since;
    if (first || before == check.healthy) continue;
    parts_.transitions.Report({.group = {},
                               .id = check.settings->name,
                               .from = std::string(Word(before)),
                               .to = std::string(Word(check.healthy)),
                               .reason = std::string(check.reason()),
                               .seen = statuses_[i].last_result,
                               .time = check.since});
  }
}

Result<void> CheckSet::SetOverride(const std::string& name, AdminState state) {
  const auto found = checks_.find(name);
  if (found == checks_.end()) {
    std::vector<std::string_view> candidates;
    for (const auto& [known, check] : checks_) candidates.push_back(known);
    const std::string_view nearest = NearestWord(name, candidates);
    return Failure(fmt::format("there is no health check '{}'", name),
                   nearest.empty() ? std::string() : fmt::format("did you mean '{}'?", nearest));
  }
  if (state == AdminState::kDraining) {
    return Failure("a health check cannot be draining", "healthy, unhealthy or measured");
  }
  Check& check = *found->second;
  if (check.admin == state) return {};
  check.admin = state;
  check.admin_since = parts_.loop.wall_now();
  LogInfo(fmt::format("override set check={} state={}", name, ToString(state)));
  MarkUnsettled();
  return {};
}

void CheckSet::AppendOverrides(std::vector<Override>& out) const {
  for (const Check* check : order_) {
    if (check->admin == AdminState::kMeasured) continue;
    out.push_back({.kind = "health-check",
                   .group = {},
                   .id = check->settings->name,
                   .state = check->admin,
                   .since = check->admin_since});
  }
}

}  // namespace weir::health
