#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "config/model.h"
#include "functions/function_targets.h"
#include "health/check_state.h"
#include "health/status.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weir::net {
struct TlsClientPlan;
}

namespace weir::health {

// One change of what others see: of a target's state (override applied) or of a DNS health check.
struct Transition {
  std::string group;   // target group name; empty for a health check
  std::string id;      // ADDRESS:PORT, or the health check's name
  std::string from;    // `initial`, `healthy` ...
  std::string to;      // the same words
  std::string reason;  // `Target.Timeout`, `override`, `registered` ...; may be empty
  std::string seen;    // what the deciding probe saw: `HTTP 200`, `connection refused`; may be empty
  WallTime time;
};

// One check of a target that has an answer, or none in time. Valid during the call that reports it.
struct CheckReport {
  const config::TargetGroup& group;
  Endpoint target;  // as registered; of a function nothing
  const ProbeResult& result;
  std::chrono::nanoseconds latency;  // from its start to the verdict
  WallTime time;                     // of the verdict
};

// Totals since the engine was made.
struct ProbeCounters {
  std::uint64_t sent = 0;       // probes started
  std::uint64_t succeeded = 0;  // probes that passed
  std::uint64_t failed = 0;     // probes that failed, whatever the cause
  std::uint64_t in_flight = 0;  // now
  std::uint64_t waiting = 0;    // now: due, but probes_in_flight_max was reached
  std::uint64_t transitions = 0;
  std::uint64_t resolutions_failed = 0;  // look-ups of host names that gave no address
};

struct EngineOptions {
  std::size_t workers = 1;  // how many workers write TargetObservations
  // At most this many probes are in flight; more wait their turn, first come first served.
  std::size_t probes_in_flight_max = 2'000;
  // Name servers to ask instead of those of the system. For tests.
  std::vector<Endpoint> resolver_servers = {};
  // Called for each transition, on the engine's thread, before the table that shows it is published; must not block.
  // May be empty.
  std::function<void(const Transition&)> on_transition = {};
  // Called for each check of a target, on the engine's thread; must not block. May be empty.
  std::function<void(const CheckReport&)> on_check = {};
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
// most ten a second. Owns one thread with an event loop. Thread: control, for every method, and never the engine's own
// (a callback that calls Apply would wait for itself); callbacks run on the engine's thread.
class Engine {
 public:
  using OnStatus = std::function<void(std::shared_ptr<const StatusTable>)>;

  // `on_status` is called with every new table, on the engine's thread; it must not block.
  Engine(EngineOptions options, OnStatus on_status);
  ~Engine();  // Stop()
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes over a configuration: keeps what it knows of targets and checks that stay, starts draining targets that went,
  // starts probing new ones. `target_tls` says, by target group, how checks by HTTPS connect; where there is none, any
  // server will do. Returns when the first table of `revision` has been given to `on_status`.
  using TargetTls = std::vector<std::shared_ptr<const net::TlsClientPlan>>;
  // `functions` are what groups of functions are checked by; where there is none, those are not checked.
  void Apply(std::shared_ptr<const config::Model> model, std::uint64_t revision, const TargetTls& target_tls = {},
             const functions::FunctionTargetList& functions = {});

  // Overrides. They survive Apply as long as what they name exists. Fail when there is no such thing.
  // Return when a table with the override has been given to `on_status`.
  [[nodiscard]] Result<void> SetTargetOverride(const std::string& group, const Endpoint& target, AdminState state);
  [[nodiscard]] Result<void> SetCheckOverride(const std::string& check, AdminState state);
  [[nodiscard]] std::vector<Override> Overrides() const;

  // Leads new requests away from this availability zone, as far as load balancers let theirs be shifted; empty: from
  // none. Survives Apply. Returns when a table that obeys has been given to `on_status`, at once before the first one.
  void ShiftAwayFrom(const std::string& zone);

  // Thread: any.
  [[nodiscard]] ProbeCounters probe_counters() const;

  // Ends every probe and the thread. Afterwards Apply does nothing and overrides fail.
  void Stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace weir::health
