#include "app/appliance.h"

#include "app/build_facts.h"
#include "app/descriptor_budget.h"
#include "app/process.h"
#include "base/log.h"
#include "config/findings.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace weir::app {
namespace {

constexpr std::chrono::milliseconds kDrainPoll{20};
// Workers take a new view over within a turn of their loops.
constexpr std::chrono::milliseconds kSweepPoll{100};

control::Refusal RefusedFile(config::Diagnostics diagnostics) {
  return {.kind = control::RefusalKind::kConfiguration, .error = {}, .diagnostics = std::move(diagnostics)};
}

control::Refusal RefusedBySystem(Error error) {
  return {.kind = control::RefusalKind::kConfiguration, .error = std::move(error), .diagnostics = {}};
}

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

// Everything that a model becomes before it serves.
struct RunningAppliance::Compiled {
  control::View view;
  std::shared_ptr<const config::Model> model;  // as loaded: a port of 0 is still 0
  SocketPlan sockets;
};

RunningAppliance::RunningAppliance(ApplianceOptions options)
    : options_(std::move(options)),
      events_(SystemClock()),
      counters_(options_.workers),
      ticket_keys_(SystemClock().WallNow()),
      dns_counters_(options_.workers),
      publisher_([this] {
        for (const auto& worker : workers_) worker->Wake();
      }),
      sockets_(options_.workers),
      engine_({.workers = options_.workers,
               .probes_in_flight_max = ProbesInFlightMax(DescriptorLimit()),
               .resolver_servers = {},
               .on_transition =
                   [this](const health::Transition& transition) {
                     events_.Changed(transition);
                     if (options_.on_transition) options_.on_transition(transition);
                   }},
              [this](std::shared_ptr<const health::StatusTable> table) { publisher_.OnStatus(std::move(table)); }),
      sweep_timer_([this] { SweepRetired(); }),
      drain_timer_([this] { OnDrainTimer(); }),
      ticket_key_timer_([this] { RotateTicketKeys(); }) {
  runtime_.file = options_.name;
  runtime_.started = SystemClock().WallNow();
  runtime_.loaded_at = runtime_.started;
  runtime_.workers = options_.workers;
}

RunningAppliance::~RunningAppliance() = default;

// ---- from a model to what serves

std::expected<RunningAppliance::Compiled, control::Refusal> RunningAppliance::Compile(
    std::shared_ptr<const config::Model> model, const std::vector<std::string>& files,
    const std::vector<control::ShiftOverride>& shifts) {
  std::vector<proxy::WeightOverride> weights;
  for (const auto& shift : shifts) weights.push_back(shift.weights);
  Compiled out;
  out.view.revision = revision_ + 1;
  // What serves already is not compiled again; it has let go of its plain records.
  std::expected<std::shared_ptr<const dns::ZoneSet>, std::vector<config::Diagnostic>> zones = zones_;
  if (!zones_ || model != model_) zones = dns::ZoneSet::Build(model, dns_counters_);
  if (zones) model = (*zones)->shared_model();
  const auto build = [&](std::shared_ptr<const config::Model> bound) -> std::expected<void, control::Refusal> {
    out.view.model = std::move(bound);
    auto routing = proxy::RoutingTable::Build(out.view.model, out.view.revision, weights, counters_, &credentials_);
    config::Diagnostics findings{.files = files, .items = {}};
    if (!routing) config::AddFindings(std::move(routing.error()), findings);
    if (!zones) config::AddFindings(zones.error(), findings);
    if (!findings.items.empty()) return std::unexpected(RefusedFile(std::move(findings)));
    out.view.routing = std::move(*routing);
    out.view.zones = *zones;
    return {};
  };
  // The file is judged before the system is asked for anything.
  if (auto built = build(model); !built) return std::unexpected(built.error());
  auto plan = sockets_.Plan(*model);
  if (!plan) return std::unexpected(RefusedBySystem(plan.error()));
  out.sockets = std::move(*plan);
  const auto bound = WithBoundPorts(model, out.sockets);
  if (bound != model) {
    if (auto built = build(bound); !built) return std::unexpected(built.error());
  }
  out.model = std::move(model);
  return out;
}

control::ChangeResult RunningAppliance::Adopt(std::shared_ptr<const config::Model> model,
                                              const std::vector<std::string>& files,
                                              std::vector<control::ShiftOverride> shifts,
                                              std::shared_ptr<const config::Document> document) {
  auto compiled = Compile(std::move(model), files, shifts);
  if (!compiled) return std::unexpected(compiled.error());
  auto prepared = OpenAccessLogs(*compiled->model);
  if (prepared) prepared = MoveAdmin(compiled->model->admin);
  if (!prepared) {
    CloseOtherAccessLogs();
    return std::unexpected(RefusedBySystem(prepared.error()));
  }
  // Nothing can fail from here on.
  std::erase_if(shifts, [&](const control::ShiftOverride& shift) {
    if (Applies(shift.weights, *compiled->view.routing)) return false;
    LogInfo(fmt::format("override dropped kind=weights rule={}/{}/{} reason=\"the rule or its target groups changed\"",
                        shift.weights.load_balancer, shift.weights.port, shift.weights.priority));
    events_.ShiftDropped(shift);
    return true;
  });
  revision_ = compiled->view.revision;
  model_ = compiled->model;
  if (zones_ != compiled->view.zones) {
    zones_ = compiled->view.zones;
    // What was read and is let go of: hundreds of megabytes that are free, but in the allocator's hands.
    if (zones_->record_count() >= RetiredParts::kRecordsTrimmed) malloc_trim(0);
  }
  files_ = files;
  document_ = std::move(document);
  if (const auto serving = CurrentView()) retired_parts_.Add(*serving, compiled->view);
  loop_.timers().Schedule(sweep_timer_, loop_.now() + kSweepPoll);
  ticket_keys_.Fix(compiled->view.routing->ticket_keys(), SystemClock().WallNow());
  routing_warnings_ = compiled->view.routing->warnings();
  publisher_.Stage(compiled->view);
  engine_.Apply(compiled->view.model, revision_);
  SetLimits();
  CarryOut(compiled->sockets);
  CloseOtherAccessLogs();
  NoteAccepted(compiled->sockets, std::move(shifts));
  return revision_;
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
  for (const auto& balancer : model.load_balancers) {
    if (!balancer.access_log) continue;
    if (auto opened = access_logs_.Open(balancer.access_log->path); !opened) return opened;
  }
  return {};
}

void RunningAppliance::CloseOtherAccessLogs() {
  std::vector<std::string> paths;
  if (model_) {
    for (const auto& balancer : model_->load_balancers) {
      if (balancer.access_log) paths.push_back(balancer.access_log->path);
    }
  }
  access_logs_.CloseOthers(std::move(paths));
}

void RunningAppliance::SetLimits() {
  const auto budget = DivideDescriptors(DescriptorLimit(), options_.workers, *model_);
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
  sockets_.Commit(plan);
}

void RunningAppliance::NoteAccepted(const SocketPlan& plan, std::vector<control::ShiftOverride> shifts) {
  NoteOverrides();
  const std::lock_guard lock(runtime_mutex_);
  runtime_.listeners = plan.listeners;
  runtime_.dns = plan.dns;
  runtime_.admin = admin_->endpoint();
  runtime_.shifts = std::move(shifts);
  runtime_.document = document_;
  runtime_.document_revision = revision_;
}

void RunningAppliance::NoteLoaded() {
  const std::lock_guard lock(runtime_mutex_);
  runtime_.loaded_at = SystemClock().WallNow();
}

void RunningAppliance::NoteOverrides() {
  auto now = engine_.Overrides();
  // Only this thread writes it: reading needs no lock.
  events_.Overridden(runtime_.health_overrides, now);
  const std::lock_guard lock(runtime_mutex_);
  runtime_.health_overrides = std::move(now);
}

void RunningAppliance::NoteRefusal(const control::Refusal& refusal) {
  LogFindings(refusal.diagnostics);
  if (!refusal.error.message.empty()) LogError(FirstFinding(refusal));
  LogError(fmt::format("configuration refused file={} serving_revision={}", options_.name, revision_));
  events_.Refused(revision_, options_.name, FirstFinding(refusal));
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
    workers_.push_back(
        std::make_unique<Worker>(WorkerOptions{.index = i,
                                               .node_region = loaded.model->node.region,
                                               .access_logs = &access_logs_,
                                               .client_crowd = &client_crowd_,
                                               .tls = {.ticket_keys = &ticket_keys_, .session_cache = &tls_sessions_},
                                               .dns_counters = &(*dns_counters_.responders())[i]},
                                 publisher_.published()));
  }
  RotateTicketKeys();
  signals_ = std::make_unique<Signals>(loop_, [this](int number) { OnSignal(number); });
  auto adopted = Adopt(std::move(loaded.model), loaded.diagnostics.files, {}, std::move(loaded.document));
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
  engine_.Stop();
  for (const auto& worker : workers_) worker->Stop();
  return failure;
}

