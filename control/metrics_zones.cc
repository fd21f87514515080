#include "control/metrics_zones.h"

#include "control/metrics_histogram.h"
#include "health/status.h"
#include "proxy/counters.h"
#include "proxy/routing/routing_table.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

namespace weir::control {
namespace {

void WriteNodes(MetricsWriter& out, const View& view) {
  const auto& balancers = view.model->load_balancers;
  const auto node_family = [&](std::string_view name, std::string_view help, bool health::NodeStatus::* member) {
    out.Family(name, "gauge", help);
    for (std::size_t i = 0; i < balancers.size() && i < view.health->load_balancers.size(); ++i) {
      const auto& statuses = view.health->load_balancers[i].nodes;
      for (std::size_t node = 0; node < std::min(balancers[i].nodes.size(), statuses.size()); ++node) {
        out.Sample({{"load_balancer", balancers[i].name}, {"zone", balancers[i].nodes[node].zone}},
                   std::uint64_t{statuses[node].*member});
      }
    }
  };
  node_family("weir_zone_healthy", "1 while enough targets are healthy for the node of a zone to be in DNS.",
              &health::NodeStatus::healthy);
  node_family("weir_zone_answers", "1 while DNS aliases answer the addresses of the node of a zone.",
              &health::NodeStatus::answers);
  node_family("weir_zone_shifted", "1 while a zonal shift leads away from the node of a zone.",
              &health::NodeStatus::shifted);
}

// What came in by nodes: the sum of their addresses at every listener.
class NodeCounters {
 public:
  NodeCounters(MetricsWriter& out, const View& view) : out_(out), view_(view) {}

  template <class Read>
  void Family(std::string_view name, std::string_view type, std::string_view help, Read read) {
    out_.Family(name, type, help);
    ForEachNode([&](const config::LoadBalancer& balancer, const config::LoadBalancerNode& node) {
      out_.Sample({{"load_balancer", balancer.name}, {"zone", node.zone}}, Sum(balancer, node, read));
    });
  }

  void Responses(std::string_view name, std::string_view help,
                 proxy::ResponseCounters proxy::ListenerCounters::* member) {
    out_.Family(name, "counter", help);
    ForEachNode([&](const config::LoadBalancer& balancer, const config::LoadBalancerNode& node) {
      for (std::size_t i = 0; i < proxy::kResponseClasses.size(); ++i) {
        const auto read = [&](const proxy::ListenerCounters& c) { return (c.*member).OfClass(i).value(); };
        out_.Sample({{"load_balancer", balancer.name}, {"zone", node.zone}, {"class", proxy::kResponseClasses[i]}},
                    Sum(balancer, node, read));
      }
    });
  }

 private:
  template <class Write>
  void ForEachNode(Write write) const {
    for (const config::LoadBalancer& balancer : view_.model->load_balancers) {
      for (const config::LoadBalancerNode& node : balancer.nodes) write(balancer, node);
    }
  }
  template <class Read>
  [[nodiscard]] std::uint64_t Sum(const config::LoadBalancer& balancer, const config::LoadBalancerNode& node,
                                  Read read) const {
    std::uint64_t sum = 0;
    for (const auto& listener : view_.routing->listeners()) {
      if (listener->load_balancer != balancer.name) continue;
      for (const IpAddress& address : node.addresses) sum += listener->counters->SumOf(address, read);
    }
    return sum;
  }

