#pragma once

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "bench/load/answers.h"
#include "bench/load/http/load_plan.h"
#include "bench/load/http/load_thread.h"
#include "bench/load/run_record.h"
#include "net/event_loop.h"
#include "net/tls_client.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::bench {

enum class ArrivalKind : std::uint8_t { kClosedLoop, kConstant, kPoisson, kRecorded };

// What a run does; docs/bench.md explains each. The numbers were checked: positive where it says so.
struct HttpLoadSettings {
  ArrivalKind arrivals = ArrivalKind::kClosedLoop;
  double rate = 0;                              // requests a second; kConstant, kPoisson: positive
  std::vector<std::uint32_t> weights;           // of the plan's requests; not for kRecorded
  std::vector<std::chrono::nanoseconds> times;  // kRecorded: ascending, since the start of the log
  std::vector<std::uint32_t> times_requests;    // kRecorded: which request of the plan
  double speed = 1;                             // kRecorded: positive
  unsigned connections = 64;                    // in all threads; at least `threads`
  unsigned streams = 1;                         // HTTP/2: requests at a time on a connection
  unsigned threads = 1;
  std::optional<std::chrono::nanoseconds> duration;  // without the warm-up
  std::optional<std::uint64_t> requests_max;         // without the warm-up; at least `threads`
  std::chrono::nanoseconds warmup{0};
  std::chrono::nanoseconds timeout{std::chrono::seconds(10)};
  std::size_t waiting_max = 100'000;  // open loop: requests that wait for a connection, in all threads
  bool http2 = false;
  bool websocket = false;
  bool keeps_connections = true;
  AnswerSet expected = ExpectedStatuses();  // all other answers are errors besides
  std::string group_header;
  net::TlsClientSettings tls;
  double tls_resume_percent = 0;  // of new TLS connections, as far as there are sessions to resume
  enum class Family : std::uint8_t { kAny, kV4, kV6 } family = Family::kAny;
  std::map<std::string, std::vector<IpAddress>> addresses;  // by `host:port` in lower case: not looked up
};

struct HttpLoadResult {
  RunRecord record;                          // title, settings and events are the caller's to fill in
  Histogram lateness;                        // open loop: how long after its time a request was sent
  std::map<ErrorKind, std::string> details;  // the first detail of each kind of error
};

// Runs a load from the calling thread, whose loop carries the ticks; the generator threads do the work. Thread: one.
class HttpLoadRun {
 public:
  HttpLoadRun(net::EventLoop& loop, LoadPlan plan, HttpLoadSettings settings);
  ~HttpLoadRun();
  HttpLoadRun(const HttpLoadRun&) = delete;
  HttpLoadRun& operator=(const HttpLoadRun&) = delete;

  // Called before the load starts, with the time from which on requests are counted, when there is a warm-up.
  std::function<void(SteadyTime measure_from)> on_warmup;
  // Called when everything was answered, before the last second is counted.
  std::function<void()> on_end;
  // Called for every second that has ended, before it is summed up: may add to it (shares).
  std::function<void(Counts& second)> on_counts;
  // Called after that.
  std::function<void(const Interval& second)> on_interval;

  // Looks the origins up, runs the load to its end and gives what was counted. Fails before anything is sent: a name
  // that is not found, TLS that cannot be set up. Runs the loop.
  [[nodiscard]] Result<HttpLoadResult> Run();
  // Ends the run where it is; Run returns soon. From a callback of the loop.
  void Interrupt();

 private:
  class Ticker;
  [[nodiscard]] Result<void> ResolveOrigins();
  [[nodiscard]] Result<std::vector<Endpoint>> Resolve(const Origin& origin);
  [[nodiscard]] Result<void> BuildThreads();
  [[nodiscard]] Result<std::unique_ptr<Arrivals>> BuildArrivals(Part part) const;
  void StartThreads();
  void Tick();
  void Collect(bool last);
  void Sum(const std::vector<std::shared_ptr<Counts>>& parts, SteadyTime until, bool last);
  void BeginMeasuring();
  [[nodiscard]] double SecondsMeasured(SteadyTime until) const;
  void AddInterval(Counts counts, double start, double length, bool last);

  net::EventLoop& loop_;
  LoadPlan plan_;
  HttpLoadSettings settings_;
  SteadyTime start_;
  SteadyTime measure_from_;
  std::vector<std::unique_ptr<LoadThread>> threads_;
  std::unique_ptr<Ticker> ticker_;

  std::size_t finished_ = 0;   // threads
  bool collecting_ = false;    // a collection is under way
  bool collect_last_ = false;  // another one is wanted after it: the last
  bool measuring_ = false;     // the warm-up is over
  bool interrupted_ = false;
  bool done_ = false;
  SteadyTime interval_start_;
  double cpu_at_start_ = 0;
  Counts gathered_;     // since the last interval
  Counts last_counts_;  // of the last interval
  HttpLoadResult result_;
};

}  // namespace weir::bench
