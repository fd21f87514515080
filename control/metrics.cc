#include "control/metrics.h"

#include "base/counters.h"
#include "control/listener_labels.h"
#include "control/metrics_authentication.h"
#include "control/metrics_cloudwatch.h"
#include "control/metrics_functions.h"
#include "control/metrics_histogram.h"
#include "control/metrics_listener.h"
#include "control/metrics_stickiness.h"
#include "control/metrics_tls.h"
#include "control/metrics_writer.h"
#include "control/metrics_zones.h"
#include "control/status_report.h"
#include "dns/counters.h"
#include "dns/zone/zone_set.h"
#include "health/observation.h"
#include "proxy/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace weir::control {
namespace {

double UnixSeconds(WallTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

bool HasJwtValidation(const config::Rule& rule) {
  return std::ranges::any_of(rule.leading_actions, [](const config::LeadingAction& action) {
    return std::holds_alternative<config::JwtValidationAction>(action);
  });
}

// ---- the appliance itself

void WriteAppliance(MetricsWriter& out, const View& view, const Runtime& runtime, const BuildFacts& build,
                    WallTime now) {
  out.Family("weir_build_info", "gauge", "Always 1; the labels say which build runs.");
  out.Sample({{"version", build.version}, {"commit", build.commit}}, std::uint64_t{1});
  out.Family("weir_start_time_seconds", "gauge", "When the appliance started, Unix time.");
  out.Sample({}, UnixSeconds(runtime.started));
  out.Family("weir_uptime_seconds", "gauge", "How long the appliance has been running.");
  out.Sample({}, std::chrono::duration<double>(now - runtime.started).count());
  out.Family("weir_workers", "gauge", "Worker threads.");
  out.Sample({}, static_cast<std::uint64_t>(runtime.workers));
  out.Family("weir_draining", "gauge", "1 while the appliance finishes what is in flight before it ends.");
  out.Sample({}, std::uint64_t{runtime.draining});
  out.Family("weir_config_revision", "gauge", "Revision of the configuration that serves.");
  out.Sample({}, view.revision);
  out.Family("weir_config_loaded_timestamp_seconds", "gauge", "When the file was last loaded and accepted, Unix time.");
  out.Sample({}, UnixSeconds(runtime.loaded_at));
  out.Family("weir_config_last_reload_successful", "gauge", "1 when the last reload was accepted.");
  out.Sample({}, std::uint64_t{runtime.last_reload_accepted});
  out.Family("weir_config_reloads_total", "counter", "Reloads by result.");
  out.Sample({{"result", "accepted"}}, runtime.reloads_accepted);
  out.Sample({{"result", "refused"}}, runtime.reloads_refused);
  out.Family("weir_overrides", "gauge", "Overrides in force, by kind.");
  std::map<std::string, std::uint64_t> kinds = {{"target", 0}, {"health-check", 0}};
  for (const auto& entry : runtime.health_overrides) ++kinds[entry.kind];
  kinds["weights"] = runtime.shifts.size();
  for (const auto& [kind, count] : kinds) out.Sample({{"kind", kind}}, count);
  out.Family("weir_client_connections_limit", "gauge", "Client connections that may be open at once.");
  out.Sample({}, runtime.client_connections_max);
  out.Family("weir_client_connections_limit_reached_total", "counter",
             "RejectedConnectionCount: how often clients began to wait because as many were connected as may be.");
  out.Sample({}, runtime.client_waits);
  out.Family("weir_clients_waiting", "gauge", "1 while clients wait for one of them to leave.");
  out.Sample({}, std::uint64_t{runtime.clients_wait});
  out.Family("weir_access_log_dropped_lines_total", "counter",
             "Access log lines dropped: disk too slow or not writable.");
  out.Sample({}, runtime.access_log_dropped_lines);
  out.Family("weir_state_write_failures_total", "counter", "Writes to the state directory that failed.");
  out.Sample({}, runtime.state_write_failures);
}

// ---- listeners and rules

void ListenerResponses(MetricsWriter& out, const View& view, std::string_view name, std::string_view help,
                       proxy::ResponseCounters proxy::ListenerCounters::* member) {
  out.Family(name, "counter", help);
  for (const auto& listener : view.routing->listeners()) {
    const auto labels = LabelsOf(*listener);
    for (std::size_t i = 0; i < proxy::kResponseClasses.size(); ++i) {
      const auto value = listener->counters->Sum([&](const auto& c) { return (c.*member).OfClass(i).value(); });
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"class", proxy::kResponseClasses[i]}},
                 value);
    }
  }
}

