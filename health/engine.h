#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "config/model.h"
#include "health/status.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weir::health {

struct EngineOptions {
  std::size_t workers = 1;  // how many workers write TargetObservations
  // At most this many probes are in flight; more wait their turn.
  std::size_t probes_in_flight_max = 2'000;
};

// One override as status shows it.
struct Override {
  std::string kind;   // `target` or `health-check`
  std::string group;  // target group name; empty for a health check
  std::string id;     // ADDRESS:PORT, or the health check's name
  AdminState state = AdminState::kMeasured;
  WallTime since;
};

// Probes targets and DNS health checks, resolves the host names of both, keeps their state through reloads by key
// (group, endpoint and check settings; a check's name and settings), and publishes a StatusTable on every change, at
// most ten a second. Owns one thread with an event loop. Thread: control, for every method; callbacks run on the
// engine's thread.
class Engine {
 public:
  using OnStatus = std::function<void(std::shared_ptr<const StatusTable>)>;

  // `on_status` is called with every new table, on the engine's thread; it must not block.
  Engine(EngineOptions options, OnStatus on_status);
  ~Engine();  // Stop()
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes over a configuration: keeps what it knows of targets and checks that stay, starts draining targets that went,
  // starts probing new ones. Returns when the first table of `revision` has been given to `on_status`.
  void Apply(std::shared_ptr<const config::Model> model, std::uint64_t revision);

  // Overrides. They survive Apply as long as what they name exists. Fail when there is no such thing.
  // Return when a table with the override has been given to `on_status`.
  [[nodiscard]] Result<void> SetTargetOverride(const std::string& group, const Endpoint& target, AdminState state);
  [[nodiscard]] Result<void> SetCheckOverride(const std::string& check, AdminState state);
  [[nodiscard]] std::vector<Override> Overrides() const;

  void Stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace weir::health
