#pragma once

#include "base/clock.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::control {

// What an event is about; the word in parentheses is how it is written.
enum class EventKind : std::uint8_t {
  kLife,         // the program is ready or drains (`life`)
  kHealth,       // a target or a DNS health check changed its state (`health`)
  kReload,       // a configuration was loaded or refused (`reload`)
  kOverride,     // the state of a target or a check was forced, released or dropped (`override`)
  kEdit,         // the document was edited, or an edit is gone by a reload (`edit`)
  kShift,        // weights were overridden, released or dropped (`shift`)
  kCertificate,  // a certificate expires soon (`certificate`)
  kZonalShift,   // a zonal shift was started, or is over (`zonal-shift`)
};
[[nodiscard]] std::string_view ToString(EventKind kind);

// One thing that the appliance did. Fields are what `text` says, for programs.
struct Event {
  std::uint64_t sequence = 0;  // 1, 2, 3 ... since the program started
  WallTime time;
  EventKind kind = EventKind::kLife;
  std::string text;  // one sentence for people
  std::vector<std::pair<std::string, std::string>> fields;
};

// Some events in their order, and what is known of the others.
struct EventPage {
  std::vector<std::shared_ptr<const Event>> events;
  std::uint64_t oldest = 0;   // sequence of the oldest event that is kept; 0 when none is
  std::uint64_t last = 0;     // sequence of the newest event; 0 before the first
  std::uint64_t dropped = 0;  // events that were asked for and are not kept any more
  bool more = false;          // there are newer ones than those of this page
};

// The last events of the appliance, bounded: a new one pushes the oldest out. Writers never wait for longer than it
// takes to copy some pointers. Thread: any, for every method.
class EventJournal {
 public:
  static constexpr std::size_t kEventsMax = 4'096;

  // Keeps at most `capacity` events, at least one.
  explicit EventJournal(std::size_t capacity = kEventsMax);
  EventJournal(const EventJournal&) = delete;
  EventJournal& operator=(const EventJournal&) = delete;

  // Numbers the event and keeps it. Events are in the order of the calls.
  void Add(EventKind kind, WallTime time, std::string text, std::vector<std::pair<std::string, std::string>> fields);
  // The oldest `limit` events with a sequence above `since`.
  [[nodiscard]] EventPage Since(std::uint64_t since, std::size_t limit) const;

 private:
  std::size_t capacity_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::deque<std::shared_ptr<const Event>> events_;
  std::uint64_t last_ = 0;
};

// The answer to GET /v1/events. `started` is when the program started, `now` the present time of its clock.
[[nodiscard]] std::string EventsJson(const EventPage& page, WallTime started, WallTime now);

}  // namespace weir::control
