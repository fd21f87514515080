#include "control/status_report.h"

#include "base/clock.h"
#include "base/counters.h"
#include "base/overloaded.h"
#include "base/record_type.h"
#include "base/text.h"
#include "config/schema/schema.h"
#include "config/version_shares.h"
#include "dns/explain.h"
#include "health/observation.h"
#include "net/tls_client.h"
#include "net/tls_server.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weir::control {
namespace {

ActionReport DescribeAction(const proxy::Rule& rule, const proxy::RoutingTable& table) {
  ActionReport report;
  report.type = proxy::ToString(proxy::KindOf(rule.action));
  const auto forward = [&](const proxy::Forward& action) {
    for (const auto& choice : action.choices) {
      report.groups.push_back({table.groups()[choice.group].name, choice.weight});
    }
  };
  const auto redirect = [&](const proxy::Redirect& action) {
    const auto& parts = *action.templates;
    report.status_code = parts.status_code;
    report.location = ToLowerAscii(parts.protocol) + "://" + parts.host + ":" + parts.port + parts.path;
    if (!parts.query.empty()) report.location += "?" + parts.query;
  };
  const auto fixed = [&](const proxy::FixedResponse& action) { report.status_code = action.status; };
  std::visit(Overloaded{forward, redirect, fixed}, rule.action);
  return report;
}

void DescribeTls(const proxy::Listener& listener, ListenerReport& report) {
  const net::TlsServerPlan& plan = *listener.tls;
  if (plan.client_authentication) {
    const bool verifies = plan.client_authentication->mode == net::TlsClientAuthentication::Mode::kVerify;
    report.mutual_authentication = verifies ? "verify" : "passthrough";
    report.trust_store = listener.trust_store;
  }
  report.ssl_policy = plan.policy->name;
  const WallTime now = SystemClock().WallNow();
  for (const auto& credential : plan.choice->credentials()) {
    const net::TlsCertificateFacts& facts = credential->facts();
    report.certificates.push_back({.certificate = credential->certificate_file(),
                                   .names = facts.names,
                                   .not_after = net::FormatCertificateTime(facts.not_after),
                                   .valid = facts.valid(now)});
  }
}

ListenerReport DescribeListener(const proxy::Listener& listener, const proxy::RoutingTable& table,
                                const Runtime& runtime) {
  ListenerReport report;
  report.port = listener.port;
  report.protocol = listener.tls != nullptr ? "HTTPS" : "HTTP";
  if (listener.tls != nullptr) DescribeTls(listener, report);
  for (const auto& bound : runtime.listeners) {
    if (bound.load_balancer != listener.load_balancer || bound.index != listener.index) continue;
    for (const auto& endpoint : bound.endpoints) report.bound.push_back(endpoint.ToString());
  }
  report.requests = listener.counters->Sum([](const auto& c) { return c.requests.value(); });
  report.active_connections = listener.counters->Sum([](const auto& c) { return c.connections_active.value(); });
  for (const auto& rule : listener.rules) {
    report.rules.push_back({.priority = rule.priority,
                            .name = std::string(rule.name),
                            .action = DescribeAction(rule, table),
                            .requests = rule.counters->Sum([](const auto& c) { return c.requests.value(); }),
                            .weights_overridden = rule.weights_overridden});
  }
  return report;
}

void DescribeNodes(const config::LoadBalancer& balancer, const health::LoadBalancerStatus& status,
                   LoadBalancerReport& out) {
  for (std::size_t i = 0; i < std::min(balancer.nodes.size(), status.nodes.size()); ++i) {
    NodeReport& node = out.nodes.emplace_back();
    node.zone = balancer.nodes[i].zone;
    for (const auto& address : balancer.nodes[i].addresses) node.addresses.push_back(address.ToString());
    for (const auto& address : balancer.nodes[i].advertise) node.advertise.push_back(address.ToString());
    node.healthy = status.nodes[i].healthy;
    node.shifted = status.nodes[i].shifted;
    node.answers = status.nodes[i].answers;
  }
}

void AddLoadBalancers(const View& view, const Runtime& runtime, StatusReport& report) {
  const auto& balancers = view.model->load_balancers;
  for (std::size_t i = 0; i < balancers.size(); ++i) {
    LoadBalancerReport out;
    out.name = balancers[i].name;
    if (i < view.health->load_balancers.size()) {
      out.healthy = view.health->load_balancers[i].healthy;
      DescribeNodes(balancers[i], view.health->load_balancers[i], out);
    }
    for (const auto& address : balancers[i].addresses) out.addresses.push_back(address.ToString());
    for (const auto& listener : view.routing->listeners()) {
      if (listener->load_balancer == out.name) {
        out.listeners.push_back(DescribeListener(*listener, *view.routing, runtime));
      }
    }
    report.load_balancers.push_back(std::move(out));
  }
}

TargetReport DescribeTarget(const health::TargetStatus& target) {
  TargetReport out;
  out.id = target.id();
  out.host = target.host;
  out.zone = target.zone;
  out.state = ToString(target.state);
  out.reason = ToString(target.reason);
  out.description = target.description;
  out.since = FormatIso8601(target.since);
  out.admin_state = ToString(target.admin_state);
  out.measured_state = ToString(target.measured_state);
  if (target.zonal_override != health::ZonalOverride::kNone) out.zonal_override = ToString(target.zonal_override);
  out.deregistered = target.deregistered;
  out.weight = target.weight;
  out.anomalous = target.anomaly.is_anomalous;
  out.mitigated = target.anomaly.is_mitigated();
  out.anomaly = Describe(target.anomaly);
  if (target.observations) {
    const health::TargetObservations& seen = *target.observations;
    out.requests = seen.Sum([](const auto& o) { return o.requests.value(); });
    out.active_requests = seen.Sum([](const auto& o) { return o.active_requests.value(); });
  }
  return out;
}

void AddTraffic(const proxy::TargetGroupRoute& route, TargetGroupReport& out) {
  const proxy::GroupCountersTable& counters = *route.counters;
  out.requests = counters.Sum([](const auto& c) { return c.requests.value(); });
  out.no_target = counters.Sum([](const auto& c) { return c.no_target.value(); });
  out.failures = counters.Sum([](const auto& c) { return c.failures.value(); });
  constexpr std::array kCountersOfClasses = {&proxy::ResponseCounters::class_1xx, &proxy::ResponseCounters::class_2xx,
                                             &proxy::ResponseCounters::class_3xx, &proxy::ResponseCounters::class_4xx,
                                             &proxy::ResponseCounters::class_5xx};
  for (std::size_t i = 0; i < kCountersOfClasses.size(); ++i) {
    out.responses[i] = counters.Sum([&](const auto& c) { return (c.responses.*kCountersOfClasses[i]).value(); });
  }
  for (std::size_t i = 0; i < out.response_time.counts.size(); ++i) {
    out.response_time.counts[i] = route.response_times->Sum([i](const auto& c) { return c.bucket(i); });
  }
}

void AddTargetGroups(const View& view, StatusReport& report) {
  const auto& routes = view.routing->groups();
  for (std::size_t i = 0; i < view.model->target_groups.size() && i < view.health->groups.size(); ++i) {
    const auto& status = view.health->groups[i];
    TargetGroupReport out;
    out.name = view.model->target_groups[i].name;
    out.in_use = view.model->target_groups[i].in_use;
    if (const auto& stickiness = view.model->target_groups[i].stickiness; stickiness.enabled) {
      out.stickiness = config::kStickinessTypeWords[std::to_underlying(stickiness.type)];
    }
    out.healthy = status.healthy;
    out.registered = status.registered;
    out.fail_open = status.fail_open;
    if (i < routes.size()) {
      out.protocol = routes[i].protocol();
      out.protocol_version = routes[i].protocol_version();
      out.is_function = routes[i].config->function.has_value();
      if (out.is_function) out.versions = config::VersionShares(*routes[i].config->function);
      if (routes[i].is_https()) out.ssl_policy = routes[i].tls->policy->name;
      AddTraffic(routes[i], out);
    }
    for (const auto& target : status.targets) out.targets.push_back(DescribeTarget(target));
    for (const auto& host : status.unresolved) {
      out.unresolved_hosts.push_back({host.host, host.port, host.reason, host.addresses_kept});
    }
    const auto mark_routable = [&out](const health::GroupStatus& seen) {
      for (const auto index : seen.routable) {
        if (index < out.targets.size()) out.targets[index].routable = true;
      }
    };
    if (status.by_zone.empty()) mark_routable(status);
    const auto& zones = view.model->target_groups[i].node_zones;
    for (std::size_t zone = 0; zone < std::min(status.by_zone.size(), zones.size()); ++zone) {
      const health::GroupStatus& seen = status.by_zone[zone];
      out.zones.push_back({zones[zone], seen.healthy, seen.registered, seen.fail_open});
      mark_routable(seen);
    }
    report.target_groups.push_back(std::move(out));
  }
}

std::string_view HealthText(bool healthy) { return healthy ? "healthy" : "unhealthy"; }

void AddHealthChecks(const View& view, StatusReport& report) {
  for (std::size_t i = 0; i < view.model->health_checks.size() && i < view.health->checks.size(); ++i) {
    const auto& check = view.model->health_checks[i];
    const auto& status = view.health->checks[i];
    report.health_checks.push_back({.name = check.name,
                                    .type = std::string(ToString(check.type)),
                                    .status = std::string(HealthText(status.healthy)),
                                    .measured_status = std::string(HealthText(status.measured_healthy)),
                                    .since = FormatIso8601(status.since),
                                    .last_result = status.last_result,
                                    .admin_state = std::string(ToString(status.admin_state))});
  }
}

void DescribeRouting(const config::RecordSet& record, const config::Model& model, RecordReport& out) {
  out.policy = dns::PolicyName(record.policy);
  if (record.policy == config::RoutingPolicy::kWeighted) out.routing = std::to_string(record.weight);
  if (record.policy == config::RoutingPolicy::kFailover) {
    out.routing = record.failover == config::FailoverRole::kPrimary ? "PRIMARY" : "SECONDARY";
  }
  if (record.policy == config::RoutingPolicy::kLatency && record.region < model.regions.size()) {
    out.routing = model.regions[record.region].name;
  }
  if (record.geolocation) out.routing = dns::GeoLocationText(*record.geolocation);
  if (record.geoproximity) out.routing = dns::GeoProximityText(*record.geoproximity, model);
  if (record.cidr) {
    const auto& collection = model.cidr_collections[record.cidr->collection];
    const std::string location = record.cidr->location ? collection.locations[*record.cidr->location].name : "*";
    out.routing = collection.name + "/" + location;
  }
}

RecordReport DescribeRecord(const config::RecordSet& record, const View& view) {
  RecordReport out;
  const auto& model = *view.model;
  out.name = record.name;
  out.type = RecordTypeName(record.type);
  out.set = record.set;
  DescribeRouting(record, model, out);
  out.health = "-";
  if (record.health_check && *record.health_check < view.health->checks.size()) {
    out.health_check = model.health_checks[*record.health_check].name;
    out.health = HealthText(view.health->checks[*record.health_check].healthy);
  }
  if (record.alias) {
    const auto& alias = *record.alias;
    if (alias.load_balancer) {
      out.alias = "load-balancer " + model.load_balancers[*alias.load_balancer].name;
      const bool known = alias.evaluate_target_health && *alias.load_balancer < view.health->load_balancers.size();
      if (known && out.health != "unhealthy") {
        out.health = HealthText(view.health->load_balancers[*alias.load_balancer].healthy);
      }
    } else {
      out.alias = alias.record;
    }
  }
  return out;
}

void AddZones(const View& view, StatusReport& report) {
  for (const auto& zone : view.model->zones) {
    ZoneReport out;
    out.name = zone->name;
    out.record_count = zone->records.size() + zone->plain_record_count;
    for (const auto& record : zone->records) {
      if (record.is_plain()) continue;
      if (out.records.size() < kRecordsShownMax) {
        out.records.push_back(DescribeRecord(record, view));
      } else {
        ++out.records_omitted;
      }
    }
    report.zones.push_back(std::move(out));
  }
}

void AddOverrides(const Runtime& runtime, StatusReport& report) {
  for (const auto& entry : runtime.health_overrides) {
    report.overrides.push_back({.kind = entry.kind,
                                .group = entry.group,
                                .id = entry.id,
                                .state = std::string(ToString(entry.state)),
                                .weights = {},
                                .since = FormatIso8601(entry.since)});
  }
  for (const auto& shift : runtime.shifts) {
    OverrideReport out;
    out.kind = "weights";
    out.id = shift.weights.load_balancer + "/" + std::to_string(shift.weights.port) + "/" +
             PriorityText(shift.weights.priority);
    for (const auto& [name, weight] : shift.weights.weights) out.weights.push_back({name, weight});
    out.since = FormatIso8601(shift.since);
    report.overrides.push_back(std::move(out));
  }
}

}  // namespace

