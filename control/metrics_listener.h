#pragma once

#include "control/listener_labels.h"
#include "control/metrics_writer.h"
#include "control/view.h"
#include "proxy/counters.h"
#include "proxy/routing/routing_table.h"

#include <string_view>

namespace weir::control {

// A family with a sample for each listener: what read(its table of counters) gives. Thread: the writer's.
template <class Read>
void ListenerTableFamily(MetricsWriter& out, const View& view, std::string_view name, std::string_view type,
                         std::string_view help, Read read) {
  out.Family(name, type, help);
  for (const auto& listener : view.routing->listeners()) {
    const auto labels = LabelsOf(*listener);
    out.Sample({{"load_balancer", labels.load_balancer}, {"listener", labels.listener}}, read(*listener->counters));
  }
}

// The same, of a counter that read(counters) gives for a worker and an address, summed over all of them.
template <class Read>
void ListenerFamily(MetricsWriter& out, const View& view, std::string_view name, std::string_view type,
                    std::string_view help, Read read) {
  ListenerTableFamily(out, view, name, type, help,
                      [&read](const proxy::ListenerCountersTable& table) { return table.Sum(read); });
}

}  // namespace weir::control