void WriteHttp2(MetricsWriter& out, const View& view) {
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                          Counter proxy::Http2Counters::* member) {
    ListenerFamily(out, view, name, type, help, [member](const auto& c) { return (c.http2.*member).value(); });
  };
  using proxy::Http2Counters;
  family("weir_listener_http2_connections_total", "counter", "Client connections that spoke HTTP/2.",
         &Http2Counters::connections);
  family("weir_listener_http2_connections_active", "gauge", "Client connections that speak HTTP/2.",
         &Http2Counters::connections_active);
  family("weir_listener_http2_requests_total", "counter", "Requests that came by HTTP/2.", &Http2Counters::requests);
  family("weir_listener_http2_malformed_requests_total", "counter",
         "Requests that were malformed by HTTP/2's own rules: their streams were reset.",
         &Http2Counters::malformed_requests);
  family("weir_listener_http2_goaways_total", "counter", "HTTP/2 connections that were told to go.",
         &Http2Counters::goaways);
  family("weir_listener_http2_connection_errors_total", "counter",
         "HTTP/2 connections that were ended for what their client did.", &Http2Counters::connection_errors);
  out.Family("weir_listener_http2_floods_total", "counter",
             "HTTP/2 connections that were ended because their client asked for too much, by what.");
  for (const auto& listener : view.routing->listeners()) {
    const auto labels = LabelsOf(*listener);
    for (std::size_t i = 0; i < http::kHttp2FloodCount; ++i) {
      const auto value = listener->counters->Sum([i](const auto& c) { return c.http2.floods[i].value(); });
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"flood", ToString(static_cast<http::Http2Flood>(i))}},
                 value);
    }
  }
}

void WriteErrors(MetricsWriter& out, const View& view) {
  out.Family("weir_proxy_errors_total", "counter",
             "HTTP_Redirect_Url_Limit_Exceeded_Count is one of them: exchanges that failed, by whose fault and why.");
  for (const auto& listener : view.routing->listeners()) {
    const auto labels = LabelsOf(*listener);
    for (std::size_t i = 0; i < proxy::kErrorCodeCount; ++i) {
      const auto& traits = proxy::TraitsOf(static_cast<proxy::ErrorCode>(i));
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"source", proxy::ToString(traits.source)},
                  {"reason", traits.reason}},
                 listener->counters->Sum([i](const auto& c) { return c.errors[i].value(); }));
    }
  }
}

// Of the listeners that have such a rule.
void WriteJwtFailures(MetricsWriter& out, const View& view) {
  out.Family("weir_listener_jwt_validation_failures_total", "counter",
             "JWTValidationFailureCount: requests that jwt-validation did not let go on: bad tokens, keys that could "
             "not be had.");
  const auto validates = [](const std::shared_ptr<const config::Rule>& rule) { return HasJwtValidation(*rule); };
  for (const auto& listener : view.routing->listeners()) {
    const config::Listener& config = *listener->listener_config;
    if (!HasJwtValidation(config.default_rule) && std::ranges::none_of(config.rules, validates)) continue;
    const auto labels = LabelsOf(*listener);
    out.Sample({{"load_balancer", labels.load_balancer}, {"listener", labels.listener}},
               listener->counters->Sum([](const auto& c) {
                 std::uint64_t sum = 0;
                 for (std::size_t i = 0; i < proxy::kErrorCodeCount; ++i) {
                   if (proxy::IsJwtFailure(static_cast<proxy::ErrorCode>(i))) sum += c.errors[i].value();
                 }
                 return sum;
               }));
  }
}

void WriteTransforms(MetricsWriter& out, const View& view) {
  out.Family("weir_listener_transforms_total", "counter",
             "Requests that the transforms of their rule changed, or failed at.");
  for (const auto& listener : view.routing->listeners()) {
    const auto transforms = [](const proxy::Rule& rule) { return rule.transforms != nullptr; };
    if (std::ranges::none_of(listener->rules, transforms)) continue;
    const auto labels = LabelsOf(*listener);
    for (std::size_t i = 0; i < proxy::kTransformStatuses; ++i) {
      const auto status = static_cast<proxy::TransformStatus>(i);
      if (status == proxy::TransformStatus::kNone) continue;
      out.Sample({{"load_balancer", labels.load_balancer}, {"listener", labels.listener}, {"status", ToString(status)}},
                 listener->counters->Sum([i](const auto& c) { return c.transforms[i].value(); }));
    }
  }
}

