#include "bench/load/dns/dns_load.h"

#include "base/unique_fd.h"
#include "bench/load/dns/collector.h"
#include "bench/load/dns/lane.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace weir::bench {
namespace {

// The threads need a moment to start; none has the first queries alone.
constexpr std::chrono::milliseconds kStartDelay{5};

double Seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

double ProcessCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Until `time`, or until `stop` is asked for.
void WaitUntil(SteadyTime time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_until(lock, stop, time, [] { return false; });
}

RunTimes TimesOf(const DnsLoad& load, SteadyTime begin) {
  RunTimes times{.begin = begin, .measured_from = begin + load.warmup, .end = SteadyTime::max()};
  if (load.duration.count() > 0) times.end = times.measured_from + load.duration;
  return times;
}

// The sockets of every thread. None for TCP, whose threads connect while they run.
Result<std::vector<std::vector<UniqueFd>>> OpenSockets(const DnsLoad& load) {
  std::vector<std::vector<UniqueFd>> sockets(load.threads);
  if (load.transport == DnsTransport::kTcp) return sockets;
  for (std::size_t i = 0; i < load.sockets; ++i) {
    auto socket = ConnectUdp(load.server);
    if (!socket) return std::unexpected(socket.error());
    sockets[i % load.threads].push_back(*std::move(socket));
  }
  return sockets;
}

// In which queries were due: answers are awaited after that.
double SecondsMeasured(const DnsLoad& load, std::chrono::nanoseconds until_finished, bool interrupted) {
  const bool by_time = load.duration.count() > 0 && !interrupted;
  if (by_time && load.queries_max == 0) return Seconds(load.duration);
  if (by_time) until_finished = std::min(until_finished, load.duration);
  return std::max(Seconds(until_finished), 0.0);
}

// Adds up the intervals as they come.
void Gather(const DnsLoad& load, const RunTimes& times, const std::stop_token& stop, Collector& collector,
            const OnInterval& on_interval, RunRecord& record) {
  for (bool last = false; !last;) {
    Collector::Taken taken = collector.Take();
    last = taken.last;
    const double start = static_cast<double>(record.intervals.size()) * Seconds(kIntervalLength);
    double length = Seconds(kIntervalLength);
    if (last) {
      record.interrupted = stop.stop_requested();
      record.seconds = SecondsMeasured(load, collector.finished_at() - times.measured_from, record.interrupted);
      length = record.seconds - start;
    }
    CountUnexpected(load.expected, taken.counts);
    record.total.Add(taken.counts);
    // Threads that hand over late may leave nothing for the last stretch.
    if (length <= 0) continue;
    record.intervals.push_back(IntervalOf(taken.counts, start, length));
    on_interval(record.intervals.back());
  }
}

}  // namespace

Result<void> CheckDnsLoad(const DnsLoad& load) {
  const char* sockets = load.transport == DnsTransport::kUdp ? "sockets" : "connections";
  const auto number = [](std::size_t value) { return std::to_string(value); };
  if (load.threads == 0) return Failure("no thread to send with", "give at least 1");
  if (load.sockets < load.threads) {
    return Failure(number(load.threads) + " threads with " + number(load.sockets) + " " + sockets,
                   "give each thread one of them at least");
  }
  if (load.outstanding < load.sockets) {
    return Failure(number(load.outstanding) + " outstanding queries over " + number(load.sockets) + " " + sockets,
                   "give at least as many outstanding queries");
  }
  if (load.outstanding / load.sockets >= QueryWindow::kCapacityMax) {
    return Failure(number(load.outstanding) + " outstanding queries over " + number(load.sockets) + " " + sockets +
                       " are more than identifiers can tell apart",
                   "give fewer than " + number(QueryWindow::kCapacityMax) + " for each, or more " + sockets);
  }
  if (load.duration.count() <= 0 && load.queries_max == 0) return Failure("a run without an end", "give -d or -n");
  if (load.queries_max != 0 && load.queries_max < load.threads) {
    return Failure("fewer queries than threads", "give fewer threads");
  }
  if (load.queries_max != 0 && load.warmup.count() > 0) {
    return Failure("a warm-up is part of a run by time, not of one by number of queries", "give -d instead of -n");
  }
  if (load.timeout.count() <= 0) return Failure("no time to wait for answers", "give a timeout above 0");
  return {};
}

Result<RunRecord> RunDnsLoad(const DnsLoad& load, const std::stop_token& stop, const OnInterval& on_interval) {
  if (auto checked = CheckDnsLoad(load); !checked) return std::unexpected(checked.error());
  auto sockets = OpenSockets(load);
  if (!sockets) return std::unexpected(sockets.error());
  Collector collector(load.threads);
  const SteadyTime begin = std::chrono::steady_clock::now() + kStartDelay;
  const RunTimes times = TimesOf(load, begin);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < load.threads; ++i) {
    threads.emplace_back([&, i] {
      Lane lane(load, i, times, stop, collector);
      WaitUntil(times.begin, stop);
      if (load.transport == DnsTransport::kUdp) {
        RunUdp(lane, (*sockets)[i]);
      } else {
        RunTcp(lane, lane.PartOf(load.sockets));
      }
      lane.Finish(std::chrono::steady_clock::now());
    });
  }
  WaitUntil(times.measured_from, stop);
  RunRecord record;
  record.unit = "queries";
  record.started = std::chrono::system_clock::now();
  record.offered_rate = load.rate;
  const double cpu_before = ProcessCpuSeconds();
  Gather(load, times, stop, collector, on_interval, record);
  record.generator_cpu_seconds = ProcessCpuSeconds() - cpu_before;
  return record;
}

}  // namespace weir::bench
