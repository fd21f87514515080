#pragma once

// What a load run counted, the same for HTTP and DNS: the generators fill it, the progress line, the table, the JSON
// and the page are made from it.

#include "base/clock.h"
#include "bench/load/histogram.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::bench {

[[nodiscard]] constexpr double Milliseconds(std::chrono::nanoseconds value) {
  return std::chrono::duration<double, std::milli>(value).count();
}
[[nodiscard]] std::uint64_t SumOf(const std::map<std::string, std::uint64_t>& counts);

// What happened in a stretch of time. The generator threads count into one each and hand it over whole.
struct Counts {
  std::uint64_t started = 0;         // requests or queries sent (open loop: due, sent or not)
  std::uint64_t completed = 0;       // answered whole, whatever the status
  std::uint64_t bytes_received = 0;  // on the wire of the protocol: heads and bodies, or datagrams
  std::uint64_t bytes_sent = 0;
  std::uint64_t connections = 0;      // opened
  std::uint64_t handshakes_full = 0;  // of TLS, that went through
  std::uint64_t handshakes_resumed = 0;
  Histogram latency = {};                              // of what was completed; open loop: from the scheduled time
  std::map<std::string, std::uint64_t> outcomes = {};  // by status (`200`) or response code (`NOERROR`)
  std::map<std::string, std::uint64_t> errors = {};    // by kind: `connect refused`, `timeout`, `answer 502` ...
  std::map<std::string, std::uint64_t> shares = {};    // by target group, or by the value answered

  // Errors of every kind.
  [[nodiscard]] std::uint64_t error_count() const;
  void Add(const Counts& other);
};

// One point of the time axis; histograms of each would be large, so only what is drawn is kept.
struct Interval {
  double start_seconds = 0;  // since the run's first request
  double length_seconds = 1;
  std::uint64_t started = 0;
  std::uint64_t completed = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t errors = 0;
  double p50_ms = 0;
  double p90_ms = 0;
  double p99_ms = 0;
  double p999_ms = 0;
  double max_ms = 0;
  std::map<std::string, std::uint64_t> errors_by_kind = {};
  std::map<std::string, std::uint64_t> outcomes = {};
  std::map<std::string, std::uint64_t> shares = {};
};

// What is kept of the counts of one stretch: `start_seconds` after the run's first request, `length_seconds` long.
[[nodiscard]] Interval IntervalOf(const Counts& counts, double start_seconds, double length_seconds);

// How an event is meant: something went wrong (a failing target, a refused reload), is right again, or neither.
enum class EventTone : std::uint8_t { kPlain, kGood, kBad };
// `plain`, `good`, `bad`.
[[nodiscard]] std::string_view ToString(EventTone tone);

// Something that the appliance did while the load ran: drawn on the time axis.
struct ApplianceEvent {
  double seconds = 0;  // since the run's first request; may be a little before it
  std::string kind;    // `health`, `reload`, `shift`, `override`, `life`, `admin` ... (docs/admin-api.md)
  std::string text;    // `target 127.0.0.1:9001 of green: healthy -> unhealthy (Target.Timeout)`
  EventTone tone = EventTone::kPlain;
};

// What became of a condition under which the run fails.
struct ConditionResult {
  std::string condition;  // as it was written: `errors>0.1%`
  std::string value;      // the run's, in the unit of the limit: `31.00 %`
  bool holds = false;     // then the run has failed
};

struct RunRecord {
  std::string title;                                          // `weir bench http http://127.0.0.1:8080/`
  std::vector<std::pair<std::string, std::string>> settings;  // what was asked for, in the order to print
  std::string unit = "requests";                              // or `queries`
  WallTime started;
  double seconds = 0;                // in which requests were due or sent, the warm-up left out; rates are over it
  double offered_rate = 0;           // asked for, per second; 0: closed loop, or a replay
  double generator_cpu_seconds = 0;  // user and system time of this process during `seconds`
  bool interrupted = false;          // ended by Ctrl-C
  Counts total;
  std::vector<Interval> intervals;
  std::vector<ApplianceEvent> events;
  std::vector<ConditionResult> conditions;

  // `count` over `seconds`.
  [[nodiscard]] double PerSecond(std::uint64_t count) const;
};

}  // namespace weir::bench
