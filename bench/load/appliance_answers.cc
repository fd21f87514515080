#include "bench/load/appliance_answers.h"

#include "base/text.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace weir::bench {
namespace {

namespace json = boost::json;

// Reads members and remembers whether one was absent or of another type.
class MemberReader {
 public:
  explicit MemberReader(const json::object& object) : object_(object) {}
  std::uint64_t Number(std::string_view name) { return Value<std::uint64_t>(name); }
  bool Truth(std::string_view name) {
    const auto* value = object_.if_contains(name);
    if (value != nullptr && value->is_bool()) return value->get_bool();
    complete_ = false;
    return false;
  }
  std::string Text(std::string_view name) {
    const auto* value = object_.if_contains(name);
    if (value != nullptr && value->is_string()) return std::string(value->get_string());
    complete_ = false;
    return {};
  }
  WallTime Time(std::string_view name) { return WallTime(std::chrono::milliseconds(Value<std::int64_t>(name))); }
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  template <class T>
  T Value(std::string_view name) {
    const auto* value = object_.if_contains(name);
    json::error_code error;
    const T number = value != nullptr && value->is_number() ? value->to_number<T>(error) : T{};
    if (value == nullptr || !value->is_number() || error) complete_ = false;
    return number;
  }

  const json::object& object_;
  bool complete_ = true;
};

std::string_view FieldOf(const json::object& event, std::string_view name) {
  const auto* fields = event.if_contains("fields");
  const auto* value = fields != nullptr && fields->is_object() ? fields->get_object().if_contains(name) : nullptr;
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

EventTone ToneOf(std::string_view kind, const json::object& event) {
  if (kind == "reload") return FieldOf(event, "result") == "refused" ? EventTone::kBad : EventTone::kPlain;
  if (kind != "health") return EventTone::kPlain;
  const auto to = FieldOf(event, "to");
  if (to == "healthy") return EventTone::kGood;
  return to == "unhealthy" || to == "unavailable" ? EventTone::kBad : EventTone::kPlain;
}

std::optional<EventAnswer::Item> ReadItem(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  MemberReader reader(value.get_object());
  EventAnswer::Item item{.sequence = reader.Number("sequence"),
                         .time = reader.Time("unix-milliseconds"),
                         .kind = reader.Text("kind"),
                         .text = reader.Text("text")};
  item.tone = ToneOf(item.kind, value.get_object());
  return reader.complete() ? std::optional(std::move(item)) : std::nullopt;
}

// How far the appliance's clock is ahead of ours; zero when the poll was too slow to tell.
WallTime::duration ClockAhead(WallTime appliance, const EventTrail::PollTimes& times) {
  // The appliance tells milliseconds only.
  constexpr std::chrono::milliseconds kResolution{1};
  const auto uncertain = times.answered - times.sent + kResolution;
  const auto ahead = appliance - (times.sent + (times.answered - times.sent) / 2);
  return ahead > uncertain || -ahead > uncertain ? ahead : WallTime::duration::zero();
}

// `blue` of `{target_group="blue"} 12`; what stands behind the label is left in `rest`.
std::optional<std::string> ReadLabel(std::string_view& rest) {
  constexpr std::string_view kOpening = "{target_group=\"";
  if (!rest.starts_with(kOpening)) return std::nullopt;
  std::string name;
  for (std::size_t i = kOpening.size(); i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return name;
    }
    const bool escape = rest[i] == '\\' && i + 1 < rest.size();
    if (escape) ++i;
    name += escape && rest[i] == 'n' ? '\n' : rest[i];
  }
  return std::nullopt;
}

}  // namespace

Result<EventAnswer> ParseEvents(std::string_view body) {
  constexpr auto kForeign = "the answer to GET /v1/events is not that of this program";
  json::error_code error;
  const json::value parsed = json::parse({body.data(), body.size()}, error);
  if (error || !parsed.is_object()) return Failure(kForeign);
  const auto& object = parsed.get_object();
  MemberReader reader(object);
  EventAnswer out;
  out.started = reader.Time("started-unix-milliseconds");
  out.now = reader.Time("now-unix-milliseconds");
  out.last = reader.Number("last");
  out.dropped = reader.Number("dropped");
  out.more = reader.Truth("more");
  const auto* items = object.if_contains("events");
  if (!reader.complete() || items == nullptr || !items->is_array()) return Failure(kForeign);
  for (const auto& value : items->get_array()) {
    auto item = ReadItem(value);
    if (!item) return Failure(kForeign);
    out.items.push_back(std::move(*item));
  }
  return out;
}

void EventTrail::Begin(const EventAnswer& answer) {
  started_ = answer.started;
  since_ = answer.last;
}

bool EventTrail::Take(const EventAnswer& answer, const PollTimes& times) {
  if (silent_) {
    Add(times.answered, {.kind = "admin", .text = "the admin API answers again", .tone = EventTone::kGood});
  }
  silent_ = false;
  if (answer.started != started_) {
    started_ = answer.started;
    since_ = 0;
    Add(answer.started - ClockAhead(answer.now, times), {.kind = "life", .text = "the appliance was started anew"});
    return true;
  }
  if (answer.dropped > 0) {
    Add(times.answered, {.kind = "admin",
                         .text = fmt::format("{} events were dropped before they were read", answer.dropped),
                         .tone = EventTone::kBad});
  }
  const auto ahead = ClockAhead(answer.now, times);
  for (const auto& item : answer.items) {
    since_ = std::max(since_, item.sequence);
    Add(item.time - ahead, {.kind = item.kind, .text = item.text, .tone = item.tone});
  }
  return answer.more && !answer.items.empty();
}

void EventTrail::Silent(WallTime when, std::string_view why) {
  if (silent_) return;
  silent_ = true;
  Add(when, {.kind = "admin", .text = fmt::format("the admin API does not answer: {}", why), .tone = EventTone::kBad});
}

void EventTrail::Add(WallTime when, ApplianceEvent event) { events_.emplace_back(when, std::move(event)); }

std::vector<ApplianceEvent> EventTrail::TakeEvents(WallTime run_started) {
  std::vector<ApplianceEvent> out;
  for (auto& [when, event] : events_) {
    event.seconds = std::chrono::duration<double>(when - run_started).count();
    out.push_back(std::move(event));
  }
  events_.clear();
  return out;
}

void GroupShares::Update(std::string_view metrics) {
  while (!metrics.empty()) {
    const auto end = std::min(metrics.find('\n'), metrics.size());
    auto line = metrics.substr(0, end);
    metrics.remove_prefix(std::min(end + 1, metrics.size()));
    if (!line.starts_with(kFamily)) continue;
    line.remove_prefix(kFamily.size());
    const auto name = ReadLabel(line);
    if (!name || !line.starts_with("} ")) continue;
    const auto value = ParseDecimal(line.substr(2));
    if (!value) continue;
    auto& counter = counters_[*name];
    const auto grown = *value >= counter ? *value - counter : *value;
    counter = *value;
    if (begun_ && grown > 0) shares_[*name] += grown;
  }
  begun_ = true;
}

std::map<std::string, std::uint64_t> GroupShares::Take() { return std::exchange(shares_, {}); }

}  // namespace weir::bench
