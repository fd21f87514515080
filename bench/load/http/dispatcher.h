#pragma once

#include "base/clock.h"
#include "bench/load/http/arrivals.h"
#include "bench/load/http/connection.h"
#include "bench/load/http/http_counts.h"
#include "bench/load/http/load_plan.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::bench {

// Opens connections; the thread's own in a run, a fake in tests.
class ConnectionOpener {
 public:
  // Begins to open a connection. Null with `error` set (an errno) when the system refuses at once.
  [[nodiscard]] virtual std::unique_ptr<Connection> Open(std::uint32_t origin, int& error) = 0;
  // Takes over a connection that is gone.
  virtual void Destroy(std::unique_ptr<Connection> connection) = 0;
  // The time right now.
  [[nodiscard]] virtual SteadyTime Now() const = 0;

 protected:
  ~ConnectionOpener() = default;
};

struct DispatchSettings {
  bool open_loop = false;
  unsigned connections_max = 1;   // to each origin
  unsigned in_flight_max = 1;     // closed loop: requests that are always under way
  std::size_t waiting_max = 0;    // open loop: requests that are due and wait for a connection
  bool keeps_connections = true;  // false: each request has a connection of its own
  bool counts_shares = false;     // by ResponseFacts::share
  SteadyTime start;
  SteadyTime measure_from;             // requests that are due before this are sent, but not counted (warm-up)
  SteadyTime end = SteadyTime::max();  // nothing that is due from here on is sent
  std::uint64_t requests_max = std::numeric_limits<std::uint64_t>::max();  // of those that are counted
};

// Decides which request goes to which connection when, and counts what comes of it: the part of a generator thread
// that knows no socket and no clock of its own. Closed loop: each answer makes room for the next request. Open loop:
// requests are due at their times whatever the answers do; one that finds no free connection waits, and its latency
// counts from the time at which it was due. Thread: one.
class Dispatcher final : public ConnectionEvents {
 public:
  // Where a failed connection attempt is not repeated at once, so that a dead target costs no whole CPU.
  static constexpr std::chrono::milliseconds kPause{50};

  // `plan` and `opener` outlive the dispatcher.
  Dispatcher(const DispatchSettings& settings, const LoadPlan& plan, std::unique_ptr<Arrivals> arrivals,
             ConnectionOpener& opener);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Opens the first connections. The first requests are sent by Advance at `start`.
  void Start();
  // Sends what has become due; past the end, gives up what still waits for a connection.
  void Advance(SteadyTime now);
  // When Advance has something to do next, as far as time alone decides.
  [[nodiscard]] std::optional<SteadyTime> next_wake() const;
  // Everything that was to be sent has been answered or has failed.
  [[nodiscard]] bool finished() const;

  // Moves the counts since the last call to `out`, which is empty.
  void MoveCounts(Counts& out) { counts_.MoveTo(out, names_); }
  [[nodiscard]] const Histogram& lateness() const { return counts_.lateness; }
  // The first detail of each kind of error, as far as there was one.
  [[nodiscard]] const std::map<ErrorKind, std::string>& details() const { return details_; }
  [[nodiscard]] ShareNames& names() { return names_; }
  // For the bytes, which the connections count themselves.
  [[nodiscard]] HttpCounts& counts() { return counts_; }

  void OnRoom(Connection& connection) override;
  void OnResponse(Connection& connection, const Request& request, const ResponseFacts& facts) override;
  void OnFailure(Connection& connection, const Request& request, ErrorKind kind, std::string_view detail) override;
  void OnOvertaken(Connection& connection, const Request& request) override;
  void OnStrayBytes(Connection& connection) override;
  void OnGone(Connection& connection) override;

 private:
  // The connections to one origin.
  struct Pool {
    std::size_t open = 0;
    std::deque<Connection*> with_room;  // the one that waits longest is asked first
    std::deque<Request> waiting;
  };
  [[nodiscard]] bool is_measured(const Request& request) const { return request.due >= settings_.measure_from; }
  // Takes the next arrival's place in the count; false when the run has no more requests.
  [[nodiscard]] bool TakeQuota(const Request& request);
  void SendNext(SteadyTime now);
  void SendDue(SteadyTime now);
  void Assign(const Request& request);
  Connection* TakeConnection(std::uint32_t origin, int& error);
  Connection* OpenConnection(std::uint32_t origin, int& error);
  void Offer(Connection& connection);
  void ServeWaiting(Pool& pool);
  void SendOn(Connection& connection, const Request& request);
  void Count(const Request& request, ErrorKind kind, std::string_view detail);
  void Fail(const Request& request, ErrorKind kind, std::string_view detail, bool pause);
  void FinishSlot(bool pause);
  void GiveUpWaiting();

  DispatchSettings settings_;
  const LoadPlan& plan_;
  std::unique_ptr<Arrivals> arrivals_;
  ConnectionOpener& opener_;
  ShareNames names_;
  HttpCounts counts_;
  std::map<ErrorKind, std::string> details_;

  std::vector<Pool> pools_;                               // by origin
  std::vector<std::unique_ptr<Connection>> connections_;  // all that are not gone
  std::optional<Arrival> next_;                           // open loop
  std::uint64_t quota_ = 0;
  std::size_t in_flight_ = 0;  // on a connection
  std::size_t waiting_ = 0;    // in all pools
  unsigned paused_ = 0;        // closed loop: requests to send when the pause is over
  SteadyTime pause_until_;
  bool is_measuring_ = false;  // the warm-up is over
  bool is_over_ = false;       // the end has passed
};

}  // namespace weir::bench