// Of the listeners that expect them.
void WriteProxyHeaders(MetricsWriter& out, const View& view) {
  const auto expects = [](const auto& listener) { return listener->listener_config->attributes.proxy_protocol; };
  out.Family("weir_listener_proxy_headers_total", "counter", "PROXY headers that connections began with.");
  for (const auto& listener : view.routing->listeners()) {
    if (!expects(listener)) continue;
    const auto labels = LabelsOf(*listener);
    for (const std::size_t i : {0U, 1U}) {
      out.Sample(
          {{"load_balancer", labels.load_balancer}, {"listener", labels.listener}, {"version", i == 0 ? "1" : "2"}},
          listener->counters->Sum([i](const auto& c) { return c.proxy_headers[i].value(); }));
    }
  }
  out.Family("weir_listener_proxy_headers_refused_total", "counter",
             "Connections that were closed because they did not begin with a PROXY header of one who may send it.");
  for (const auto& listener : view.routing->listeners()) {
    if (!expects(listener)) continue;
    const auto labels = LabelsOf(*listener);
    for (std::size_t i = 0; i < proxy::kProxyHeaderFaults; ++i) {
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"reason", proxy::ToString(static_cast<proxy::ProxyHeaderFault>(i))}},
                 listener->counters->Sum([i](const auto& c) { return c.proxy_header_faults[i].value(); }));
    }
  }
}

// The last of each bucket that a worker noted at any address.
HistogramExemplars LastExemplars(const proxy::ListenerCountersTable& table) {
  HistogramExemplars out;
  for (std::size_t bucket = 0; bucket < out.size(); ++bucket) {
    std::optional<proxy::Exemplar> last;
    for (const auto& [address, counters] : table.parts()) {
      for (std::size_t worker = 0; worker < counters->size(); ++worker) {
        auto found = (*counters)[worker].exemplars.Read(bucket);
        if (found && (!last || found->time > last->time)) last = std::move(found);
      }
    }
    if (!last) continue;
    out[bucket] = {.trace_id = std::move(last->trace_id),
                   .value = std::chrono::duration<double>(last->duration).count(),
                   .unix_seconds = UnixSeconds(last->time)};
  }
  return out;
}

void WriteListeners(MetricsWriter& out, const View& view) {
  ListenerFamily(out, view, "weir_listener_connections_accepted_total", "counter",
                 "NewConnectionCount: client connections accepted.",
                 [](const auto& c) { return c.connections_accepted.value(); });
  ListenerFamily(out, view, "weir_listener_connections_active", "gauge",
                 "ActiveConnectionCount: client connections open now.",
                 [](const auto& c) { return c.connections_active.value(); });
  ListenerFamily(out, view, "weir_listener_requests_total", "counter", "Requests received.",
                 [](const auto& c) { return c.requests.value(); });
  ListenerFamily(out, view, "weir_listener_received_bytes_total", "counter",
                 "ProcessedBytes, with those sent: bytes received from clients.",
                 [](const auto& c) { return c.bytes_received.value(); });
  ListenerFamily(out, view, "weir_listener_sent_bytes_total", "counter",
                 "ProcessedBytes, with those received: bytes sent to clients.",
                 [](const auto& c) { return c.bytes_sent.value(); });
  WriteHttp2(out, view);
  ListenerFamily(out, view, "weir_listener_desync_requests_total", "counter",
                 "DesyncMitigationMode_NonCompliant_Request_Count: requests that were not compliant with RFC 9112.",
                 [](const auto& c) { return c.desync_requests.value(); });
  ListenerFamily(out, view, "weir_listener_websockets_total", "counter", "WebSocket tunnels opened.",
                 [](const auto& c) { return c.websockets.value(); });
  ListenerFamily(out, view, "weir_listener_websockets_active", "gauge", "WebSocket tunnels open now.",
                 [](const auto& c) { return c.websockets_active.value(); });
  ListenerResponses(out, view, "weir_listener_responses_total", "Responses sent to clients.",
                    &proxy::ListenerCounters::responses);
  ListenerResponses(
      out, view, "weir_listener_generated_responses_total",
      "HTTPCode_ELB_3XX_Count, HTTPCode_ELB_4XX_Count, HTTPCode_ELB_5XX_Count: responses that the load balancer made "
      "itself: errors, redirects, fixed responses.",
      &proxy::ListenerCounters::generated_responses);
  WriteErrors(out, view);
  WriteJwtFailures(out, view);
  WriteTransforms(out, view);
  WriteAuthenticationMetrics(out, view);
  WriteProxyHeaders(out, view);
  WriteTlsMetrics(out, view);
  out.Family("weir_proxy_exchange_duration_seconds", "histogram",
             "First byte of the request to last byte of the response, or to the tunnel that it opens.");
  for (const auto& listener : view.routing->listeners()) {
    const auto labels = LabelsOf(*listener);
    const auto duration = [](const auto& c) -> const LatencyHistogram& { return c.exchange_duration; };
    WriteHistogram(out, {{"load_balancer", labels.load_balancer}, {"listener", labels.listener}},
                   SumHistogram(*listener->counters, duration),
                   out.takes_exemplars() ? LastExemplars(*listener->counters) : HistogramExemplars());
  }
}

