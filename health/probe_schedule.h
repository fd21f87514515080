#pragma once

#include "base/counters.h"
#include "base/random.h"
#include "health/probe.h"
#include "health/probe_plan.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace weir::health {

class ProbeSchedule;

// Something that is probed again and again. Destroying it ends its probing. Thread: the engine's.
class ProbeSubject : private net::Timer {
 public:
  ProbeSubject() = default;
  ~ProbeSubject() override;

  virtual void OnProbeResult(const ProbeResult& result) = 0;
  enum class Readiness : std::uint8_t {
    kReady,
    kLater,       // not known yet what to connect to: asks again a little later
    kUnresolved,  // known not to exist: a failed probe without a connection
  };
  // Asked when a probe is due; may set probed_endpoint.
  virtual Readiness Prepare() { return Readiness::kReady; }

  // What to probe. Changed only through ProbeSchedule::Begin, or by Prepare.
  std::shared_ptr<const ProbePlan> plan;
  Endpoint probed_endpoint;
  std::string host_field;
  std::string server_name;  // SNI of a check by HTTPS; empty: the plan's

  // From the start of the attempt whose result is being told to now.
  [[nodiscard]] std::chrono::nanoseconds latency() const { return latency_; }

 private:
  friend class ProbeSchedule;
  void OnTimer() override;

  ProbeSchedule* schedule_ = nullptr;  // null: not being probed
  Probe* probe_ = nullptr;             // the attempt that is under way
  bool waiting_ = false;               // due, but too many probes are in flight
  bool first_ = false;                 // the first attempt is still to come
  SteadyTime due_;
  SteadyTime started_;
  std::chrono::nanoseconds latency_{0};
};

// Probes written by the engine's thread, read by any.
struct ProbeTotals {
  Counter sent;
  Counter succeeded;
  Counter failed;
  Counter in_flight;
  Counter waiting;
};

// Starts probes at the right moments, never two for one subject, never more than a bound at once. First attempts come
// as soon as possible but half a millisecond apart, the following ones are spread over the interval: subjects that
// begin together never come as a flood. Thread: the engine's.
class ProbeSchedule final : private ProbeEvents, private net::Task {
 public:
  ProbeSchedule(net::EventLoop& loop, std::size_t in_flight_max, ProbeTotals& totals);
  ~ProbeSchedule() override;

  // Begins to probe `subject` (plan, probed_endpoint and host_field are set); when it is being probed already, an
  // attempt under way is dropped and the rhythm starts anew. `subject` stays where it is until End.
  void Begin(ProbeSubject& subject);
  void End(ProbeSubject& subject);

  // Destroys connections that ended in this turn. To be called at the end of every turn.
  void EndTurn() { bench_.closed.clear(); }

 private:
  friend class ProbeSubject;
  void OnDue(ProbeSubject& subject);
  void StartOrQueue(ProbeSubject& subject);
  void Start(ProbeSubject& subject);
  void OnProbeResult(Probe& probe, const ProbeResult& result) override;
  void OnProbeIdle(Probe& probe) override;
  void RunTask() override;  // gives free probes to those that wait
  [[nodiscard]] std::chrono::nanoseconds RandomPart(std::chrono::nanoseconds whole);

  net::EventLoop& loop_;
  ProbeBench bench_;
  ProbeTotals& totals_;
  Random random_;
  std::size_t in_flight_max_;
  std::size_t in_flight_ = 0;
  std::vector<std::unique_ptr<Probe>> probes_;
  std::vector<Probe*> idle_;
  std::deque<ProbeSubject*> waiting_;
  SteadyTime next_first_attempt_{};
};

}  // namespace weir::health
