#include "app/adoption.h"

#include "base/clock.h"
#include "config/findings.h"

#include <malloc.h>

#include <utility>

namespace weir::app {
namespace {

control::Refusal RefusedFile(config::Diagnostics diagnostics) {
  return {.kind = control::RefusalKind::kConfiguration, .error = {}, .diagnostics = std::move(diagnostics)};
}

// By target group.
health::Engine::TargetTls TargetTlsOf(const proxy::RoutingTable& table) {
  health::Engine::TargetTls out;
  for (const auto& group : table.groups()) out.push_back(group.tls);
  return out;
}

// By target group.
functions::FunctionTargetList FunctionsOf(const proxy::RoutingTable& table) {
  functions::FunctionTargetList out;
  for (const auto& group : table.groups()) out.push_back(group.function == nullptr ? nullptr : group.function->target);
  return out;
}

}  // namespace

control::Refusal RefusedBySystem(Error error) {
  return {.kind = control::RefusalKind::kConfiguration, .error = std::move(error), .diagnostics = {}};
}

Adoption::Adoption(Options options)
    : counters_(options.workers),
      ticket_keys_(SystemClock().WallNow()),
      dns_counters_(options.workers),
      sockets_(options.workers),
      publisher_(std::move(options.wake)),
      functions_(options.programs),
      engine_({.workers = options.workers,
               .probes_in_flight_max = options.probes_in_flight_max,
               .resolver_servers = {},
               .on_transition = std::move(options.on_transition),
               .on_check = std::move(options.on_check)},
              [this](std::shared_ptr<const health::StatusTable> table) { publisher_.OnStatus(std::move(table)); }) {}

// What serves already is not compiled again; it has let go of its plain records.
Adoption::Zones Adoption::CompileZones(const Proposal& proposal) {
  if (zones_ != nullptr && proposal.model == model_) return zones_;
  return dns::ZoneSet::Build(proposal.model, dns_counters_, proposal.is_edit ? zones_.get() : nullptr);
}

std::expected<void, control::Refusal> Adoption::Build(const Zones& zones, Candidate& candidate) {
  std::vector<proxy::WeightOverride> weights;
  for (const auto& shift : candidate.proposal.shifts) weights.push_back(shift.weights);
  auto routing = proxy::RoutingTable::Build(candidate.view.model, candidate.view.revision, weights, counters_,
                                            &credentials_, routing_.get(), {net::CookieKey::From(stickiness_secret_)},
                                            functions_.Build(*candidate.view.model));
  config::Diagnostics findings{.files = candidate.proposal.files, .items = {}};
  if (!routing) config::AddFindings(std::move(routing.error()), findings);
  if (!zones) config::AddFindings(zones.error(), findings);
  if (!findings.items.empty()) return std::unexpected(RefusedFile(std::move(findings)));
  candidate.view.routing = std::move(*routing);
  candidate.view.zones = *zones;
  return {};
}

std::expected<Candidate, control::Refusal> Adoption::Compile(Proposal proposal) {
  Candidate out;
  const Zones zones = CompileZones(proposal);
  if (zones) proposal.model = (*zones)->shared_model();
  out.proposal = std::move(proposal);
  out.view.revision = revision_ + 1;
  out.view.model = out.proposal.model;
  // The file is judged before the system is asked for anything.
  if (auto built = Build(zones, out); !built) return std::unexpected(std::move(built.error()));
  auto plan = sockets_.Plan(*out.proposal.model);
  if (!plan) return std::unexpected(RefusedBySystem(plan.error()));
  out.sockets = std::move(*plan);
  out.view.model = WithBoundPorts(out.proposal.model, out.sockets);
  if (out.view.model != out.proposal.model) {
    if (auto built = Build(zones, out); !built) return std::unexpected(std::move(built.error()));
  }
  return out;
}

void Adoption::Publish(const Candidate& candidate) {
  revision_ = candidate.view.revision;
  model_ = candidate.proposal.model;
  document_ = candidate.proposal.document;
  files_ = candidate.proposal.files;
  routing_ = candidate.view.routing;
  routing_warnings_ = routing_->warnings();
  if (zones_ != candidate.view.zones) {
    zones_ = candidate.view.zones;
    // What was read and is let go of: hundreds of megabytes that are free, but in the allocator's hands.
    if (zones_->compiled_record_count() >= RetiredParts::kRecordsTrimmed) malloc_trim(0);
  }
  if (const auto serving = published().Load()) retired_parts_.Add(*serving, candidate.view);
  ticket_keys_.Fix(routing_->ticket_keys(), SystemClock().WallNow());
  publisher_.Stage(candidate.view);
  engine_.Apply(candidate.view.model, revision_, TargetTlsOf(*routing_), FunctionsOf(*routing_));
}

Proposal Adoption::Again(std::vector<control::ShiftOverride> shifts) const {
  return {.model = model_, .document = document_, .files = files_, .shifts = std::move(shifts), .is_edit = true};
}

}  // namespace weir::app
