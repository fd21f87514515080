#pragma once

#include "base/ip_address.h"
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

// What one demo target is: a colour, and the same port on each loopback address.
struct DemoTarget {
  std::string name;
  std::vector<Endpoint> endpoints;
};

// The small web servers behind `weir demo`: each says who it is. POST /fail makes a target answer 503 to everything,
// health checks included, until POST /recover. One thread for all of them. Thread: control.
class DemoTargets {
 public:
  // `on_change` is told when a target begins to fail or recovers, on the targets' thread; must not block.
  explicit DemoTargets(std::function<void(std::string_view)> on_change);
  ~DemoTargets();
  DemoTargets(const DemoTargets&) = delete;
  DemoTargets& operator=(const DemoTargets&) = delete;

  // Listens on `port` of 127.0.0.1 and, where the machine has it, ::1; on a free port when that one is taken. Before
  // Start.
  [[nodiscard]] Result<DemoTarget> Add(const std::string& name, std::uint16_t port);
  void Start();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace weir::app
