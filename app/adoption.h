#pragma once

#include "app/publisher.h"
#include "app/retired_parts.h"
#include "app/socket_table.h"
#include "config/diagnostic.h"
#include "config/document/document.h"
#include "config/model.h"
#include "control/appliance.h"
#include "control/view.h"
#include "dns/counters.h"
#include "dns/zone/zone_set.h"
#include "functions/function_targets.h"
#include "health/engine.h"
#include "net/cookie_cipher.h"
#include "net/key_secret.h"
#include "net/tls_ticket_keys.h"
#include "proxy/counters.h"
#include "proxy/tls/credential_store.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weir::app {

// What is to serve next.
struct Proposal {
  std::shared_ptr<const config::Model> model;
  std::shared_ptr<const config::Document> document;  // what `model` was decoded from
  std::vector<std::string> files;                    // the names that positions refer to
  std::vector<control::ShiftOverride> shifts;
  // An edit leaves the files of `latency` as they were read; a load reads them again.
  bool is_edit = false;
};

// Everything that a proposal becomes before it serves.
struct Candidate {
  control::View view;
  Proposal proposal;  // its model as loaded: a port of 0 is still 0; without the plain records that are compiled
  SocketPlan sockets;
};

// What the system, not the text, does not allow: a port that is taken, a file that cannot be read.
[[nodiscard]] control::Refusal RefusedBySystem(Error error);

// The one way from a model to what serves: compiles and checks it against what serves, and puts it in its place as a
// new revision. Knows what serves, and takes over what did not change. Thread: control.
class Adoption {
 public:
  // `wake`, `on_transition` and `on_check` as in Publisher and health::EngineOptions; `probes_in_flight_max` too.
  struct Options {
    std::size_t workers = 1;
    std::size_t probes_in_flight_max = 0;
    std::function<void()> wake;
    std::function<void(const health::Transition&)> on_transition;
    std::function<void(const health::CheckReport&)> on_check;
    functions::InvokerSource* programs = nullptr;  // of functions that weir runs itself; outlives the adoption
  };
  explicit Adoption(Options options);
  Adoption(const Adoption&) = delete;
  Adoption& operator=(const Adoption&) = delete;

  // Builds everything that `proposal` needs and binds its new sockets. A refusal leaves everything as it was.
  [[nodiscard]] std::expected<Candidate, control::Refusal> Compile(Proposal proposal);
  // Puts the candidate in the place of what serves: as the next revision, once its health is known. Sockets are the
  // caller's to carry out.
  void Publish(const Candidate& candidate);
  // Takes apart what serves no more; true when nothing is left of it.
  bool SweepRetired() { return retired_parts_.Sweep(); }

  // ---- what serves; before the first Publish nothing does and all of it is null or empty

  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  [[nodiscard]] const std::shared_ptr<const config::Model>& model() const { return model_; }
  [[nodiscard]] const std::shared_ptr<const config::Document>& document() const { return document_; }
  [[nodiscard]] const std::vector<std::string>& files() const { return files_; }
  [[nodiscard]] const std::vector<config::Diagnostic>& routing_warnings() const { return routing_warnings_; }
  [[nodiscard]] const std::shared_ptr<const proxy::RoutingTable>& routing() const { return routing_; }
  // What serves already, to be proposed again, with these overrides.
  [[nodiscard]] Proposal Again(std::vector<control::ShiftOverride> shifts) const;

  [[nodiscard]] const Published<control::View>& published() const { return publisher_.published(); }
  [[nodiscard]] net::TlsTicketKeys& ticket_keys() { return ticket_keys_; }
  // What the key of stickiness cookies is made of where the file has no `stickiness-keys`: made at the start, and kept
  // through reloads.
  [[nodiscard]] const net::KeySecret& stickiness_secret() const { return stickiness_secret_; }
  // From the next Compile on that of an earlier run.
  void RestoreStickinessSecret(const net::KeySecret& secret) { stickiness_secret_ = secret; }
  [[nodiscard]] SocketTable& sockets() { return sockets_; }
  [[nodiscard]] health::Engine& engine() { return engine_; }
  [[nodiscard]] const health::Engine& engine() const { return engine_; }
  [[nodiscard]] const dns::CounterRegistry& dns_counters() const { return dns_counters_; }

 private:
  using Zones = std::expected<std::shared_ptr<const dns::ZoneSet>, std::vector<config::Diagnostic>>;
  [[nodiscard]] Zones CompileZones(const Proposal& proposal);
  [[nodiscard]] std::expected<void, control::Refusal> Build(const Zones& zones, Candidate& candidate);

  proxy::CounterRegistry counters_;
  proxy::TlsCredentialStore credentials_;
  net::TlsTicketKeys ticket_keys_;
  net::KeySecret stickiness_secret_ = net::MakeKeySecret();
  dns::CounterRegistry dns_counters_;
  SocketTable sockets_;
  Publisher publisher_;
  functions::FunctionTargets functions_;
  health::Engine engine_;
  RetiredParts retired_parts_;

  std::uint64_t revision_ = 0;
  std::shared_ptr<const config::Model> model_;  // as loaded: a port of 0 is still 0
  std::shared_ptr<const config::Document> document_;
  std::vector<std::string> files_;
  std::shared_ptr<const dns::ZoneSet> zones_;           // compiled from model_
  std::shared_ptr<const proxy::RoutingTable> routing_;  // of the view that was published last
  std::vector<config::Diagnostic> routing_warnings_;
};

}  // namespace weir::app