void WriteRules(MetricsWriter& out, const View& view) {
  out.Family("weir_rule_requests_total", "counter", "Requests that a rule matched.");
  for (const auto& listener : view.routing->listeners()) {
    const auto labels = LabelsOf(*listener);
    for (const auto& rule : listener->rules) {
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"rule", PriorityText(rule.priority)},
                  {"name", rule.name}},
                 rule.counters->Sum([](const auto& c) { return c.requests.value(); }));
    }
  }
  out.Family("weir_rule_weight", "gauge", "Weight of a target group in a rule's forward action, overrides applied.");
  for (const auto& listener : view.routing->listeners()) {
    const auto labels = LabelsOf(*listener);
    for (const auto& rule : listener->rules) {
      const auto* forward = std::get_if<proxy::Forward>(&rule.action);
      if (forward == nullptr) continue;
      for (const auto& choice : forward->choices) {
        out.Sample({{"load_balancer", labels.load_balancer},
                    {"listener", labels.listener},
                    {"rule", PriorityText(rule.priority)},
                    {"target_group", view.routing->groups()[choice.group].name}},
                   std::uint64_t{choice.weight});
      }
    }
  }
}

// ---- target groups and targets

template <class Read>
void GroupFamily(MetricsWriter& out, const View& view, std::string_view name, std::string_view help, Read read) {
  out.Family(name, "counter", help);
  for (const auto& group : view.routing->groups()) {
    out.Sample({{"target_group", group.name}}, group.counters->Sum(read));
  }
}

constexpr std::array kStates = {health::HealthState::kInitial,   health::HealthState::kHealthy,
                                health::HealthState::kUnhealthy, health::HealthState::kUnused,
                                health::HealthState::kDraining,  health::HealthState::kUnavailable};

// Calls write(group name, group status) for each group that both tables know.
template <class Write>
void ForEachGroup(const View& view, Write write) {
  const auto& routes = view.routing->groups();
  for (std::size_t i = 0; i < routes.size() && i < view.health->groups.size(); ++i) {
    write(routes[i].name, view.health->groups[i]);
  }
}

void WriteGroupHealth(MetricsWriter& out, const View& view) {
  out.Family("weir_target_group_healthy_targets", "gauge", "HealthyHostCount: targets in state healthy.");
  ForEachGroup(view, [&](const auto& name, const auto& status) {
    out.Sample({{"target_group", name}}, std::uint64_t{status.healthy});
  });
  out.Family("weir_target_group_registered_targets", "gauge", "Targets registered, draining ones left out.");
  ForEachGroup(view, [&](const auto& name, const auto& status) {
    out.Sample({{"target_group", name}}, std::uint64_t{status.registered});
  });
  out.Family("weir_target_group_fail_open", "gauge",
             "1 while requests go to every target because too few are healthy.");
  ForEachGroup(view, [&](const auto& name, const auto& status) {
    out.Sample({{"target_group", name}}, std::uint64_t{status.fail_open});
  });
  const auto count_of = [](const health::GroupStatus& status, auto is_one) {
    return static_cast<std::uint64_t>(std::ranges::count_if(
        status.targets, [&](const health::TargetStatus& target) { return is_one(target.anomaly); }));
  };
  out.Family("weir_target_group_anomalous_targets", "gauge",
             "AnomalousHostCount: targets that fail more often than their peers.");
  ForEachGroup(view, [&](const auto& name, const auto& status) {
    out.Sample({{"target_group", name}}, count_of(status, [](const auto& anomaly) { return anomaly.is_anomalous; }));
  });
  out.Family("weir_target_group_mitigated_targets", "gauge",
             "MitigatedHostCount: targets that have less weight because of that.");
  ForEachGroup(view, [&](const auto& name, const auto& status) {
    out.Sample({{"target_group", name}}, count_of(status, [](const auto& anomaly) { return anomaly.is_mitigated(); }));
  });
  out.Family("weir_zone_targets", "gauge",
             "HealthyHostCount, UnHealthyHostCount: targets by availability zone and state.");
  ForEachGroup(view, [&](const auto& name, const auto& status) {
    std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
    for (const auto& target : status.targets) ++counts[{target.zone, std::string(ToString(target.state))}];
    for (const auto& [key, count] : counts) {
      out.Sample({{"target_group", name}, {"zone", key.first}, {"state", key.second}}, count);
    }
  });
}

