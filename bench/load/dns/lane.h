#pragma once

#include "base/unique_fd.h"
#include "bench/load/dns/collector.h"
#include "bench/load/dns/dns_load.h"
#include "bench/load/dns/query_window.h"
#include "bench/load/dns/schedule.h"
#include "bench/load/dns/tally.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace weir::bench {

inline constexpr std::chrono::seconds kIntervalLength{1};
inline constexpr std::size_t kFirstWindow = 32;

// The moments that all threads of a run share.
struct RunTimes {
  SteadyTime begin;          // of the warm-up
  SteadyTime measured_from;  // end of the warm-up
  SteadyTime end;            // nothing is due any more
};

// One thread's share of a run: which query is due and what became of each. The transports (RunUdp, RunTcp) move the
// messages. Thread: the one that runs it.
class Lane {
 public:
  // `load`, `collector` and what `stop` belongs to outlive the lane; `index` is below load.threads.
  Lane(const DnsLoad& load, std::size_t index, const RunTimes& times, std::stop_token stop, Collector& collector);

  // This lane's part of `total`.
  [[nodiscard]] std::size_t PartOf(std::size_t total) const;
  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] const DnsLoad& load() const { return load_; }
  // Queries that a new window allows. Flat out it opens with the answers: a first burst of hundreds would overrun the
  // receive buffer of a server that has not woken up yet.
  [[nodiscard]] std::size_t FirstWindow(std::size_t capacity) const {
    return flat_out() ? std::min(capacity, kFirstWindow) : capacity;
  }
  [[nodiscard]] bool flat_out() const { return schedule_.flat_out(); }
  [[nodiscard]] Tally& tally() { return tally_; }

  // Whether the warm-up is over: what belongs to no query is counted from then on.
  [[nodiscard]] bool IsMeasuring(SteadyTime now) const { return now >= times_.measured_from; }

  // Hands over the intervals that are past at `now`. False when the run is over; `open_count` queries wait for answers.
  [[nodiscard]] bool Continue(SteadyTime now, std::size_t open_count);
  // Ends the lane: counts what was never sent, and hands over the rest.
  void Finish(SteadyTime now);

  [[nodiscard]] bool IsDue(SteadyTime now) const { return schedule_.IsDue(now); }
  // Takes the query that is due: opens it in `window`, writes it to `out` and gives its size.
  std::size_t Begin(QueryWindow& window, SteadyTime now, std::span<std::uint8_t> out);

  // A message that came for `window`.
  void OnMessage(QueryWindow& window, std::span<const std::uint8_t> message, SteadyTime now);
  // A message that is too long for its buffer.
  void OnCutMessage(QueryWindow& window, std::span<const std::uint8_t> begin);
  void Fail(QueryWindow& window, QueryWindow::Pending& pending, QueryError error);
  // Fails the queries whose time is up.
  void Expire(QueryWindow& window, SteadyTime now);

  // When something is to be done even if no message comes: the next query, the end of an interval, the oldest query's
  // timeout (`oldest_sent`, or SteadyTime::max()).
  [[nodiscard]] SteadyTime NextWake(SteadyTime now, SteadyTime oldest_sent, bool has_room) const;

 private:
  [[nodiscard]] bool IsMeasured(const QueryWindow::Pending& pending) const {
    return pending.due >= times_.measured_from;
  }
  [[nodiscard]] bool HasQuestion(const Response& response, const QueryWindow::Pending& pending) const;
  void CountDue(SteadyTime now);
  void HandOver(SteadyTime now);

  const DnsLoad& load_;
  const QuerySet& queries_;
  std::size_t index_;
  RunTimes times_;
  std::stop_token stop_;
  Collector& collector_;
  Schedule schedule_;
  Schedule due_;  // the same once more: counts queries when they are due, not when there was room for them
  Tally tally_;
  std::uint64_t turn_;
  SteadyTime interval_end_;
  SteadyTime last_event_;
  std::uint64_t taken_ = 0;      // by schedule_, measured
  std::uint64_t due_count_ = 0;  // by due_, measured
};

// Sends and receives for `lane` until its run is over. `sockets` are connected and blocking.
void RunUdp(Lane& lane, std::span<const UniqueFd> sockets);
// The same over `connections` TCP connections, which it makes and makes again when they break.
void RunTcp(Lane& lane, std::size_t connections);

// A UDP socket connected to `server`, with a large receive buffer and ICMP errors told one by one.
[[nodiscard]] Result<UniqueFd> ConnectUdp(const Endpoint& server);

}  // namespace weir::bench
