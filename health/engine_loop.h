#pragma once

#include "base/counters.h"
#include "health/check_set.h"
#include "health/engine.h"
#include "health/host_table.h"
#include "health/probe_schedule.h"
#include "health/target_set.h"
#include "health/transition_log.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "net/tls_client.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace weir::health {

// The engine's thread and everything that lives on it. Thread: the engine's, except where a method says otherwise.
class Engine::Loop final : private net::Task, private net::Timer {
 public:
  Loop(EngineOptions options, OnStatus on_status);
  ~Loop() override;

  // Runs `call` on the engine's thread and waits for it; false when the engine has stopped. Thread: control.
  template <class Call>
  bool RunAndWait(Call call);
  // Thread: control.
  void Stop();
  // Thread: any.
  [[nodiscard]] ProbeCounters counters() const;

  void Apply(std::shared_ptr<const config::Model> model, std::uint64_t revision, const TargetTls& target_tls,
             const functions::FunctionTargetList& functions);
  [[nodiscard]] Result<void> SetTargetOverride(const std::string& group, const Endpoint& target, AdminState state);
  [[nodiscard]] Result<void> SetCheckOverride(const std::string& check, AdminState state);
  [[nodiscard]] std::vector<Override> Overrides() const;
  void ShiftAwayFrom(const std::string& zone);

 private:
  void ApplyHosts();
  void ApplyGroups(const TargetTls& target_tls, const functions::FunctionTargetList& functions);
  void DropGroup(const TargetSet& group) const;
  void OnHostChanged(const std::string& host);
  void OnChange();
  void RunTask() override;  // the end of a turn in which something changed
  void OnTimer() override;  // a table that was held back is due
  void FindAnomalies();
  void Publish();

  EngineOptions options_;
  OnStatus on_status_;
  ProbeTotals probe_totals_;
  Counter transitions_total_;
  Counter resolutions_failed_;

  net::EventLoop loop_;
  TransitionLog transitions_;
  ProbeSchedule schedule_;
  HostTable hosts_;
  EngineParts parts_;
  net::TlsClients tls_clients_;
  std::shared_ptr<const config::Model> model_;  // null before the first Apply
  std::map<std::string, std::unique_ptr<TargetSet>, std::less<>> groups_;
  std::vector<TargetSet*> group_order_;      // as in the model
  std::vector<GroupStatus> group_statuses_;  // the last built, in the same order
  CheckSet checks_;
  net::CallbackTimer anomaly_timer_;
  std::string shifted_zone_;

  std::uint64_t revision_ = 0;
  std::uint64_t generation_ = 0;
  bool changed_ = false;  // since the last table
  SteadyTime published_;
  std::thread thread_;
};

}  // namespace weir::health
