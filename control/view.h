#pragma once

#include "config/model.h"
#include "health/status.h"
#include "proxy/routing/routing_table.h"

#include <cstdint>
#include <memory>

namespace weir::dns {
class ZoneSet;
}

namespace weir::control {

// Everything that serves one moment: a configuration revision and the health that belongs to it. Immutable and replaced
// whole; workers and the admin API read the same object. A port of 0 in the file has become the bound port in `model`.
// Nothing is null. Thread: any (const).
struct View {
  std::uint64_t revision = 0;
  std::shared_ptr<const config::Model> model;
  std::shared_ptr<const proxy::RoutingTable> routing;
  std::shared_ptr<const dns::ZoneSet> zones;
  std::shared_ptr<const health::StatusTable> health;
};

}  // namespace weir::control
