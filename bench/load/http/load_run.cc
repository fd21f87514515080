#include "bench/load/http/load_run.h"

#include "base/text.h"
#include "bench/load/http/arrivals.h"
#include "bench/load/http/weighted_cycle.h"
#include "net/resolver.h"
#include "net/timer_wheel.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace weir::bench {
namespace {

using Seconds = std::chrono::duration<double>;

// Time for the threads to start and, in an open loop, to open their connections.
constexpr std::chrono::milliseconds kLeadTime{50};
constexpr std::chrono::seconds kInterval{1};
// The rest behind the last whole second is drawn together with it when it is shorter.
constexpr double kShortestIntervalSeconds = 0.25;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// What part `index` of `count` gets of `whole`: the first ones get what does not divide.
template <class Number>
Number ShareOf(Number whole, Part part) {
  const auto count = static_cast<Number>(part.count);
  return whole / count + (static_cast<Number>(part.index) < whole % count ? 1 : 0);
}

}  // namespace

// Calls Tick when the current second is over.
class HttpLoadRun::Ticker final : public net::Timer {
 public:
  explicit Ticker(HttpLoadRun& run) : run_(run) {}
  void OnTimer() override { run_.Tick(); }

 private:
  HttpLoadRun& run_;
};

HttpLoadRun::HttpLoadRun(net::EventLoop& loop, LoadPlan plan, HttpLoadSettings settings)
    : loop_(loop), plan_(std::move(plan)), settings_(std::move(settings)), ticker_(std::make_unique<Ticker>(*this)) {}

HttpLoadRun::~HttpLoadRun() = default;

Result<HttpLoadResult> HttpLoadRun::Run() {
  if (auto resolved = ResolveOrigins(); !resolved) return std::unexpected(resolved.error());
  if (auto built = BuildThreads(); !built) return std::unexpected(built.error());
  StartThreads();
  if (interrupted_) Collect(true);
  while (!done_) loop_.RunOnce(std::chrono::milliseconds(1000));
  for (auto& thread : threads_) {
    thread->Stop();
    result_.lateness.Add(thread->lateness());
    result_.details.insert(thread->details().begin(), thread->details().end());
  }
  threads_.clear();
  result_.record.interrupted = interrupted_;
  return std::move(result_);
}

void HttpLoadRun::Interrupt() {
  if (interrupted_) return;
  interrupted_ = true;
  if (!threads_.empty()) Collect(true);
}

Result<void> HttpLoadRun::ResolveOrigins() {
  for (Origin& origin : plan_.origins()) {
    auto endpoints = Resolve(origin);
    if (!endpoints) return std::unexpected(endpoints.error());
    origin.endpoints = std::move(*endpoints);
  }
  return {};
}

Result<std::vector<Endpoint>> HttpLoadRun::Resolve(const Origin& origin) {
  std::vector<IpAddress> addresses;
  const auto given = settings_.addresses.find(ToLowerAscii(origin.host) + ":" + std::to_string(origin.port));
  if (given != settings_.addresses.end()) {
    addresses = given->second;
  } else {
    net::Resolver resolver(loop_);
    std::optional<net::ResolveResult> found;
    resolver.Resolve(origin.host, [&found](const net::ResolveResult& result) { found = result; });
    while (!found && !interrupted_) loop_.RunOnce(std::chrono::milliseconds(1000));
    if (!found) return Failure("interrupted while looking up " + origin.host);
    if (found->addresses.empty()) return Failure("cannot find the address of " + origin.host + ": " + found->error);
    addresses = found->addresses;
  }
  using Family = HttpLoadSettings::Family;
  std::vector<Endpoint> endpoints;
  for (const IpAddress& address : addresses) {
    if (settings_.family == Family::kV4 && !address.is_v4()) continue;
    if (settings_.family == Family::kV6 && address.is_v4()) continue;
    endpoints.push_back({.address = address, .port = origin.port});
  }
  if (endpoints.empty()) {
    return Failure(origin.host + " has no " + (settings_.family == Family::kV4 ? "IPv4" : "IPv6") + " address",
                   settings_.family == Family::kV4 ? "leave -4 out" : "leave -6 out");
  }
  return endpoints;
}

Result<std::unique_ptr<Arrivals>> HttpLoadRun::BuildArrivals(Part part) const {
  if (settings_.arrivals == ArrivalKind::kRecorded) {
    return RecordedArrivals(settings_.times, settings_.times_requests, settings_.speed, part);
  }
  auto cycle = WeightedCycle::Build(settings_.weights);
  if (!cycle) return std::unexpected(cycle.error());
  switch (settings_.arrivals) {
    case ArrivalKind::kConstant:
      return ConstantArrivals(settings_.rate, part, std::move(*cycle));
    case ArrivalKind::kPoisson:
      return PoissonArrivals(settings_.rate, part, std::move(*cycle), Random());
    case ArrivalKind::kClosedLoop:
    case ArrivalKind::kRecorded:
      break;
  }
  return FlatOutArrivals(std::move(*cycle));
}

