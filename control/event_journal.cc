#include "control/event_journal.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <chrono>

namespace weir::control {
namespace {

namespace json = boost::json;

std::int64_t UnixMilliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

json::object EventObject(const Event& event) {
  json::object fields;
  for (const auto& [name, value] : event.fields) fields[name] = value;
  return {{"sequence", event.sequence},
          {"time", FormatIso8601(event.time)},
          {"unix-milliseconds", UnixMilliseconds(event.time)},
          {"kind", ToString(event.kind)},
          {"text", event.text},
          {"fields", std::move(fields)}};
}

}  // namespace

std::string_view ToString(EventKind kind) {
  switch (kind) {
    case EventKind::kLife:
      return "life";
    case EventKind::kHealth:
      return "health";
    case EventKind::kReload:
      return "reload";
    case EventKind::kOverride:
      return "override";
    case EventKind::kEdit:
      return "edit";
    case EventKind::kShift:
      return "shift";
    case EventKind::kZonalShift:
      return "zonal-shift";
    case EventKind::kCertificate:
      return "certificate";
  }
  return "life";
}

EventJournal::EventJournal(std::size_t capacity) : capacity_(std::max<std::size_t>(1, capacity)) {}

void EventJournal::Add(EventKind kind, WallTime time, std::string text,
                       std::vector<std::pair<std::string, std::string>> fields) {
  auto event = std::make_shared<Event>(
      Event{.sequence = 0, .time = time, .kind = kind, .text = std::move(text), .fields = std::move(fields)});
  // Freed after the lock is given back.
  std::shared_ptr<const Event> oldest;
  const std::lock_guard lock(mutex_);
  event->sequence = ++last_;
  events_.push_back(std::move(event));
  if (events_.size() > capacity_) {
    oldest = std::move(events_.front());
    events_.pop_front();
  }
}

EventPage EventJournal::Since(std::uint64_t since, std::size_t limit) const {
  EventPage page;
  const std::lock_guard lock(mutex_);
  page.last = last_;
  if (events_.empty() || since >= last_) {
    if (!events_.empty()) page.oldest = events_.front()->sequence;
    return page;
  }
  page.oldest = events_.front()->sequence;
  // Sequences have no holes: the place of one follows from its distance to the oldest.
  const std::uint64_t first = std::max(since + 1, page.oldest);
  page.dropped = first - (since + 1);
  const auto begin = static_cast<std::size_t>(first - page.oldest);
  const auto count = std::min(limit, events_.size() - begin);
  const auto from = events_.begin() + static_cast<std::ptrdiff_t>(begin);
  page.events.assign(from, from + static_cast<std::ptrdiff_t>(count));
  page.more = begin + count < events_.size();
  return page;
}

std::string EventsJson(const EventPage& page, WallTime started, WallTime now) {
  json::array events;
  for (const auto& event : page.events) events.push_back(EventObject(*event));
  const json::object out{{"started-unix-milliseconds", UnixMilliseconds(started)},
                         {"now-unix-milliseconds", UnixMilliseconds(now)},
                         {"oldest", page.oldest},
                         {"last", page.last},
                         {"dropped", page.dropped},
                         {"more", page.more},
                         {"events", std::move(events)}};
  return json::serialize(out);
}

}  // namespace weir::control
