#include "app/offline_view.h"

#include "app/configuration.h"
#include "base/text.h"
#include "config/findings.h"
#include "dns/counters.h"
#include "dns/zone/zone_set.h"
#include "health/status_rules.h"
#include "proxy/counters.h"
#include "proxy/routing/routing_table.h"
#include "proxy/tls/listener_tls.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::app {
namespace {

health::TargetStatus HealthyTarget(const config::Target& target, bool in_use) {
  health::TargetStatus out;
  out.endpoint = {target.address.value_or(IpAddress::AnyV4()), target.port};
  out.zone = target.zone;
  out.host = target.host;
  out.weight = target.weight;
  out.state = in_use ? health::HealthState::kHealthy : health::HealthState::kUnused;
  out.reason = in_use ? health::HealthReason::kNone : health::HealthReason::kNotInUse;
  out.measured_state = out.state;
  return out;
}

// Fills in what follows from the states of targets and checks.
void Summarize(const config::Model& model, health::StatusTable& table) {
  for (std::size_t i = 0; i < table.groups.size(); ++i) {
    health::SummarizeGroup(model.target_groups[i], table.groups[i]);
  }
  health::CalculateChecks(model, table.checks);
  table.load_balancers.clear();
  for (const auto& balancer : model.load_balancers) {
    table.load_balancers.push_back(health::SummarizeLoadBalancer(balancer, model, table.groups));
  }
}

std::shared_ptr<const health::StatusTable> AllHealthy(const config::Model& model, std::uint64_t revision) {
  auto table = std::make_shared<health::StatusTable>();
  table->revision = revision;
  for (const auto& group : model.target_groups) {
    health::GroupStatus status;
    for (const auto& target : group.targets) status.targets.push_back(HealthyTarget(target, group.in_use));
    if (group.function) {
      status.targets.push_back(HealthyTarget({}, group.in_use));
      status.targets.back().function = config::FunctionId(group);
    }
    table->groups.push_back(std::move(status));
  }
  table->checks.resize(model.health_checks.size());
  Summarize(model, *table);
  return table;
}

void Fail(health::TargetStatus& target) {
  target.state = health::HealthState::kUnhealthy;
  target.measured_state = target.state;
  target.reason = health::HealthReason::kFailedHealthChecks;
  target.description = "counted as unhealthy";
}

// Marks every target of the group, or every target of that address in any group. False when there is none.
bool FailTargets(const config::Model& model, std::string_view name, health::StatusTable& table) {
  const auto endpoint = Endpoint::Parse(name);
  bool found = false;
  for (std::size_t i = 0; i < table.groups.size(); ++i) {
    const bool whole_group = model.target_groups[i].name == name;
    found |= whole_group;
    for (auto& target : table.groups[i].targets) {
      if (!whole_group && !(endpoint && target.endpoint == *endpoint)) continue;
      found = true;
      Fail(target);
    }
  }
  return found;
}

std::string UnknownNameHint(const config::Model& model, std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& balancer : model.load_balancers) known.push_back(balancer.name);
  for (const auto& group : model.target_groups) known.push_back(group.name);
  for (const auto& check : model.health_checks) known.push_back(check.name);
  const auto near = NearestWord(name, known);
  if (!near.empty()) return "did you mean " + std::string(near) + "?";
  return "name a load balancer, a target group, a target as ADDRESS:PORT, or a health check";
}

}  // namespace

OfflineView LoadOffline(const std::string& path, const config::LoadOptions& options) {
  auto loaded = LoadConfiguration(path, options);
  OfflineView out{.diagnostics = std::move(loaded.diagnostics), .view = nullptr};
  if (!loaded.model) return out;
  proxy::CounterRegistry counters(1);
  dns::CounterRegistry dns_counters(1);
  constexpr std::uint64_t kRevision = 1;
  auto routing = proxy::RoutingTable::Build(loaded.model, kRevision, {}, counters);
  auto zones = dns::ZoneSet::Build(loaded.model, dns_counters);
  if (!routing) config::AddFindings(std::move(routing.error()), out.diagnostics);
  if (!zones) config::AddFindings(std::move(zones.error()), out.diagnostics);
  if (!routing || !zones) return out;
  config::AddFindings((*routing)->warnings(), out.diagnostics);
  if (options.aws_limits) {
    config::AddFindings(proxy::AwsObjections(*loaded.model, (*routing)->trust_stores()), out.diagnostics);
  }
  out.view = std::make_shared<const control::View>(control::View{.revision = kRevision,
                                                                 .model = loaded.model,
                                                                 .routing = std::move(*routing),
                                                                 .zones = std::move(*zones),
                                                                 .health = AllHealthy(*loaded.model, kRevision)});
  return out;
}

Result<std::shared_ptr<const control::View>> WithUnhealthy(const control::View& view,
                                                           const std::vector<std::string>& unhealthy) {
  const auto& model = *view.model;
  auto table = std::make_shared<health::StatusTable>(*view.health);
  std::vector<std::size_t> failed_checks;
  std::vector<std::size_t> failed_balancers;
  for (const auto& name : unhealthy) {
    bool found = FailTargets(model, name, *table);
    if (const auto check = std::ranges::find(model.health_checks, name, &config::HealthCheck::name);
        check != model.health_checks.end()) {
      failed_checks.push_back(static_cast<std::size_t>(check - model.health_checks.begin()));
      found = true;
    }
    if (const auto balancer = std::ranges::find(model.load_balancers, name, &config::LoadBalancer::name);
        balancer != model.load_balancers.end()) {
      failed_balancers.push_back(static_cast<std::size_t>(balancer - model.load_balancers.begin()));
      found = true;
    }
    if (!found) return Failure("`" + name + "` is nothing that can be unhealthy", UnknownNameHint(model, name));
  }
  const auto fail_checks = [&] {
    for (const auto index : failed_checks) {
      table->checks[index].healthy = false;
      table->checks[index].measured_healthy = false;
      table->checks[index].last_result = "counted as unhealthy";
    }
  };
  fail_checks();
  Summarize(model, *table);
  // A calculated check that is named is unhealthy whatever its children are.
  fail_checks();
  for (const auto index : failed_balancers) {
    table->load_balancers[index].healthy = false;
    for (health::NodeStatus& node : table->load_balancers[index].nodes) node = {.healthy = false};  // all answer
  }
  auto out = std::make_shared<control::View>(view);
  out->health = std::move(table);
  return out;
}

}  // namespace weir::app