Result<void> HttpLoadRun::BuildThreads() {
  start_ = std::chrono::steady_clock::now() + kLeadTime;
  measure_from_ = start_ + settings_.warmup;
  for (std::size_t i = 0; i < settings_.threads; ++i) {
    const Part part{.index = i, .count = settings_.threads};
    LoadThreadSettings thread{.dispatch = {},
                              .timeout = settings_.timeout,
                              .http2 = settings_.http2,
                              .websocket = settings_.websocket,
                              .streams_max = settings_.streams,
                              .group_header = settings_.group_header,
                              .tls = settings_.tls,
                              .resumption = {}};
    DispatchSettings& dispatch = thread.dispatch;
    dispatch.open_loop = settings_.arrivals != ArrivalKind::kClosedLoop;
    dispatch.connections_max = ShareOf(settings_.connections, part);
    thread.resumption = {.percent = settings_.tls_resume_percent, .connections = dispatch.connections_max};
    dispatch.in_flight_max = dispatch.connections_max * settings_.streams;
    dispatch.waiting_max = ShareOf(settings_.waiting_max, part);
    dispatch.keeps_connections = settings_.keeps_connections;
    dispatch.counts_shares = !settings_.group_header.empty();
    dispatch.start = start_;
    dispatch.measure_from = measure_from_;
    if (settings_.duration) dispatch.end = measure_from_ + *settings_.duration;
    if (settings_.requests_max) dispatch.requests_max = ShareOf(*settings_.requests_max, part);
    auto arrivals = BuildArrivals(part);
    if (!arrivals) return std::unexpected(arrivals.error());
    auto built = LoadThread::Build(thread, plan_, std::move(*arrivals));
    if (!built) return std::unexpected(built.error());
    threads_.push_back(std::move(*built));
  }
  return {};
}

void HttpLoadRun::StartThreads() {
  interval_start_ = measure_from_;
  cpu_at_start_ = CpuSeconds();
  const auto lead = measure_from_ - std::chrono::steady_clock::now();
  result_.record.started = std::chrono::system_clock::now() + std::chrono::duration_cast<WallTime::duration>(lead);
  if (on_warmup && settings_.warmup > std::chrono::nanoseconds(0)) on_warmup(measure_from_);
  for (auto& thread : threads_) {
    thread->Start([this] {
      loop_.Post([this] {
        if (++finished_ == threads_.size()) Collect(true);
      });
    });
  }
  loop_.timers().Schedule(*ticker_, measure_from_);
}

void HttpLoadRun::Tick() { Collect(false); }

void HttpLoadRun::Collect(bool last) {
  collect_last_ = collect_last_ || last;
  if (collecting_ || done_) return;
  collecting_ = true;
  ticker_->Cancel();
  const bool is_last = collect_last_;
  auto parts = std::make_shared<std::vector<std::shared_ptr<Counts>>>();
  for (std::size_t i = 0; i < threads_.size(); ++i) parts->push_back(std::make_shared<Counts>());
  auto missing = std::make_shared<std::size_t>(threads_.size());
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    threads_[i]->Collect((*parts)[i], [this, parts, missing, is_last] {
      loop_.Post([this, parts, missing, is_last] {
        if (--*missing == 0) Sum(*parts, std::chrono::steady_clock::now(), is_last);
      });
    });
  }
}

void HttpLoadRun::Sum(const std::vector<std::shared_ptr<Counts>>& parts, SteadyTime until, bool last) {
  collecting_ = false;
  done_ = last;
  for (const auto& part : parts) gathered_.Add(*part);
  if (!measuring_ && until >= measure_from_) BeginMeasuring();
  if (last) {
    result_.record.seconds = SecondsMeasured(until);
    result_.record.generator_cpu_seconds = CpuSeconds() - cpu_at_start_;
    if (on_end) on_end();
  }
  const double start = Seconds(interval_start_ - measure_from_).count();
  const double length = Seconds(until - interval_start_).count();
  if (measuring_ && (last || length >= kShortestIntervalSeconds)) {
    AddInterval(std::exchange(gathered_, {}), start, length, last);
    interval_start_ = until;
  }
  if (last) return;
  if (collect_last_) return Collect(true);
  // On the second, however late this one was.
  const auto whole = std::chrono::floor<std::chrono::seconds>(std::max(until, measure_from_) - measure_from_);
  loop_.timers().Schedule(*ticker_, measure_from_ + whole + kInterval);
}

// The warm-up is over; the threads know by themselves what they have counted since.
void HttpLoadRun::BeginMeasuring() {
  measuring_ = true;
  if (settings_.warmup > std::chrono::nanoseconds(0)) cpu_at_start_ = CpuSeconds();
}

// The last answers are awaited after the end, but nothing is sent there: that time would belie every rate.
double HttpLoadRun::SecondsMeasured(SteadyTime until) const {
  auto end = until;
  if (settings_.duration) end = std::min(end, measure_from_ + *settings_.duration);
  return std::max(0.0, Seconds(end - measure_from_).count());
}

void HttpLoadRun::AddInterval(Counts counts, double start, double length, bool last) {
  auto& intervals = result_.record.intervals;
  CountUnexpected(settings_.expected, counts);
  if (on_counts) on_counts(counts);
  result_.record.total.Add(counts);
  if (last && length < kShortestIntervalSeconds && !intervals.empty()) {
    last_counts_.Add(counts);
    const Interval& whole = intervals.back();
    const double end = std::min(start + length, result_.record.seconds) - whole.start_seconds;
    intervals.back() = IntervalOf(last_counts_, whole.start_seconds, std::max(whole.length_seconds, end));
    return;
  }
  intervals.push_back(IntervalOf(counts, start, length));
  last_counts_ = std::move(counts);
  if (on_interval) on_interval(intervals.back());
}

}  // namespace weir::bench
