#include "health/probe_schedule.h"

#include <algorithm>

namespace weir::health {
namespace {

// How far apart first attempts are: 2,000 a second.
constexpr std::chrono::microseconds kFirstAttemptGap{500};
// When a subject is not ready it is asked again after this time.
constexpr std::chrono::milliseconds kReadyAgain{100};

}  // namespace

ProbeSubject::~ProbeSubject() {
  if (schedule_ != nullptr) schedule_->End(*this);
}

void ProbeSubject::OnTimer() { schedule_->OnDue(*this); }

ProbeSchedule::ProbeSchedule(net::EventLoop& loop, std::size_t in_flight_max, ProbeTotals& totals)
    : loop_(loop), bench_(loop), totals_(totals), in_flight_max_(std::max<std::size_t>(in_flight_max, 1)) {}

ProbeSchedule::~ProbeSchedule() = default;

std::chrono::nanoseconds ProbeSchedule::RandomPart(std::chrono::nanoseconds whole) {
  const auto count = std::max<std::int64_t>(whole.count(), 1);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(count))));
}

void ProbeSchedule::Begin(ProbeSubject& subject) {
  End(subject);
  subject.schedule_ = this;
  subject.first_ = true;
  next_first_attempt_ = std::max(next_first_attempt_ + kFirstAttemptGap, loop_.now());
  subject.due_ = next_first_attempt_;
  loop_.timers().Schedule(subject, subject.due_);
}

void ProbeSchedule::End(ProbeSubject& subject) {
  if (subject.schedule_ == nullptr) return;
  subject.schedule_ = nullptr;
  subject.Cancel();
  if (subject.waiting_) {
    std::erase(waiting_, &subject);
    subject.waiting_ = false;
    totals_.waiting.Subtract();
  }
  if (subject.probe_ != nullptr) {
    subject.probe_->owner = nullptr;
    subject.probe_->Abandon();
    subject.probe_ = nullptr;
  }
}

void ProbeSchedule::OnDue(ProbeSubject& subject) {
  const auto readiness = subject.Prepare();
  if (readiness == ProbeSubject::Readiness::kLater) {
    loop_.timers().Schedule(subject, loop_.now() + kReadyAgain);
    return;
  }
  const std::chrono::nanoseconds interval = std::max(subject.plan->interval, std::chrono::milliseconds(1));
  if (readiness == ProbeSubject::Readiness::kUnresolved) {
    totals_.failed.Add();
    loop_.timers().Schedule(subject, loop_.now() + interval);
    subject.latency_ = {};
    subject.OnProbeResult({.outcome = ProbeOutcome::kFailed, .detail = "DNS resolution failed"});
    return;
  }
  if (!subject.plan->interval_after_result) {
    // The first attempt came at once; a second one after a random part of the interval spreads those that began
    // together. From then on the rate is fixed, however long answers take.
    subject.due_ += subject.first_ ? interval / 2 + RandomPart(interval / 2) : interval;
    if (subject.due_ <= loop_.now()) subject.due_ += interval * ((loop_.now() - subject.due_) / interval + 1);
    loop_.timers().Schedule(subject, subject.due_);
  }
  subject.first_ = false;
  StartOrQueue(subject);
}

void ProbeSchedule::StartOrQueue(ProbeSubject& subject) {
  // The last attempt is still under way, or waits: this one is left out.
  if (subject.probe_ != nullptr || subject.waiting_) return;
  if (in_flight_ < in_flight_max_) return Start(subject);
  subject.waiting_ = true;
  waiting_.push_back(&subject);
  totals_.waiting.Add();
}

void ProbeSchedule::Start(ProbeSubject& subject) {
  if (idle_.empty()) {
    probes_.push_back(std::make_unique<Probe>(bench_, static_cast<ProbeEvents&>(*this)));
    idle_.push_back(probes_.back().get());
  }
  Probe* const probe = idle_.back();
  idle_.pop_back();
  ++in_flight_;
  totals_.in_flight.Add();
  totals_.sent.Add();
  subject.probe_ = probe;
  probe->owner = &subject;
  subject.started_ = loop_.now();
  probe->Start({.plan = subject.plan,
                .endpoint = subject.probed_endpoint,
                .host_field = subject.host_field,
                .server_name = subject.server_name});
}

void ProbeSchedule::OnProbeResult(Probe& probe, const ProbeResult& result) {
  (result.outcome == ProbeOutcome::kPassed ? totals_.succeeded : totals_.failed).Add();
  auto* const subject = static_cast<ProbeSubject*>(probe.owner);
  if (subject == nullptr) return;
  // From here on the probe only ends its connection.
  probe.owner = nullptr;
  subject->probe_ = nullptr;
  if (subject->plan->interval_after_result) {
    const std::chrono::nanoseconds interval = subject->plan->interval;
    loop_.timers().Schedule(*subject, loop_.now() + interval);
  }
  subject->latency_ = loop_.now() - subject->started_;
  subject->OnProbeResult(result);
}

void ProbeSchedule::OnProbeIdle(Probe& probe) {
  --in_flight_;
  totals_.in_flight.Subtract();
  idle_.push_back(&probe);
  // Not here: the caller may be in the middle of an event of this very probe.
  if (!waiting_.empty()) loop_.RunSoon(*this);
}

void ProbeSchedule::RunTask() {
  while (!waiting_.empty() && in_flight_ < in_flight_max_) {
    ProbeSubject* const subject = waiting_.front();
    waiting_.pop_front();
    subject->waiting_ = false;
    totals_.waiting.Subtract();
    Start(*subject);
  }
}

}  // namespace weir::health
