#pragma once

// What the appliance's admin API answers, read and followed from one poll to the next, without a socket.

#include "base/clock.h"
#include "base/result.h"
#include "bench/load/run_record.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::bench {

// One answer to GET /v1/events.
struct EventAnswer {
  struct Item {
    std::uint64_t sequence = 0;
    WallTime time;  // by the appliance's clock
    std::string kind;
    std::string text;
    EventTone tone = EventTone::kPlain;  // by what its fields say
  };
  WallTime started;  // the program; another value means another program
  WallTime now;      // by the appliance's clock
  std::uint64_t last = 0;
  std::uint64_t dropped = 0;
  bool more = false;
  std::vector<Item> items;
};
// Fails when the text is not what docs/admin-api.md says.
[[nodiscard]] Result<EventAnswer> ParseEvents(std::string_view body);

// Follows the appliance's events from answer to answer, through silence and restarts. Thread: one at a time.
class EventTrail {
 public:
  // Begins after the last event of this answer: what happened before is left out.
  void Begin(const EventAnswer& answer);
  // What to ask for next: events above this sequence.
  [[nodiscard]] std::uint64_t since() const { return since_; }
  // When a poll was sent and answered, by our clock.
  struct PollTimes {
    WallTime sent;
    WallTime answered;
  };
  // Takes the new events of an answer. True when it should be asked again at once: there are more, or the program is
  // another one and begins to count anew.
  [[nodiscard]] bool Take(const EventAnswer& answer, const PollTimes& times);
  // The poll failed; a first failure becomes an event.
  void Silent(WallTime when, std::string_view why);
  // The events since the last call; their seconds count from `run_started`.
  [[nodiscard]] std::vector<ApplianceEvent> TakeEvents(WallTime run_started);

 private:
  void Add(WallTime when, ApplianceEvent event);

  std::uint64_t since_ = 0;
  WallTime started_;
  bool silent_ = false;
  std::vector<std::pair<WallTime, ApplianceEvent>> events_;  // by our clock
};

// Turns the counters `weir_target_group_requests_total` of one answer to GET /metrics after the other into requests per
// target group. Thread: one at a time.
class GroupShares {
 public:
  // The counter to ask for.
  static constexpr std::string_view kFamily = "weir_target_group_requests_total";
  // The first text is where counting begins. A counter that went back (the program was restarted) counts from zero.
  void Update(std::string_view metrics);
  // Requests per target group since the last call; groups without any are left out.
  [[nodiscard]] std::map<std::string, std::uint64_t> Take();

 private:
  bool begun_ = false;
  std::map<std::string, std::uint64_t> counters_;
  std::map<std::string, std::uint64_t> shares_;
};

}  // namespace weir::bench
