#pragma once

// The DNS load generator behind `weir bench dns`: threads with sockets of their own send queries flat out within a
// window or at given times, and count what comes back. What was counted is a RunRecord, as for HTTP.

#include "base/ip_address.h"
#include "base/result.h"
#include "bench/load/answers.h"
#include "bench/load/dns/query_set.h"
#include "bench/load/dns/rcodes.h"
#include "bench/load/dns/schedule.h"
#include "bench/load/run_record.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

namespace weir::bench {

enum class DnsTransport : std::uint8_t { kUdp, kTcp };

// What a run does. The numbers are of the whole run; threads share them evenly.
struct DnsLoad {
  Endpoint server;
  DnsTransport transport = DnsTransport::kUdp;
  std::shared_ptr<const QuerySet> queries;
  std::size_t threads = 1;
  std::size_t sockets = 1;        // UDP sockets, each with a port of its own, or TCP connections; at least one a thread
  std::size_t outstanding = 512;  // queries that wait for an answer at most; at least one a socket
  double rate = 0;                // queries per second; 0: as many as the window lets through
  Spacing arrival = Spacing::kPoisson;
  std::chrono::nanoseconds duration{0};  // in which queries are due; 0: until queries_max
  std::uint64_t queries_max = 0;         // 0: no limit; not together with a warm-up
  std::chrono::nanoseconds timeout{std::chrono::seconds(5)};
  std::chrono::nanoseconds warmup{0};     // load before the measurement, not counted
  std::uint64_t seed = 0;                 // of the Poisson process
  AnswerSet expected = ExpectedRcodes();  // all other answers are errors besides
};

// The text of what is wrong with the numbers of `load` (more threads than sockets, a window that is too small ...).
[[nodiscard]] Result<void> CheckDnsLoad(const DnsLoad& load);

// Is told each second when it is over, on the thread that called RunDnsLoad.
using OnInterval = std::function<void(const Interval& interval)>;

// Runs the load to its end, or until `stop` asks to end it, which marks the record as interrupted. Queries on their way
// at the end are waited for, at most the timeout. Fills everything of the record but title, settings and events. Fails
// when CheckDnsLoad does or a socket cannot be made. Thread: any; blocks.
[[nodiscard]] Result<RunRecord> RunDnsLoad(const DnsLoad& load, const std::stop_token& stop,
                                           const OnInterval& on_interval);

}  // namespace weir::bench