void RunningAppliance::ReportReady() {
  {
    const std::lock_guard lock(runtime_mutex_);
    runtime_.ready = true;
  }
  const auto runtime = CurrentRuntime();
  std::string line =
      fmt::format("ready revision={} workers={} admin={}", revision_, runtime.workers, runtime.admin.ToString());
  for (const auto& listener : runtime.listeners) {
    for (const auto& endpoint : listener.endpoints) {
      line += fmt::format(" listener={}/{}@{}", listener.load_balancer, endpoint.port, endpoint.ToString());
    }
  }
  for (const auto& endpoint : runtime.dns) line += " dns=" + endpoint.ToString();
  LogInfo(line);
  events_.Ready(revision_);
  if (options_.on_ready) options_.on_ready(runtime);
}

void RunningAppliance::StartWatching() {
  if (!options_.watch_files) return;
  watcher_ = std::make_unique<FileWatcher>(loop_, [this] {
    LogInfo("a configuration file changed file=" + options_.name);
    // Findings are logged and kept for status; there is nobody to answer.
    static_cast<void>(Make(control::ReloadChange{}));
  });
  watcher_->NoteState();
  certificate_watcher_ = std::make_unique<FileWatcher>(loop_, [this] { RenewCertificates(); });
  certificate_watcher_->NoteState();
}

