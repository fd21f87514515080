#include "app/appliance.h"

#include "app/build_facts.h"
#include "app/descriptor_budget.h"
#include "app/process.h"
#include "base/log.h"
#include "config/forwarding.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace weir::app {
namespace {

constexpr std::chrono::milliseconds kDrainPoll{20};
// Workers take a new view over within a turn of their loops.
constexpr std::chrono::milliseconds kSweepPoll{100};

// What a refusal comes down to in one line.
std::string FirstFinding(const control::Refusal& refusal) {
  for (const auto& item : refusal.diagnostics.items) {
    if (item.severity == config::Severity::kError) return refusal.diagnostics.Format(item);
  }
  return refusal.error.hint.empty() ? refusal.error.message : refusal.error.message + "; " + refusal.error.hint;
}

void LogFindings(const config::Diagnostics& diagnostics) {
  for (const auto& item : diagnostics.items) {
    if (item.severity == config::Severity::kError) {
      LogError(diagnostics.Format(item));
    } else {
      LogWarning(diagnostics.Format(item));
    }
  }
}

// True when the table applied the override to the rule that it names.
bool Applies(const proxy::WeightOverride& weights, const proxy::RoutingTable& table) {
  return std::ranges::any_of(table.listeners(), [&](const auto& listener) {
    if (listener->load_balancer != weights.load_balancer || listener->port != weights.port) return false;
    return std::ranges::any_of(listener->rules, [&](const proxy::Rule& rule) {
      return rule.priority == weights.priority && rule.weights_overridden;
    });
  });
}

}  // namespace

RunningAppliance::RunningAppliance(ApplianceOptions options)
    : options_(std::move(options)),
      events_(SystemClock()),
      adoption_({.workers = options_.workers,
                 .probes_in_flight_max = ProbesInFlightMax(DescriptorLimit()),
                 .wake =
                     [this] {
                       for (const auto& worker : workers_) worker->Wake();
                     },
                 .on_transition =
                     [this](const health::Transition& transition) {
                       events_.Changed(transition);
                       if (options_.on_transition) options_.on_transition(transition);
                     },
                 .on_check = [this](const health::CheckReport& report) { health_check_logs_.Write(report); },
                 .programs = options_.functions.get()}),
      sweep_timer_([this] { SweepRetired(); }),
      drain_timer_([this] { OnDrainTimer(); }),
      upkeep_timer_([this] { Upkeep(); }),
      zonal_shift_timer_([this] { AwaitZonalShiftEnd(); }) {
  runtime_.file = options_.name;
  runtime_.started = SystemClock().WallNow();
  runtime_.loaded_at = runtime_.started;
  runtime_.workers = options_.workers;
}

// The engine wakes workers: its thread ends before they do.
RunningAppliance::~RunningAppliance() { adoption_.engine().Stop(); }

// ---- from a proposal to what serves

control::ChangeResult RunningAppliance::Adopt(Proposal proposal) {
  if (adoption_.revision() == 0) RestoreStickinessKey(proposal);
  auto candidate = adoption_.Compile(std::move(proposal));
  if (!candidate) return std::unexpected(std::move(candidate.error()));
  const config::Model& model = *candidate->proposal.model;
  auto state = OpenState(candidate->proposal);
  if (!state) return std::unexpected(std::move(state.error()));
  auto prepared = OpenAccessLogs(model);
  if (prepared) prepared = MoveAdmin(model.admin);
  if (!prepared) {
    CloseOtherAccessLogs();
    return std::unexpected(RefusedBySystem(prepared.error()));
  }
  // Nothing can fail from here on.
  DropShifts(*candidate);
  UseState(std::move(*state));
  DropZonalShift(model);
  health_check_logs_.Use(model);
  adoption_.Publish(*candidate);
  KeepTicketKeys();
  KeepStickinessKey();
  KeepZonalShift();
  loop_.timers().Schedule(sweep_timer_, loop_.now() + kSweepPoll);
  SetLimits();
  CarryOut(candidate->sockets);
  CloseOtherAccessLogs();
  NoteAccepted(*candidate);
  TellExpiry();
  return adoption_.revision();
}

void RunningAppliance::DropShifts(Candidate& candidate) {
  std::erase_if(candidate.proposal.shifts, [&](const control::ShiftOverride& shift) {
    if (Applies(shift.weights, *candidate.view.routing)) return false;
    LogInfo(fmt::format("override dropped kind=weights rule={}/{}/{} reason=\"the rule or its target groups changed\"",
                        shift.weights.load_balancer, shift.weights.port, shift.weights.priority));
    events_.ShiftDropped(shift);
    return true;
  });
}

Result<void> RunningAppliance::MoveAdmin(const config::Admin& admin) {
  const Endpoint wanted{admin.address, admin.port};
  if (admin_configured_ == wanted) return {};
  auto started = control::AdminServer::Start(wanted, *this, ThisBuild(), AdminConnectionsMax(DescriptorLimit()));
  if (!started) return std::unexpected(started.error());
  if (admin_) {
    // The request that asked for this may be one of its own: it is still answered.
    admin_->Retire();
    retired_admins_.push_back(std::move(admin_));
  }
  admin_ = std::move(*started);
  admin_configured_ = wanted;
  return {};
}

