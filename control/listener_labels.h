#pragma once

#include "proxy/routing/routing_table.h"

#include <string>

namespace weir::control {

// What labels a listener: its load balancer and its port. Valid as long as the listener is. Thread: any.
struct ListenerLabels {
  const std::string& load_balancer;
  std::string listener;
};
[[nodiscard]] inline ListenerLabels LabelsOf(const proxy::Listener& listener) {
  return {listener.load_balancer, std::to_string(listener.port)};
}

}  // namespace weir::control