void WriteGroups(MetricsWriter& out, const View& view) {
  GroupFamily(out, view, "weir_target_group_requests_total", "RequestCount: requests for which a target was chosen.",
              [](const auto& c) { return c.requests.value(); });
  GroupFamily(out, view, "weir_target_group_no_target_total", "Requests answered 503 because no target was there.",
              [](const auto& c) { return c.no_target.value(); });
  GroupFamily(out, view, "weir_target_group_connection_errors_total",
              "TargetConnectionErrorCount: connections to targets that failed.",
              [](const auto& c) { return c.connection_errors.value(); });
  GroupFamily(out, view, "weir_target_group_retries_total", "Requests sent again after a stale pooled connection.",
              [](const auto& c) { return c.retries.value(); });
  GroupFamily(out, view, "weir_target_group_fail_open_requests_total",
              "UnhealthyRoutingRequestCount: requests sent while the group failed open.",
              [](const auto& c) { return c.fail_open_requests.value(); });
  out.Family(
      "weir_target_group_responses_total", "counter",
      "HTTPCode_Target_2XX_Count, HTTPCode_Target_3XX_Count, HTTPCode_Target_4XX_Count, HTTPCode_Target_5XX_Count: "
      "responses that targets sent.");
  for (const auto& group : view.routing->groups()) {
    for (std::size_t i = 0; i < proxy::kResponseClasses.size(); ++i) {
      out.Sample({{"target_group", group.name}, {"class", proxy::kResponseClasses[i]}},
                 group.counters->Sum([&](const auto& c) { return c.responses.OfClass(i).value(); }));
    }
  }
  out.Family("weir_target_group_response_time_seconds", "histogram",
             "TargetResponseTime: request sent to response head received.");
  for (const auto& group : view.routing->groups()) {
    WriteHistogram(out, {{"target_group", group.name}}, SumHistogram(*group.response_times));
  }
  WriteStickinessMetrics(out, view);
  WriteFunctionMetrics(out, view);
  WriteGroupHealth(out, view);
}

// Calls write(group name, target, target's text) for each target.
template <class Write>
void ForEachTarget(const View& view, Write write) {
  ForEachGroup(view, [&](const std::string& name, const health::GroupStatus& status) {
    for (const auto& target : status.targets) write(name, target, target.id());
  });
}

template <class Read>
void TargetFamily(MetricsWriter& out, const View& view, std::string_view name, std::string_view type,
                  std::string_view help, Read read) {
  out.Family(name, type, help);
  ForEachTarget(view, [&](const std::string& group, const health::TargetStatus& target, const std::string& id) {
    if (!target.observations) return;
    const health::TargetObservations& seen = *target.observations;
    out.Sample({{"target_group", group}, {"target", id}, {"zone", target.zone}}, seen.Sum(read));
  });
}