StatusReport BuildStatusReport(const View& view, const Runtime& runtime, std::string_view version) {
  StatusReport report;
  report.version = version;
  report.revision = view.revision;
  report.file = runtime.file;
  report.loaded_at = FormatIso8601(runtime.loaded_at);
  report.started_at = FormatIso8601(runtime.started);
  report.phase = runtime.draining ? "draining" : runtime.ready ? "serving" : "starting";
  report.workers = runtime.workers;
  report.state_directory = runtime.state_directory;
  report.reloads_refused = runtime.reloads_refused;
  report.last_reload_error = runtime.last_reload_error;
  report.client_connections_max = runtime.client_connections_max;
  report.client_waits = runtime.client_waits;
  report.clients_wait = runtime.clients_wait;
  report.admin = runtime.admin.ToString();
  for (const auto& endpoint : runtime.dns) report.dns.push_back(endpoint.ToString());
  AddLoadBalancers(view, runtime, report);
  AddTargetGroups(view, report);
  AddHealthChecks(view, report);
  AddZones(view, report);
  AddOverrides(runtime, report);
  report.zonal_shift = DescribeZonalShift(view, runtime);
  return report;
}

std::optional<ZonalShiftReport> DescribeZonalShift(const View& view, const Runtime& runtime) {
  if (!runtime.zonal_shift) return std::nullopt;
  const ZonalShift& shift = *runtime.zonal_shift;
  ZonalShiftReport out{.zone = shift.zone,
                       .status = std::string(ToString(shift.status)),
                       .started = FormatIso8601(shift.started),
                       .expires = FormatIso8601(shift.expires),
                       .comment = shift.comment,
                       .load_balancers = {},
                       .survives = !runtime.state_directory.empty()};
  for (const auto& balancer : view.model->load_balancers) {
    const bool there =
        std::ranges::find(balancer.nodes, shift.zone, &config::LoadBalancerNode::zone) != balancer.nodes.end();
    if (there && balancer.attributes.zonal_shift) out.load_balancers.push_back(balancer.name);
  }
  return out;
}

std::string PriorityText(std::uint32_t priority) { return priority == 0 ? "default" : std::to_string(priority); }

std::string_view ToString(config::HealthCheckType type) {
  switch (type) {
    case config::HealthCheckType::kHttp:
      return "HTTP";
    case config::HealthCheckType::kHttps:
      return "HTTPS";
    case config::HealthCheckType::kHttpStrMatch:
      return "HTTP_STR_MATCH";
    case config::HealthCheckType::kHttpsStrMatch:
      return "HTTPS_STR_MATCH";
    case config::HealthCheckType::kTcp:
      return "TCP";
    case config::HealthCheckType::kCalculated:
      return "CALCULATED";
  }
  return "";
}

}  // namespace weir::control