Result<void> RunningAppliance::OpenAccessLogs(const config::Model& model) {
  Result<void> opened;
  for (const auto& balancer : model.load_balancers) {
    config::EachLog(balancer, [&](const config::LogFile& log, std::string_view noun) {
      if (opened) opened = access_logs_.Open(log.path, noun);
    });
  }
  return opened;
}

void RunningAppliance::CloseOtherAccessLogs() {
  proxy::AccessLogSinks::Kept kept;
  if (adoption_.model()) {
    for (const auto& balancer : adoption_.model()->load_balancers) {
      config::EachLog(balancer, [&](const config::LogFile& log, std::string_view /*noun*/) {
        kept.emplace(log.path, log.rotation);
      });
    }
  }
  access_logs_.CloseOthers(std::move(kept));
}

void RunningAppliance::SetLimits() {
  const auto budget = DivideDescriptors(DescriptorLimit(), options_.workers, *adoption_.model());
  client_crowd_.SetLimit(budget.per_worker.clients * options_.workers, budget.limit);
  for (const auto& worker : workers_) worker->SetLimits(budget.per_worker, budget.dns_connections);
}

void RunningAppliance::CarryOut(SocketPlan& plan) {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    for (const auto& bound : plan.listeners_removed) workers_[i]->RemoveListener(bound);
    for (auto& added : plan.listeners_added) {
      workers_[i]->AddListener(added.key, added.bound, std::move(added.per_worker[i]));
    }
    for (const auto& bound : plan.dns_removed) workers_[i]->RemoveDns(bound);
    for (auto& added : plan.dns_added) {
      workers_[i]->AddDns(added.bound, std::move(added.udp[i]), std::move(added.tcp[i]));
    }
  }
  for (const auto& bound : plan.listeners_removed) LogInfo("listener removed address=" + bound.ToString());
  adoption_.sockets().Commit(plan);
}

void RunningAppliance::NoteAccepted(Candidate& candidate) {
  NoteOverrides();
  const std::lock_guard lock(runtime_mutex_);
  runtime_.listeners = candidate.sockets.listeners;
  runtime_.dns = candidate.sockets.dns;
  runtime_.admin = admin_->endpoint();
  runtime_.shifts = std::move(candidate.proposal.shifts);
  runtime_.document = adoption_.document();
  runtime_.document_revision = adoption_.revision();
}

void RunningAppliance::NoteLoaded() {
  const std::lock_guard lock(runtime_mutex_);
  runtime_.loaded_at = SystemClock().WallNow();
}

void RunningAppliance::NoteOverrides() {
  auto now = adoption_.engine().Overrides();
  // Only this thread writes it: reading needs no lock.
  events_.Overridden(runtime_.health_overrides, now, author_);
  const std::lock_guard lock(runtime_mutex_);
  runtime_.health_overrides = std::move(now);
}

void RunningAppliance::NoteRefusal(const control::Refusal& refusal) {
  LogFindings(refusal.diagnostics);
  if (!refusal.error.message.empty()) LogError(FirstFinding(refusal));
  LogError(fmt::format("configuration refused file={} serving_revision={}", options_.name, adoption_.revision()));
  events_.Refused(adoption_.revision(), options_.name, FirstFinding(refusal));
  const std::lock_guard lock(runtime_mutex_);
  ++runtime_.reloads_refused;
  runtime_.last_reload_accepted = false;
  runtime_.last_reload_error = FirstFinding(refusal);
}

// ---- life

std::optional<StartFailure> RunningAppliance::Run() {
  StartWatching();
  auto loaded = options_.load();
  if (!loaded.model) return StartFailure{.diagnostics = std::move(loaded.diagnostics), .error = {}};
  LogFindings(loaded.diagnostics);
  for (std::size_t i = 0; i < options_.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(
        WorkerOptions{.index = i,
                      .node_region = loaded.model->node.region,
                      .access_logs = &access_logs_,
                      .client_crowd = &client_crowd_,
                      .tls = {.ticket_keys = &adoption_.ticket_keys(), .session_cache = &tls_sessions_},
                      .dns_counters = &(*adoption_.dns_counters().responders())[i]},
        adoption_.published()));
  }
  Upkeep();
  signals_ = std::make_unique<Signals>(loop_, [this](int number) { OnSignal(number); });
  auto adopted = Adopt({.model = std::move(loaded.model),
                        .document = std::move(loaded.document),
                        .files = loaded.diagnostics.files,
                        .shifts = {}});
  std::optional<StartFailure> failure;
  if (adopted) {
    NoteLoaded();
    include_patterns_ = loaded.include_patterns;
    loaded_files_ = loaded.diagnostics.files;
    WatchFiles({.files = loaded.diagnostics.files, .patterns = loaded.include_patterns});
    LogRoutingWarnings();
    ReportReady();
    LowerThreadPriority();
    loop_.Run();
  } else {
    failure = {.diagnostics = std::move(adopted.error().diagnostics), .error = std::move(adopted.error().error)};
  }
  if (admin_) admin_->Stop();
  retired_admins_.clear();
  adoption_.engine().Stop();
  for (const auto& worker : workers_) worker->Stop();
  // Nobody invokes any more, and the loops that wait for results are still there.
  if (options_.functions) options_.functions->Stop();
  return failure;
}

