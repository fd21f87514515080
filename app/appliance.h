#pragma once

#include "app/adoption.h"
#include "app/appliance_events.h"
#include "app/certificate_expiry.h"
#include "app/edited_paths.h"
#include "app/file_watcher.h"
#include "app/health_check_logs.h"
#include "app/signals.h"
#include "app/state_directory.h"
#include "app/worker.h"
#include "config/load.h"
#include "control/admin_server.h"
#include "control/appliance.h"
#include "functions/function_pool.h"
#include "health/engine.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "net/tls_session_cache.h"
#include "proxy/connection_limits.h"
#include "proxy/log/access_log_sink.h"

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
  std::string state_directory = {};          // in the place of that of the configuration; empty: that one
  std::shared_ptr<functions::FunctionPool> functions = {};  // runs those that are programs; null: none is run
  bool watch_files = true;                                  // reload when a file that was read changes
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

// The whole program while it serves: workers, admin API, watched files, signals, and the one way to change anything.
// Each change, the first configuration included, becomes a proposal that Adopt has checked, compiled and published
// (Adoption), or refuses and changes nothing. Thread: control (the one that calls Run), except where control::Appliance
// says any.
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
  // The one function that changes what is served. A refusal leaves everything as it was.
  [[nodiscard]] control::ChangeResult Adopt(Proposal proposal);
  // Of overrides that the candidate cannot apply nothing is left.
  void DropShifts(Candidate& candidate);
  [[nodiscard]] Result<void> MoveAdmin(const config::Admin& admin);
  [[nodiscard]] Result<void> OpenAccessLogs(const config::Model& model);
  // Leaves only those open that the model that serves names.
  void CloseOtherAccessLogs();
  void SetLimits();
  void CarryOut(SocketPlan& plan);
  void NoteLoaded();
  void NoteAccepted(Candidate& candidate);

  [[nodiscard]] control::ChangeResult Make(const control::Change& change);
  [[nodiscard]] control::ChangeResult Make(const control::ReloadChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::DocumentChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::TargetStateChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::CheckStateChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::WeightsChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::ZonalShiftChange& change);
  [[nodiscard]] control::ChangeResult Make(const control::CanaryChange& change);
  [[nodiscard]] control::ChangeResult StartZonalShift(const control::ZonalShiftChange& change);
  [[nodiscard]] control::ChangeResult CancelZonalShift();
  // An override of health that is set becomes a revision; refused, `set_back` puts back what was before.
  [[nodiscard]] control::ChangeResult AdoptOverride(const std::function<void()>& set_back);
  // The override of a target, or with an empty group of a health check, as it was before the change.
  [[nodiscard]] health::AdminState OverrideBefore(std::string_view group, std::string_view id) const;
  // ` author="..."` for a line of the log; empty where nobody said who asks.
  [[nodiscard]] std::string AuthorText() const;

  void NoteRefusal(const control::Refusal& refusal);
  // A file was loaded: says what was edited before and is gone.
  void NoteReplacedEdits();
  // Before the first load, so that nothing that is written meanwhile is missed.
  void StartWatching();
  void WatchFiles(WatchedPaths paths);
  // Certificates, keys and passphrases of the model that serves.
  void WatchCertificates();
  void RenewCertificates();
  // What is due now and then without anybody asking: keys of tickets, certificates that expire.
  void Upkeep();
  // The state directory that the proposal asks for; absent without one.
  using OpenedState = std::expected<std::optional<StateDirectory>, control::Refusal>;
  [[nodiscard]] OpenedState OpenState(const Proposal& proposal) const;
  // Takes it over. At the start the keys of tickets of an earlier run are in it.
  void UseState(std::optional<StateDirectory> state);
  void RestoreTicketKeys();
  // A zonal shift that an earlier run left.
  void RestoreZonalShift();
  // Keeps the one that is under way where it changed, and nothing when there is none; failures as for ticket keys.
  void KeepZonalShift();
  void NoteZonalShift(const control::ZonalShift& shift);
  // The one that is under way is over.
  void EndZonalShift(control::ZonalShiftStatus status, std::string_view why);
  // Ends it when it has expired, or looks again then.
  void AwaitZonalShiftEnd();
  // Ends it when `model`, which is to serve, has nobody to shift.
  void DropZonalShift(const config::Model& model);
  // Keeps the keys of tickets where they changed. What cannot be written is tried again with the next upkeep.
  void KeepTicketKeys();
  // At the start, before anything is compiled: the key of stickiness cookies of an earlier run.
  void RestoreStickinessKey(const Proposal& proposal);
  // Keeps it once cookies are made with it.
  void KeepStickinessKey();
  // Takes `text` into the file of `name`, or takes the file away; false, and told of, when that fails.
  [[nodiscard]] bool Keep(std::string_view name, const std::optional<std::string>& text, std::string_view noun);
  void TellExpiry();
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
  HealthCheckLogs health_check_logs_{access_logs_};
  proxy::ClientCrowd client_crowd_;
  net::TlsSessionCache tls_sessions_;
  Adoption adoption_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<FileWatcher> watcher_;
  std::unique_ptr<FileWatcher> certificate_watcher_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<control::AdminServer> admin_;
  std::vector<std::unique_ptr<control::AdminServer>> retired_admins_;
  net::CallbackTimer sweep_timer_;
  net::CallbackTimer drain_timer_;
  net::CallbackTimer upkeep_timer_;
  net::CallbackTimer zonal_shift_timer_;
  SteadyTime drain_deadline_;
  int interrupts_ = 0;

  std::string author_;                     // of the change that is being made
  EditedPaths edited_paths_;               // since the last load
  std::vector<std::string> loaded_files_;  // by the last load that was accepted
  std::vector<std::string> include_patterns_;
  std::optional<Endpoint> admin_configured_;
  std::optional<StateDirectory> state_;
  std::string kept_ticket_keys_;       // the text that is in it
  bool keeps_stickiness_key_ = false;  // it is in it
  std::string kept_zonal_shift_;       // likewise; empty: none
  CertificateExpiry certificate_expiry_;

  mutable std::mutex runtime_mutex_;
  control::Runtime runtime_;  // guarded by runtime_mutex_; written by the control thread only
};

}  // namespace weir::app