void RunningAppliance::WatchFiles(WatchedPaths paths) {
  if (!watcher_) return;
  for (const auto* extra : {&model_->latency.table.text, &model_->latency.geoip.text}) {
    if (!extra->empty()) paths.files.push_back(*extra);
  }
  watcher_->Watch(std::move(paths));
  WatchCertificates();
}

void RunningAppliance::OnSignal(int number) {
  switch (number) {
    case SIGHUP:
      LogInfo("reload asked for by SIGHUP");
      if (!CurrentRuntime().draining) static_cast<void>(Make(control::ReloadChange{}));
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
  if (!retired_parts_.Sweep()) loop_.timers().Schedule(sweep_timer_, loop_.now() + kSweepPoll);
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

std::shared_ptr<const control::View> RunningAppliance::CurrentView() const { return publisher_.published().Load(); }

control::Runtime RunningAppliance::CurrentRuntime() const {
  control::Runtime out;
  {
    const std::lock_guard lock(runtime_mutex_);
    out = runtime_;
  }
  out.probes = engine_.probe_counters();
  out.access_log_dropped_lines = access_logs_.dropped_lines();
  out.client_connections_max = client_crowd_.clients_max();
  out.client_waits = client_crowd_.episodes();
  out.clients_wait = client_crowd_.waiting();
  out.dns_counters = dns_counters_.responders();
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
    done(std::visit([this](const auto& asked) { return Make(asked); }, change));
  });
}

}  // namespace weir::app