void RunningAppliance::ReportReady() {
  {
    const std::lock_guard lock(runtime_mutex_);
    runtime_.ready = true;
  }
  const auto runtime = CurrentRuntime();
  std::string line = fmt::format("ready revision={} workers={} admin={}", adoption_.revision(), runtime.workers,
                                 runtime.admin.ToString());
  for (const auto& listener : runtime.listeners) {
    for (const auto& endpoint : listener.endpoints) {
      line += fmt::format(" listener={}/{}@{}", listener.load_balancer, endpoint.port, endpoint.ToString());
    }
  }
  for (const auto& endpoint : runtime.dns) line += " dns=" + endpoint.ToString();
  LogInfo(line);
  events_.Ready(adoption_.revision());
  if (options_.on_ready) options_.on_ready(runtime);
}

void RunningAppliance::StartWatching() {
  if (!options_.watch_files) return;
  watcher_ = std::make_unique<FileWatcher>(loop_, [this] {
    LogInfo("a configuration file changed file=" + options_.name);
    // Findings are logged and kept for status; there is nobody to answer.
    static_cast<void>(Make({.what = control::ReloadChange{}}));
  });
  watcher_->NoteState();
  certificate_watcher_ = std::make_unique<FileWatcher>(loop_, [this] { RenewCertificates(); });
  certificate_watcher_->NoteState();
}

void RunningAppliance::WatchFiles(WatchedPaths paths) {
  if (!watcher_) return;
  for (const auto* extra : {&adoption_.model()->latency.table.text, &adoption_.model()->latency.geoip.text}) {
    if (!extra->empty()) paths.files.push_back(*extra);
  }
  watcher_->Watch(std::move(paths));
  WatchCertificates();
}

void RunningAppliance::OnSignal(int number) {
  switch (number) {
    case SIGHUP:
      LogInfo("reload asked for by SIGHUP");
      if (!CurrentRuntime().draining) static_cast<void>(Make({.what = control::ReloadChange{}}));
      return;
    case SIGUSR1:
      LogInfo("access logs are reopened");
      access_logs_.Reopen();
      return;
    case SIGINT:
      if (++interrupts_ > 1) {
        LogInfo("stopped at once");
        loop_.Stop();
        return;
      }
      [[fallthrough]];
    default:
      StartDrain();
  }
}

void RunningAppliance::StartDrain() {
  {
    const std::lock_guard lock(runtime_mutex_);
    if (std::exchange(runtime_.draining, true)) return;
  }
  LogInfo(fmt::format("draining timeout_seconds={}",
                      std::chrono::duration_cast<std::chrono::seconds>(options_.drain_timeout).count()));
  events_.Draining();
  watcher_.reset();
  certificate_watcher_.reset();
  client_crowd_.FallSilent();
  for (const auto& worker : workers_) worker->Drain();
  drain_deadline_ = loop_.now() + options_.drain_timeout;
  loop_.timers().Schedule(drain_timer_, loop_.now() + kDrainPoll);
}

void RunningAppliance::SweepRetired() {
  if (!adoption_.SweepRetired()) loop_.timers().Schedule(sweep_timer_, loop_.now() + kSweepPoll);
}

void RunningAppliance::OnDrainTimer() {
  const bool idle = std::ranges::all_of(workers_, [](const auto& worker) { return worker->idle(); });
  if (!idle && loop_.now() < drain_deadline_) {
    loop_.timers().Schedule(drain_timer_, loop_.now() + kDrainPoll);
    return;
  }
  LogInfo(idle ? "drained" : "the drain timeout has passed, the rest is closed");
  loop_.Stop();
}

// ---- from any thread

std::shared_ptr<const control::View> RunningAppliance::CurrentView() const { return adoption_.published().Load(); }

control::Runtime RunningAppliance::CurrentRuntime() const {
  control::Runtime out;
  {
    const std::lock_guard lock(runtime_mutex_);
    out = runtime_;
  }
  out.probes = adoption_.engine().probe_counters();
  out.access_log_dropped_lines = access_logs_.dropped_lines();
  out.client_connections_max = client_crowd_.clients_max();
  out.client_waits = client_crowd_.episodes();
  out.clients_wait = client_crowd_.waiting();
  out.dns_counters = adoption_.dns_counters().responders();
  return out;
}

void RunningAppliance::Submit(control::Change change, OnDone done) {
  loop_.Post([this, change = std::move(change), done = std::move(done)] {
    if (CurrentRuntime().draining) {
      done(std::unexpected(control::Refusal{.kind = control::RefusalKind::kConflict,
                                            .error = {"the appliance is draining", "nothing can be changed any more"},
                                            .diagnostics = {}}));
      return;
    }
    done(Make(change));
  });
}

}  // namespace weir::app
