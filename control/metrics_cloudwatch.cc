#include "control/metrics_cloudwatch.h"

#include "config/model.h"
#include "control/listener_labels.h"
#include "control/metrics_listener.h"
#include "health/status.h"
#include "proxy/counters.h"
#include "proxy/routing/routing_table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace weir::control {
namespace {

// Those that came in at addresses of IPv6.
template <class Read>
std::uint64_t OfIpv6(const proxy::ListenerCountersTable& counters, Read read) {
  std::uint64_t sum = 0;
  for (const auto& [address, of_address] : counters.parts()) {
    if (!address.is_v4()) sum += of_address->Sum(read);
  }
  return sum;
}

void WriteListenerCounts(MetricsWriter& out, const View& view) {
  using Table = proxy::ListenerCountersTable;
  ListenerTableFamily(
      out, view, "weir_listener_ipv6_requests_total", "counter", "IPv6RequestCount: requests of clients with IPv6.",
      [](const Table& table) { return OfIpv6(table, [](const auto& c) { return c.requests.value(); }); });
  ListenerTableFamily(out, view, "weir_listener_ipv6_bytes_total", "counter",
                      "IPv6ProcessedBytes: bytes from and to clients with IPv6.", [](const Table& table) {
                        return OfIpv6(table,
                                      [](const auto& c) { return c.bytes_received.value() + c.bytes_sent.value(); });
                      });
  ListenerFamily(out, view, "weir_listener_rule_evaluations_total", "counter",
                 "RuleEvaluations: rules up to the one that matched, the default rule not counted.",
                 [](const auto& c) { return c.rule_evaluations.value(); });
  ListenerFamily(out, view, "weir_listener_fixed_responses_total", "counter",
                 "HTTP_Fixed_Response_Count: requests answered by a fixed-response action.",
                 [](const auto& c) { return c.fixed_responses.value(); });
  ListenerFamily(out, view, "weir_listener_redirects_total", "counter",
                 "HTTP_Redirect_Count: requests answered by a redirect action.",
                 [](const auto& c) { return c.redirects.value(); });
}

void WriteInvalidFieldNames(MetricsWriter& out, const View& view) {
  constexpr std::array<std::pair<std::string_view, Counter proxy::ListenerCounters::*>, 2> kActions = {
      {{"forwarded", &proxy::ListenerCounters::forwarded_invalid_field_names},
       {"dropped", &proxy::ListenerCounters::dropped_invalid_field_names}}};
  out.Family("weir_listener_invalid_header_requests_total", "counter",
             "ForwardedInvalidHeaderRequestCount, DroppedInvalidHeaderRequestCount: requests with a field name that is "
             "not of letters, digits and hyphens, by what became of the field.");
  for (const auto& listener : view.routing->listeners()) {
    const auto labels = LabelsOf(*listener);
    for (const auto& [action, member] : kActions) {
      out.Sample({{"load_balancer", labels.load_balancer}, {"listener", labels.listener}, {"action", action}},
                 listener->counters->Sum([member](const auto& c) { return (c.*member).value(); }));
    }
  }
}

void WriteServerErrors(MetricsWriter& out, const View& view) {
  out.Family(
      "weir_listener_generated_errors_total", "counter",
      "HTTPCode_ELB_500_Count, HTTPCode_ELB_502_Count, HTTPCode_ELB_503_Count, HTTPCode_ELB_504_Count: responses "
      "that the load balancer made itself, by the status.");
  for (const auto& listener : view.routing->listeners()) {
    const auto labels = LabelsOf(*listener);
    for (std::size_t i = 0; i < proxy::kCountedServerErrors.size(); ++i) {
      out.Sample({{"load_balancer", labels.load_balancer},
                  {"listener", labels.listener},
                  {"code", proxy::kCountedServerErrors[i].second}},
                 listener->counters->Sum([i](const auto& c) { return c.server_errors[i].value(); }));
    }
  }
}

void WriteGrpcRequests(MetricsWriter& out, const View& view) {
  out.Family("weir_target_group_grpc_requests_total", "counter",
             "GrpcRequestCount: requests of gRPC for which a target was chosen.");
  for (const auto& group : view.routing->groups()) {
    if (group.config->protocol_version != config::TargetProtocolVersion::kGrpc) continue;
    out.Sample({{"target_group", group.name}},
               group.counters->Sum([](const auto& counters) { return counters.grpc_requests.value(); }));
  }
}

// In how many zones enough targets are healthy, for DNS and for routing. A group whose targets are used across zones
// has one state everywhere, and counts as one zone.
void WriteGroupStates(MetricsWriter& out, const View& view) {
  out.Family("weir_target_group_zones", "gauge",
             "HealthyStateDNS, UnhealthyStateDNS, HealthyStateRouting, UnhealthyStateRouting: zones in which enough "
             "targets are healthy for what is required, and in which not.");
  const auto& routes = view.routing->groups();
  for (std::size_t i = 0; i < routes.size() && i < view.health->groups.size(); ++i) {
    if (!routes[i].config->in_use) continue;  // nothing is asked of its health
    const health::GroupStatus& group = view.health->groups[i];
    const auto zones = group.by_zone.empty() ? std::span(&group, 1) : std::span(group.by_zone);
    std::array<std::uint64_t, 2> dns = {};
    std::array<std::uint64_t, 2> routing = {};
    for (const health::GroupStatus& zone : zones) {
      ++dns[zone.healthy_for_dns ? 0 : 1];
      ++routing[zone.fail_open || zone.routable.empty() ? 1 : 0];
    }
    for (const auto& [requirement, counts] : {std::pair("dns", dns), std::pair("routing", routing)}) {
      out.Sample({{"target_group", routes[i].name}, {"requirement", requirement}, {"state", "healthy"}}, counts[0]);
      out.Sample({{"target_group", routes[i].name}, {"requirement", requirement}, {"state", "unhealthy"}}, counts[1]);
    }
  }
}

}  // namespace

void WriteCloudWatchMetrics(MetricsWriter& out, const View& view) {
  WriteListenerCounts(out, view);
  WriteInvalidFieldNames(out, view);
  WriteServerErrors(out, view);
  WriteGrpcRequests(out, view);
  WriteGroupStates(out, view);
}

}  // namespace weir::control
