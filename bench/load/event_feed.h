#pragma once

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "bench/load/run_record.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weir::bench {

struct EventFeedOptions {
  Endpoint admin;       // of the running appliance
  bool shares = false;  // ask for the requests per target group as well
};

// Watches the appliance under load through its admin API, once a second, on a thread of its own: what it did (GET
// /v1/events) and, when asked, how many requests each target group got (GET /metrics). An admin API that stops
// answering is an event too, and so is its return. Thread: one at a time, for every method.
class EventFeed {
 public:
  // Asks once, so that a wrong address is told before the load starts. Fails when nothing answers there, or something
  // that is not this appliance's API. Only what the appliance does from now on will be reported. Blocks up to 5 s.
  [[nodiscard]] static Result<std::unique_ptr<EventFeed>> Start(const EventFeedOptions& options);
  ~EventFeed();  // ends the thread; waits for a poll that is under way, up to 2 s
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // The events that came since the last call, in the order in which they happened; their seconds count from
  // `run_started`. The clock of an appliance on another machine is corrected by the difference seen while polling.
  [[nodiscard]] std::vector<ApplianceEvent> TakeEvents(WallTime run_started);
  // Counts shares from this moment on and not from Start: for a warm-up, whose requests are counted nowhere else
  // either. Asks the appliance at that very moment.
  void CountSharesFrom(SteadyTime from);
  // Requests per target group since the last call (the first: since counting began); only with `shares`. To be put into
  // Counts::shares of the second that has just ended. Counts every request of the appliance, not only this run's.
  [[nodiscard]] std::map<std::string, std::uint64_t> TakeShares();
  // Polls once more at once and waits for it, up to 2 s: before the last Take of a run.
  void Poll();

 private:
  class Loop;
  explicit EventFeed(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace weir::bench
