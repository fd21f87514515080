#pragma once

#include "config/model.h"
#include "health/anomaly.h"
#include "health/check_state.h"
#include "health/engine.h"
#include "health/host_table.h"
#include "health/probe_plan.h"
#include "health/probe_schedule.h"
#include "health/status.h"
#include "health/transition_log.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::functions {
class FunctionTarget;
}
namespace weir::net {
class TlsClient;
}

namespace weir::health {

// What the sets of targets and checks work with. Thread: the engine's.
struct EngineParts {
  net::EventLoop& loop;
  ProbeSchedule& schedule;
  HostTable& hosts;
  TransitionLog& transitions;
  std::size_t workers = 1;
  std::function<void()> on_change;  // something that the next table shows has changed
  const std::function<void(const CheckReport&)>& on_check;
};

// The targets of one group: those that the configuration or the name service lists, and those that were there and
// drain. Lives as long as a group of its name is configured. Thread: the engine's.
class TargetSet {
 public:
  TargetSet(EngineParts& parts, std::string name);
  ~TargetSet();
  TargetSet(const TargetSet&) = delete;
  TargetSet& operator=(const TargetSet&) = delete;

  // Takes over `settings`, which lives until the next Apply. A target that stays keeps its state; a changed check
  // starts counting anew but the present state holds until it decides. A target that went drains for the deregistration
  // delay and then vanishes; one that comes back before is a new target. `tls` is how checks by HTTPS connect; may be
  // null.
  // `function` is what checks of a function invoke; without it they are off.
  void Apply(const config::TargetGroup& settings, std::shared_ptr<net::TlsClient> tls,
             std::shared_ptr<const functions::FunctionTarget> function = nullptr);
  // Takes over new addresses of host names.
  void OnHostsChanged();
  [[nodiscard]] bool UsesHost(std::string_view host) const;

  // Compares the targets with each other when it is time to (AnomalyDetector). spec: alb.md 8.3.
  void FindAnomalies();

  // True once after each change that Build would show.
  [[nodiscard]] bool TakeDirty();
  // `shifted_zone`: which a zonal shift leads away from; empty: none.
  [[nodiscard]] GroupStatus Build(std::string_view shifted_zone) const;

  // Fails, with the nearest target as hint, when no registered target has this endpoint.
  [[nodiscard]] Result<void> SetOverride(const Endpoint& endpoint, AdminState state);
  void AppendOverrides(std::vector<Override>& out) const;

 private:
  struct Wanted;
  class Member;
  [[nodiscard]] std::vector<Wanted> WantedTargets() const;
  [[nodiscard]] std::vector<UnresolvedHost> UnresolvedHosts() const;
  void Reconcile();
  void Refresh(Member& member, const Wanted& wanted);
  void Recheck(Member& member);
  void Register(Member& member);
  // False when it has no delay to drain for.
  [[nodiscard]] bool Deregister(Member& member);
  void Remove(const Member& member);
  // Shows what follows from check, override and registration; reports it when the state is another.
  void Show(Member& member, std::string_view reason);
  // A target that has just become healthy.
  [[nodiscard]] bool StartsSlowly(const Member& member) const;
  // Of those that are over.
  void EndSlowStarts();
  void MarkDirty();

  EngineParts& parts_;
  std::string name_;
  const config::TargetGroup* settings_ = nullptr;
  std::chrono::seconds slow_start_{0};  // of them
  std::shared_ptr<const ProbePlan> plan_;
  TargetThresholds thresholds_;
  AnomalyDetector anomalies_;
  bool in_use_ = false;
  bool checks_ = true;  // a function may go without
  bool dirty_ = true;
  std::vector<std::unique_ptr<Member>> members_;  // in the order of the file, draining ones last
};

}  // namespace weir::health
