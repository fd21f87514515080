#include "health/engine.h"

#include "health/engine_loop.h"

#include <future>
#include <memory>
#include <utility>

namespace weir::health {
namespace {

constexpr auto kStopped = "the health engine has stopped";

}  // namespace

template <class Call>
bool Engine::Loop::RunAndWait(Call call) {
  if (!thread_.joinable()) return false;
  // Shared: the waiting thread may be gone before set_value returns on the other one.
  const auto done = std::make_shared<std::promise<void>>();
  auto finished = done->get_future();
  loop_.Post([&call, done] {
    call();
    done->set_value();
  });
  finished.wait();
  return true;
}

Engine::Engine(EngineOptions options, OnStatus on_status)
    : loop_(std::make_unique<Loop>(std::move(options), std::move(on_status))) {}

Engine::~Engine() = default;

void Engine::Apply(std::shared_ptr<const config::Model> model, std::uint64_t revision, const TargetTls& target_tls,
                   const functions::FunctionTargetList& functions) {
  loop_->RunAndWait([&] { loop_->Apply(std::move(model), revision, target_tls, functions); });
}

Result<void> Engine::SetTargetOverride(const std::string& group, const Endpoint& target, AdminState state) {
  Result<void> result = Failure(kStopped);
  loop_->RunAndWait([&] { result = loop_->SetTargetOverride(group, target, state); });
  return result;
}

Result<void> Engine::SetCheckOverride(const std::string& check, AdminState state) {
  Result<void> result = Failure(kStopped);
  loop_->RunAndWait([&] { result = loop_->SetCheckOverride(check, state); });
  return result;
}

std::vector<Override> Engine::Overrides() const {
  std::vector<Override> overrides;
  loop_->RunAndWait([&] { overrides = loop_->Overrides(); });
  return overrides;
}

void Engine::ShiftAwayFrom(const std::string& zone) {
  loop_->RunAndWait([&] { loop_->ShiftAwayFrom(zone); });
}

ProbeCounters Engine::probe_counters() const { return loop_->counters(); }

void Engine::Stop() { loop_->Stop(); }

}  // namespace weir::health