void WriteTargetResponses(MetricsWriter& out, const View& view) {
  using Observation = health::TargetObservation;
  constexpr std::array<std::pair<std::string_view, Counter Observation::*>, 4> kMembers = {
      {{"2xx", &Observation::responses_2xx},
       {"3xx", &Observation::responses_3xx},
       {"4xx", &Observation::responses_4xx},
       {"5xx", &Observation::responses_5xx}}};
  out.Family("weir_target_responses_total", "counter", "Responses of a target by class.");
  ForEachTarget(view, [&](const std::string& group, const health::TargetStatus& target, const std::string& id) {
    if (!target.observations) return;
    const health::TargetObservations& seen = *target.observations;
    for (const auto& [name, member] : kMembers) {
      const auto read = [member](const Observation& o) { return (o.*member).value(); };
      out.Sample({{"target_group", group}, {"target", id}, {"zone", target.zone}, {"class", name}}, seen.Sum(read));
    }
  });
}

void WriteTargets(MetricsWriter& out, const View& view) {
  TargetFamily(out, view, "weir_target_requests_total", "counter", "Requests sent to a target.",
               [](const auto& o) { return o.requests.value(); });
  TargetFamily(out, view, "weir_target_active_requests", "gauge", "Requests that a target is working on now.",
               [](const auto& o) { return o.active_requests.value(); });
  TargetFamily(out, view, "weir_target_connections_opened_total", "counter", "Connections opened to a target.",
               [](const auto& o) { return o.connections_opened.value(); });
  TargetFamily(out, view, "weir_target_connection_errors_total", "counter",
               "Connections refused, reset or timed out before a response.",
               [](const auto& o) { return o.connection_errors.value(); });
  WriteTargetResponses(out, view);
  out.Family("weir_health_target_state", "gauge", "1 for the state a target is in, 0 for every other.");
  ForEachTarget(view, [&](const std::string& group, const health::TargetStatus& target, const std::string& id) {
    for (const auto state : kStates) {
      out.Sample({{"target_group", group}, {"target", id}, {"zone", target.zone}, {"state", ToString(state)}},
                 std::uint64_t{target.state == state});
    }
  });
}

// ---- health checks and load balancers

void WriteHealthChecks(MetricsWriter& out, const View& view, const Runtime& runtime) {
  const auto& checks = view.model->health_checks;
  out.Family("weir_health_check_healthy", "gauge", "1 while records see the DNS health check as healthy.");
  for (std::size_t i = 0; i < checks.size() && i < view.health->checks.size(); ++i) {
    out.Sample({{"health_check", checks[i].name}, {"type", ToString(checks[i].type)}},
               std::uint64_t{view.health->checks[i].healthy});
  }
  const auto& balancers = view.model->load_balancers;
  out.Family("weir_health_load_balancer_healthy", "gauge", "1 while DNS aliases see the load balancer as healthy.");
  for (std::size_t i = 0; i < balancers.size() && i < view.health->load_balancers.size(); ++i) {
    out.Sample({{"load_balancer", balancers[i].name}}, std::uint64_t{view.health->load_balancers[i].healthy});
  }
  out.Family("weir_health_probes_total", "counter", "Health probes by result.");
  out.Sample({{"result", "succeeded"}}, runtime.probes.succeeded);
  out.Sample({{"result", "failed"}}, runtime.probes.failed);
  out.Family("weir_health_probes_sent_total", "counter", "Health probes started.");
  out.Sample({}, runtime.probes.sent);
  out.Family("weir_health_probes_in_flight", "gauge", "Health probes under way now.");
  out.Sample({}, runtime.probes.in_flight);
  out.Family("weir_health_probes_waiting", "gauge", "Health probes that are due but wait for others to end.");
  out.Sample({}, runtime.probes.waiting);
  out.Family("weir_health_transitions_total", "counter", "Changes of state of targets and health checks.");
  out.Sample({}, runtime.probes.transitions);
  out.Family("weir_health_resolutions_failed_total", "counter", "Look-ups of host names that gave no address.");
  out.Sample({}, runtime.probes.resolutions_failed);
}

// ---- DNS

struct TransportName {
  std::string_view name;
  dns::TransportCounters dns::ResponderCounters::* member;
};
constexpr std::array kTransports = {TransportName{"udp", &dns::ResponderCounters::udp},
                                    TransportName{"tcp", &dns::ResponderCounters::tcp}};

void DnsFamily(MetricsWriter& out, const dns::ResponderCountersTable& table, std::string_view name,
               std::string_view help, Counter dns::TransportCounters::* member) {
  out.Family(name, "counter", help);
  for (const auto& transport : kTransports) {
    out.Sample({{"transport", transport.name}},
               table.Sum([&](const auto& c) { return ((c.*transport.member).*member).value(); }));
  }
}

