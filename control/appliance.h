#pragma once

// The admin API, metrics and status: what people and programs see of a running appliance, and how they change it. This
// folder reads immutable views; it changes anything only by submitting a Change, which app/ turns into a new model.

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "config/diagnostic.h"
#include "config/load.h"
#include "control/canary.h"
#include "control/event_journal.h"
#include "control/rule_name.h"
#include "control/view.h"
#include "control/zonal_shift.h"
#include "dns/counters.h"
#include "health/engine.h"
#include "health/status.h"
#include "proxy/routing/routing_table.h"

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weir::control {

// ---- what can be changed

// Reads the file again.
struct ReloadChange {};
// Edits the document.
struct DocumentChange {
  std::string patch;   // a JSON Patch (RFC 6902)
  std::string origin;  // of what it brings (`api: PATCH /v1/document`): stands for the file in what is found wrong
};
// Forces one target's state; kMeasured takes the override away.
struct TargetStateChange {
  std::string group;
  Endpoint target;
  health::AdminState state = health::AdminState::kMeasured;
};
// Forces one DNS health check; kMeasured takes the override away. Never kDraining.
struct CheckStateChange {
  std::string check;
  health::AdminState state = health::AdminState::kMeasured;
};
// Replaces the weights of one rule's forward action, exactly its groups; without weights, takes the override away.
struct WeightsChange {
  std::string load_balancer;
  std::uint16_t port = 0;                        // as bound
  std::uint32_t priority = 0;                    // 0: the default rule
  std::string rule_name = {};                    // where not empty, the rule's name instead of its priority
  std::map<std::string, std::uint32_t> weights;  // by target group name, 0-999
  [[nodiscard]] RuleName rule() const { return {load_balancer, port, priority, rule_name}; }
};
// Edits a rule's forward as a stage with a canary (control/canary.h).
struct CanaryChange {
  RuleName rule;
  CanaryStep step;
};
// Starts a zonal shift, or cancels the one that is under way.
struct ZonalShiftChange {
  std::string zone;                    // to lead away from; empty: cancels
  std::chrono::seconds expires_in{0};  // 1 s to kZonalShiftSecondsMax
  std::string comment = {};            // at most kZonalShiftCommentMax
  bool force = false;                  // though a target group has no healthy target elsewhere
};
// The one way to change anything, whoever asks. What is changed is a new revision.
struct Change {
  std::variant<ReloadChange, DocumentChange, TargetStateChange, CheckStateChange, WeightsChange, ZonalShiftChange,
               CanaryChange>
      what;
  std::optional<std::uint64_t> expected = {};  // the revision that it was made for; absent: whichever serves
  std::string author = {};                     // who asks, for the log and the events; empty: nobody said
};

// Why a change was not made. Nothing was changed.
enum class RefusalKind : std::uint8_t {
  kNotFound,       // 404: what it names does not exist
  kInvalid,        // 400: a value is wrong
  kConflict,       // 409: right in itself, but not for what is there now
  kMoved,          // 412: another revision than the expected one serves
  kConfiguration,  // 422: `diagnostics` says what is wrong with the file, or `error` what the system refused
};
struct Refusal {
  RefusalKind kind = RefusalKind::kInvalid;
  Error error;
  config::Diagnostics diagnostics;
};
// The revision that serves now.
using ChangeResult = std::expected<std::uint64_t, Refusal>;

// ---- what is seen besides the View

// Where one listener is bound, in the order of its addresses.
struct BoundListener {
  std::string load_balancer;
  std::uint32_t index = 0;  // of the listener in its load balancer
  std::vector<Endpoint> endpoints;
};

// A weights override and when it was made.
struct ShiftOverride {
  proxy::WeightOverride weights;
  WallTime since;
};

// A copy of what the running appliance knows about itself.
struct Runtime {
  std::string file;  // the configuration file as given; `demo` for the built-in one
  WallTime started;
  WallTime loaded_at;  // when the file was last loaded and accepted; overrides do not count
  std::size_t workers = 0;
  bool ready = false;
  bool draining = false;
  std::uint64_t reloads_accepted = 0;
  std::uint64_t reloads_refused = 0;
  bool last_reload_accepted = true;
  std::string last_reload_error;                     // the first finding; empty when it was accepted
  std::shared_ptr<const config::Document> document;  // what serves, as it is written; of `document_revision`
  std::uint64_t document_revision = 0;
  std::vector<BoundListener> listeners;
  std::vector<Endpoint> dns;
  Endpoint admin;
  std::vector<health::Override> health_overrides;
  std::vector<ShiftOverride> shifts;
  std::optional<ZonalShift> zonal_shift;  // the last one, under way or over; absent: there was none
  health::ProbeCounters probes;
  std::uint64_t access_log_dropped_lines = 0;
  std::uint64_t client_connections_max = 0;  // of all workers together
  std::uint64_t client_waits = 0;            // how often clients began to wait because that many were there
  bool clients_wait = false;                 // now
  std::string state_directory;               // what outlives the program is kept there; empty: nowhere
  std::uint64_t state_write_failures = 0;
  std::shared_ptr<const dns::ResponderCountersTable> dns_counters;  // null when there is no DNS
};

// The running appliance as the admin API sees it. Thread: any, for every method.
class Appliance {
 public:
  // Called once when a change is made or refused, on the control thread; must not block.
  using OnDone = std::function<void(ChangeResult)>;

  virtual ~Appliance() = default;
  // What serves now. Null before the first configuration is published.
  [[nodiscard]] virtual std::shared_ptr<const View> CurrentView() const = 0;
  [[nodiscard]] virtual Runtime CurrentRuntime() const = 0;
  // What it did lately. Lives as long as the appliance.
  [[nodiscard]] virtual const EventJournal& events() const = 0;
  // Asks for a change; it is made on the control thread, one at a time, in the order of the calls.
  virtual void Submit(Change change, OnDone done) = 0;
};

}  // namespace weir::control
