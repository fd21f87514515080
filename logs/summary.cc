#include "logs/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace weir::logs {
namespace {

// The value of `name`, or of all that came when the table was full.
template <class Table>
auto& ValueOf(Table& table, std::string_view name) {
  if (const auto found = table.find(name); found != table.end()) return found->second;
  const std::string_view key = table.size() < Summary::kNamesMax ? name : Summary::kOthers;
  return table.try_emplace(std::string(key)).first->second;
}

std::int64_t PartOf(WallTime time, std::chrono::seconds width) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  const std::int64_t part = seconds / width.count();
  return seconds < 0 && seconds % width.count() != 0 ? part - 1 : part;
}

// In the way that people count time.
constexpr auto kWidths = std::to_array<std::int64_t>(
    {1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800});

}  // namespace

void Tally::Count(const Entry& entry, std::optional<std::chrono::microseconds> took) {
  ++requests;
  const std::size_t hundred = entry.status / 100;
  ++by_hundred[hundred < by_hundred.size() ? hundred : 0];
  received_bytes += entry.received_bytes;
  sent_bytes += entry.sent_bytes;
  if (took) times.Record(*took);
}

void Tally::Add(const Tally& other) {
  requests += other.requests;
  for (std::size_t i = 0; i < by_hundred.size(); ++i) by_hundred[i] += other.by_hundred[i];
  received_bytes += other.received_bytes;
  sent_bytes += other.sent_bytes;
  times.Add(other.times);
}

void Summary::NoteTime(WallTime time) {
  if (!any_ || time < first_) first_ = time;
  if (!any_ || time > last_) last_ = time;
  any_ = true;
}

void Summary::Add(const Entry& entry) {
  NoteTime(entry.time);
  if (entry.kind == EntryKind::kRequest) return AddRequest(entry);
  ++connections_;
  constexpr std::string_view kFailed = "Failed:";
  const std::string_view verdict = entry[ConnectionField::kVerifyStatus];
  if (verdict.starts_with(kFailed)) ++ValueOf(failed_connections_, verdict.substr(kFailed.size()));
}

void Summary::AddRequest(const Entry& entry) {
  const auto total = entry.total_time();
  all_.Count(entry, total);
  ++statuses_[std::min<std::size_t>(entry.status, statuses_.size() - 1)];
  if (entry.target_time) target_times_.Record(*entry.target_time);
  if (const std::string_view reason = entry.error_reason(); !reason.empty()) {
    ++ValueOf(reasons_, fmt::format("{:03} {}", entry.status, reason));
  } else if (entry.status >= 500 && entry.target_status == 0) {
    ++ValueOf(reasons_, fmt::format("{:03} -", entry.status));
  }
  const std::string_view priority = entry[RequestField::kRulePriority];
  std::string_view rule = entry.rule_name;
  if (rule.empty()) rule = priority == "0" ? std::string_view("default") : priority;
  ValueOf(rules_, rule).Count(entry, total);
  if (const std::string_view group = entry.target_group(); !group.empty()) {
    ValueOf(groups_, group).Count(entry, entry.target_time);
  }
  if (const std::string_view target = entry[RequestField::kTarget]; target != "-") {
    ValueOf(targets_, target).Count(entry, entry.target_time);
  }
  const std::int64_t part = PartOf(entry.time, width_);
  if (last_interval_.second == nullptr || last_interval_.first != part) {
    last_interval_ = {part, &intervals_[part]};
  }
  last_interval_.second->Count(entry, total);
  if (intervals_.size() > kIntervalsMax) {
    width_ *= 2;
    std::map<std::int64_t, Tally> wider;
    for (const auto& [at, tally] : intervals_) {
      wider[PartOf(WallTime(std::chrono::seconds(at * (width_.count() / 2))), width_)].Add(tally);
    }
    intervals_ = std::move(wider);
    last_interval_ = {0, nullptr};
  }
  if (total) NoteSlow(entry, *total);
}

void Summary::NoteSlow(const Entry& entry, std::chrono::microseconds took) {
  if (slowest_.size() == kSlowestKept && slowest_.back().took >= took) return;
  const auto place = std::ranges::find_if(slowest_, [&](const SlowRequest& known) { return known.took < took; });
  slowest_.insert(place, {.took = took,
                          .time = entry.time,
                          .request = std::string(entry[RequestField::kRequest]),
                          .target = std::string(entry[RequestField::kTarget]),
                          .status = entry.status});
  if (slowest_.size() > kSlowestKept) slowest_.pop_back();
}

std::vector<Summary::Interval> Summary::Intervals(std::size_t parts, std::chrono::seconds& width) const {
  std::vector<Interval> out;
  width = width_;
  if (intervals_.empty() || parts == 0) return out;
  // Until the parts are few enough, as wide as a multiple of what is kept.
  const auto parts_at = [&](std::chrono::seconds wide) { return PartOf(last_, wide) - PartOf(first_, wide) + 1; };
  for (const std::int64_t seconds : kWidths) {
    if (seconds % width_.count() != 0) continue;
    width = std::chrono::seconds(seconds);
    if (parts_at(width) <= static_cast<std::int64_t>(parts)) break;
  }
  while (parts_at(width) > static_cast<std::int64_t>(parts)) width *= 2;
  const std::int64_t begin = PartOf(first_, width);
  out.resize(static_cast<std::size_t>(parts_at(width)));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].start = WallTime(std::chrono::seconds((begin + static_cast<std::int64_t>(i)) * width.count()));
  }
  for (const auto& [at, tally] : intervals_) {
    const std::int64_t part = PartOf(WallTime(std::chrono::seconds(at * width_.count())), width) - begin;
    const auto index = std::clamp<std::int64_t>(part, 0, static_cast<std::int64_t>(out.size()) - 1);
    out[static_cast<std::size_t>(index)].tally.Add(tally);
  }
  return out;
}

}  // namespace weir::logs