void WriteDnsTransports(MetricsWriter& out, const dns::ResponderCountersTable& table) {
  using Transport = dns::TransportCounters;
  DnsFamily(out, table, "weir_dns_queries_total", "Messages that arrived.", &Transport::queries);
  DnsFamily(out, table, "weir_dns_responses_sent_total", "Messages handed to the system.", &Transport::responses);
  DnsFamily(out, table, "weir_dns_dropped_total", "Messages that were not answered.", &Transport::dropped);
  DnsFamily(out, table, "weir_dns_truncated_total", "Answers with the TC bit.", &Transport::truncated);
  DnsFamily(out, table, "weir_dns_malformed_total", "Queries answered FORMERR.", &Transport::malformed);
  out.Family("weir_dns_responses_total", "counter", "Answers by response code.");
  for (const auto& transport : kTransports) {
    for (std::size_t i = 0; i < dns::kCountedRcodes.size(); ++i) {
      out.Sample({{"transport", transport.name}, {"rcode", dns::kCountedRcodes[i]}},
                 table.Sum([&](const auto& c) { return (c.*transport.member).rcodes[i].value(); }));
    }
  }
  out.Family("weir_dns_questions_total", "counter", "Well-formed questions by record type.");
  for (const auto& transport : kTransports) {
    for (std::size_t i = 0; i < dns::kCountedTypes.size(); ++i) {
      out.Sample({{"transport", transport.name}, {"type", dns::kCountedTypes[i]}},
                 table.Sum([&](const auto& c) { return (c.*transport.member).types[i].value(); }));
    }
  }
  out.Family("weir_dns_tcp_connections_accepted_total", "counter", "DNS connections accepted.");
  out.Sample({}, table.Sum([](const auto& c) { return c.tcp.connections_accepted.value(); }));
  out.Family("weir_dns_tcp_connections_active", "gauge", "DNS connections open now.");
  out.Sample({}, table.Sum([](const auto& c) { return c.tcp.connections_active.value(); }));
}

template <class Read>
void ZoneFamily(MetricsWriter& out, const View& view, std::string_view name, std::string_view help, Read read) {
  out.Family(name, "counter", help);
  for (std::size_t i = 0; i < view.zones->zone_count(); ++i) {
    const dns::ZoneCountersTable& counters = view.zones->zone_counters(i);
    out.Sample({{"zone", view.zones->zone_name(i)}}, counters.Sum(read));
  }
}

void WriteDnsZones(MetricsWriter& out, const View& view) {
  ZoneFamily(out, view, "weir_dns_zone_queries_total", "Queries for names of a zone.",
             [](const auto& c) { return c.queries.value(); });
  ZoneFamily(out, view, "weir_dns_zone_answers_total", "NOERROR answers with at least one record.",
             [](const auto& c) { return c.answers.value(); });
  ZoneFamily(out, view, "weir_dns_zone_no_data_total", "NOERROR answers without a record.",
             [](const auto& c) { return c.no_data.value(); });
  ZoneFamily(out, view, "weir_dns_zone_referrals_total", "Referrals to a delegated zone.",
             [](const auto& c) { return c.referrals.value(); });
  ZoneFamily(out, view, "weir_dns_zone_nxdomain_total", "NXDOMAIN answers.",
             [](const auto& c) { return c.nxdomain.value(); });
}

}  // namespace

MetricsFormat FormatFor(std::string_view accept) {
  const std::size_t open = accept.find("application/openmetrics-text");
  const std::size_t plain = accept.find("text/plain");
  return open < plain ? MetricsFormat::kOpenMetrics : MetricsFormat::kPrometheus;
}

std::string_view ContentTypeOf(MetricsFormat format) {
  return format == MetricsFormat::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string MetricsText(const View& view, const Runtime& runtime, const BuildFacts& build, WallTime now,
                        std::vector<std::string> names, MetricsFormat format) {
  MetricsWriter out(std::move(names), format);
  WriteAppliance(out, view, runtime, build, now);
  WriteListeners(out, view);
  WriteRules(out, view);
  WriteGroups(out, view);
  WriteTargets(out, view);
  WriteCloudWatchMetrics(out, view);
  WriteZones(out, view, runtime);
  WriteHealthChecks(out, view, runtime);
  if (runtime.dns_counters) WriteDnsTransports(out, *runtime.dns_counters);
  WriteDnsZones(out, view);
  return out.Take();
}

}  // namespace weir::control
