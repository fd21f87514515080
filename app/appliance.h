#pragma once

#include "app/appliance_events.h"
#include "app/file_watcher.h"
#include "app/publisher.h"
#include "app/retired_parts.h"
#include "app/signals.h"
#include "app/socket_table.h"
#include "app/worker.h"
#include "config/load.h"
#include "control/admin_server.h"
#include "control/appliance.h"
#include "dns/counters.h"
#include "dns/zone/zone_set.h"
#include "health/engine.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "net/tls_session_cache.h"
#include "net/tls_ticket_keys.h"
#include "proxy/connection_limits.h"
#include "proxy/counters.h"
#include "proxy/log/access_log_sink.h"
#include "proxy/tls/credential_store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

struct ApplianceOptions {
  std::string name;                          // of the file, or what stands for it
  std::function<config::LoadResult()> load;  // reads the configuration; called at the start and for each reload
  bool watch_files = true;                   // reload when a file that was read changes
  std::size_t workers = 1;
  std::chrono::milliseconds drain_timeout{30'000};
  // Told of each change of health, on the engine's thread; must not block. May be empty.
  std::function<void(const health::Transition&)> on_transition;
  // Told of each accepted change in one sentence, on the control thread. May be empty.
  std::function<void(std::string_view)> on_change;
  // Called once everything is bound and serves, on the control thread. May be empty.
  std::function<void(const control::Runtime&)> on_ready;
};

// Why the appliance did not start.
struct StartFailure {
  config::Diagnostics diagnostics;  // the file is wrong; else
  Error error;                      // the system refused
};

// Prints the failure on standard error and gives the exit code for it.
[[nodiscard]] int ReportStartFailure(const StartFailure& failure);

// The whole program while it serves: workers, health engine, admin API, and the one way to change anything. Each
// change, the first configuration included, becomes a model that Adopt checks, builds and publishes, or refuses and
// changes nothing. Thread: control (the one that calls Run), except where control::Appliance says any.
class RunningAppliance final : public control::Appliance {
 public:
  explicit RunningAppliance(ApplianceOptions options);
  ~RunningAppliance() override;
  RunningAppliance(const RunningAppliance&) = delete;
  RunningAppliance& operator=(const RunningAppliance&) = delete;

  // Loads, binds and serves until SIGTERM or SIGINT has ended it. The failure, when it did not come that far.
  [[nodiscard]] std::optional<StartFailure> Run();

  // ---- control::Appliance, from any thread
  [[nodiscard]] std::shared_ptr<const control::View> CurrentView() const override;
  [[nodiscard]] control::Runtime CurrentRuntime() const override;
  [[nodiscard]] const control::EventJournal& events() const override { return events_.journal(); }
  void Submit(control::Change change, OnDone done) override;

 private:
  // The one function that changes what is served: builds everything that `model` needs, binds new sockets, gives the
  // model to the health engine and publishes. A refusal leaves everything as it was. `files` are the names that
  // positions refer to.
  [[nodiscard]] control::ChangeResult Adopt(std::shared_ptr<const config::Model> model,
                                            const std::vector<std::string>& files,
                                            std::vector<control::ShiftOverride> shifts,
                                            std::shared_ptr<const config::Document> document);
  struct Compiled;
  [[nodiscard]] std::expected<Compiled, control::Refusal> Compile(std::shared_ptr<const config::Model> model,
                                                                  const std::vector<std::string>& files,
                                                                  const std::vector<control::ShiftOverride>& shifts);
  [[nodiscard]] Result<void> MoveAdmin(const config::Admin& admin);
  [[nodiscard]] Result<void> OpenAccessLogs(const config::Model& model);
  // Leaves only those open that the model that serves names.
  void CloseOtherAccessLogs();
  void SetLimits();
  void CarryOut(SocketPlan& plan);
  void NoteLoaded();
  void NoteAccepted(const SocketPlan& plan, std::vector<control::ShiftOverride> shifts);

  [[nodiscard]] control::ChangeResult Make(const control::ReloadChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::DocumentChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::TargetStateChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::CheckStateChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::WeightsChange& change);

  void NoteRefusal(const control::Refusal& refusal);
  // A file was loaded: says what was edited before and is gone.
  void NoteReplacedEdits();
  // Before the first load, so that nothing that is written meanwhile is missed.
  void StartWatching();
  void WatchFiles(WatchedPaths paths);
  // Certificates, keys and passphrases of the model that serves.
  void WatchCertificates();
  void RenewCertificates();
  void RotateTicketKeys();
  // Those of the certificates that serve.
  void LogRoutingWarnings() const;
  void OnSignal(int number);
  void StartDrain();
  void OnDrainTimer();
  void SweepRetired();
  void ReportReady();
  void Tell(const std::string& sentence) const;
  // Takes what the engine knows of overrides into the runtime and the journal.
  void NoteOverrides();

  ApplianceOptions options_;
  ApplianceEvents events_;
  net::EventLoop loop_;  // the control thread's
  proxy::AccessLogSinks access_logs_;
  proxy::ClientCrowd client_crowd_;
  proxy::CounterRegistry counters_;
  proxy::TlsCredentialStore credentials_;
  net::TlsTicketKeys ticket_keys_;
  net::TlsSessionCache tls_sessions_;
  dns::CounterRegistry dns_counters_;
  Publisher publisher_;
  SocketTable sockets_;
  std::vector<std::unique_ptr<Worker>> workers_;
  health::Engine engine_;
  std::unique_ptr<FileWatcher> watcher_;
  std::unique_ptr<FileWatcher> certificate_watcher_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<control::AdminServer> admin_;
  std::vector<std::unique_ptr<control::AdminServer>> retired_admins_;
  RetiredParts retired_parts_;
  net::CallbackTimer sweep_timer_;
  net::CallbackTimer drain_timer_;
  net::CallbackTimer ticket_key_timer_;
  SteadyTime drain_deadline_;
  int interrupts_ = 0;

  std::uint64_t revision_ = 0;
  std::shared_ptr<const config::Model> model_;        // as loaded: a port of 0 is still 0
  std::shared_ptr<const dns::ZoneSet> zones_;         // compiled from model_
  std::shared_ptr<const config::Document> document_;  // what model_ was decoded from
  std::vector<std::string> edited_paths_;             // since the last load
  std::vector<std::string> loaded_files_;             // by the last load that was accepted
  std::vector<config::Diagnostic> routing_warnings_;
  std::vector<std::string> files_;
  std::vector<std::string> include_patterns_;
  std::optional<Endpoint> admin_configured_;

  mutable std::mutex runtime_mutex_;
  control::Runtime runtime_;  // guarded by runtime_mutex_; written by the control thread only
};

}  // namespace weir::app