  MetricsWriter& out_;
  const View& view_;
};

void WriteNodeCounters(MetricsWriter& out, const View& view) {
  NodeCounters nodes(out, view);
  nodes.Family("weir_zone_connections_accepted_total", "counter",
               "Client connections that the node of a zone accepted.",
               [](const auto& c) { return c.connections_accepted.value(); });
  nodes.Family("weir_zone_connections_active", "gauge", "Those that are open now.",
               [](const auto& c) { return c.connections_active.value(); });
  nodes.Family("weir_zone_tls_failures_total", "counter", "TLS handshakes with clients of the node that failed.",
               [](const auto& c) { return c.tls.Failures(); });
  nodes.Family("weir_zone_requests_total", "counter", "Requests that the node of a zone received.",
               [](const auto& c) { return c.requests.value(); });
  nodes.Family("weir_zone_desync_requests_total", "counter", "Those that were not compliant with RFC 9112.",
               [](const auto& c) { return c.desync_requests.value(); });
  nodes.Family("weir_zone_fail_open_requests_total", "counter", "Those that were sent while their group failed open.",
               [](const auto& c) { return c.fail_open_requests.value(); });
  nodes.Family("weir_zone_received_bytes_total", "counter", "Bytes that the node of a zone received from clients.",
               [](const auto& c) { return c.bytes_received.value(); });
  nodes.Family("weir_zone_sent_bytes_total", "counter", "Bytes that the node of a zone sent to clients.",
               [](const auto& c) { return c.bytes_sent.value(); });
  nodes.Responses("weir_zone_responses_total", "Responses that the node of a zone sent to clients.",
                  &proxy::ListenerCounters::responses);
  nodes.Responses("weir_zone_generated_responses_total", "Those that the load balancer made itself.",
                  &proxy::ListenerCounters::generated_responses);
}

// What nodes use of groups with cross-zone off.
void WriteGroupZones(MetricsWriter& out, const View& view) {
  out.Family("weir_zone_fail_open", "gauge",
             "1 while the node of a zone sends requests to every target of its zone because too few are healthy.");
  const auto& groups = view.model->target_groups;
  for (std::size_t i = 0; i < groups.size() && i < view.health->groups.size(); ++i) {
    const auto& by_zone = view.health->groups[i].by_zone;
    for (std::size_t zone = 0; zone < std::min(groups[i].node_zones.size(), by_zone.size()); ++zone) {
      out.Sample({{"target_group", groups[i].name}, {"zone", groups[i].node_zones[zone]}},
                 std::uint64_t{by_zone[zone].fail_open});
    }
  }
  const auto by_zone = [&](std::string_view name, std::string_view help, auto is_one) {
    out.Family(name, "gauge", help);
    for (std::size_t i = 0; i < groups.size() && i < view.health->groups.size(); ++i) {
      std::map<std::string_view, std::uint64_t> counts;
      for (const health::TargetStatus& target : view.health->groups[i].targets) {
        counts[target.zone] += is_one(target.anomaly) ? 1U : 0U;
      }
      for (const auto& [zone, count] : counts) {
        out.Sample({{"target_group", groups[i].name}, {"zone", zone}}, count);
      }
    }
  };
  by_zone("weir_zone_anomalous_targets", "Targets of a zone that fail more often than their peers.",
          [](const health::Anomaly& anomaly) { return anomaly.is_anomalous; });
  by_zone("weir_zone_mitigated_targets", "Targets of a zone that have less weight because of that.",
          [](const health::Anomaly& anomaly) { return anomaly.is_mitigated(); });
  out.Family("weir_zone_target_response_time_seconds", "histogram",
             "Request sent to response head received, by the zone of the target.");
  for (const proxy::TargetGroupRoute& group : view.routing->groups()) {
    for (const auto& [zone, times] : group.response_times->parts()) {
      if (!zone.empty()) WriteHistogram(out, {{"target_group", group.name}, {"zone", zone}}, SumHistogram(*times));
    }
  }
  out.Family("weir_target_group_shifted_targets", "gauge",
             "ActiveZonalShiftHostCount: targets that a zonal shift leads away from.");
  for (std::size_t i = 0; i < groups.size() && i < view.health->groups.size(); ++i) {
    const auto shifted = std::ranges::count_if(view.health->groups[i].targets, [](const health::TargetStatus& target) {
      return target.zonal_override != health::ZonalOverride::kNone;
    });
    out.Sample({{"target_group", groups[i].name}}, static_cast<std::uint64_t>(shifted));
  }
}

}  // namespace

void WriteZones(MetricsWriter& out, const View& view, const Runtime& runtime) {
  WriteNodes(out, view);
  WriteNodeCounters(out, view);
  WriteGroupZones(out, view);
  out.Family("weir_zonal_shift_expires_timestamp_seconds", "gauge",
             "When the zonal shift that is under way expires, Unix time.");
  if (!runtime.zonal_shift || !runtime.zonal_shift->is_active()) return;
  const auto expires =
      std::chrono::duration_cast<std::chrono::seconds>(runtime.zonal_shift->expires.time_since_epoch());
  out.Sample({{"zone", runtime.zonal_shift->zone}}, static_cast<std::uint64_t>(expires.count()));
}

}  // namespace weir::control
