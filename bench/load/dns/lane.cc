#include "bench/load/dns/lane.h"

#include <algorithm>
#include <utility>

namespace weir::bench {
namespace {

std::uint64_t PartOfTotal(std::uint64_t total, std::size_t parts, std::size_t index) {
  return total / parts + (index < total % parts ? 1 : 0);
}

Schedule::Options ScheduleOptions(const DnsLoad& load, std::size_t index, const RunTimes& times) {
  const auto threads = static_cast<double>(load.threads);
  return {.rate = load.rate / threads,
          .arrival = load.arrival,
          .phase = static_cast<double>(index) / threads,
          .queries_max = PartOfTotal(load.queries_max, load.threads, index),
          .begin = times.begin,
          .end = times.end,
          .seed = load.seed + index};
}

}  // namespace

Lane::Lane(const DnsLoad& load, std::size_t index, const RunTimes& times, std::stop_token stop, Collector& collector)
    : load_(load),
      queries_(*load.queries),
      index_(index),
      times_(times),
      stop_(std::move(stop)),
      collector_(collector),
      schedule_(ScheduleOptions(load, index, times)),
      due_(ScheduleOptions(load, index, times)),
      turn_(queries_.size() * index / load.threads),
      interval_end_(times.measured_from + kIntervalLength),
      last_event_(times.begin) {}

std::size_t Lane::PartOf(std::size_t total) const { return PartOfTotal(total, load_.threads, index_); }

bool Lane::Continue(SteadyTime now, std::size_t open_count) {
  CountDue(now);
  HandOver(now);
  if (stop_.stop_requested()) return false;
  if (flat_out() && now >= times_.end) schedule_.Finish();
  if (schedule_.finished()) return open_count > 0;
  // At a rate that the server cannot keep up with, what is left after the end is given up with the last timeouts.
  return times_.end == SteadyTime::max() || now < times_.end + load_.timeout;
}

void Lane::CountDue(SteadyTime now) {
  if (flat_out()) return;
  std::uint64_t count = 0;
  while (due_.IsDue(now)) {
    if (due_.Take(now) >= times_.measured_from) ++count;
  }
  due_count_ += count;
  tally_.CountStarted(count);
}

void Lane::HandOver(SteadyTime now) {
  // What ends after the end belongs to the last interval.
  while (now >= interval_end_ && interval_end_ < times_.end) {
    collector_.Put(index_, tally_.Take());
    interval_end_ += kIntervalLength;
  }
}

void Lane::Finish(SteadyTime now) {
  if (!stop_.stop_requested()) {
    CountDue(now);
    if (due_count_ > taken_) tally_.CountError(QueryError::kNotSent, due_count_ - taken_);
  }
  collector_.Put(index_, tally_.Take());
  collector_.Finish(index_, stop_.stop_requested() || last_event_ == times_.begin ? now : last_event_);
}

std::size_t Lane::Begin(QueryWindow& window, SteadyTime now, std::span<std::uint8_t> out) {
  const SteadyTime due = schedule_.Take(now);
  const std::uint64_t turn = turn_++;
  const auto& pending = window.Open(due, now, queries_.QuestionOf(turn));
  const std::size_t bytes = queries_.Put(turn, pending.id, out);
  if (due >= times_.measured_from) {
    ++taken_;
    if (flat_out()) tally_.CountStarted(1);
    tally_.CountSent(bytes);
  }
  return bytes;
}

bool Lane::HasQuestion(const Response& response, const QueryWindow::Pending& pending) const {
  // FORMERR may come without one (RFC 1035 4.1.1 does not say); with another one it is an answer to something else.
  if (response.question.empty()) return response.rcode != 0;
  return std::ranges::equal(response.question, queries_.question(pending.question));
}

void Lane::OnMessage(QueryWindow& window, std::span<const std::uint8_t> message, SteadyTime now) {
  auto* pending = message.size() < 2 ? nullptr : window.Find(MessageId(message));
  if (pending == nullptr) {
    if (IsMeasuring(now)) tally_.CountError(QueryError::kMismatch);
    return;
  }
  Response response;
  if (!ReadResponse(message, queries_.type(pending->question), response)) {
    Fail(window, *pending, QueryError::kMalformed);
    return;
  }
  if (!HasQuestion(response, *pending)) {
    Fail(window, *pending, QueryError::kMismatch);
    return;
  }
  last_event_ = now;
  if (IsMeasured(*pending)) tally_.CountAnswer(message, response, now - pending->due);
  window.Close(*pending);
  window.Widen();
}

void Lane::OnCutMessage(QueryWindow& window, std::span<const std::uint8_t> begin) {
  auto* pending = begin.size() < 2 ? nullptr : window.Find(MessageId(begin));
  if (pending != nullptr) Fail(window, *pending, QueryError::kMalformed);
}

void Lane::Fail(QueryWindow& window, QueryWindow::Pending& pending, QueryError error) {
  if (IsMeasured(pending)) tally_.CountError(error);
  window.Close(pending);
}

void Lane::Expire(QueryWindow& window, SteadyTime now) {
  for (auto* oldest = window.oldest(); oldest != nullptr && now - oldest->sent >= load_.timeout;
       oldest = window.oldest()) {
    last_event_ = now;
    Fail(window, *oldest, QueryError::kTimeout);
  }
}

SteadyTime Lane::NextWake(SteadyTime now, SteadyTime oldest_sent, bool has_room) const {
  SteadyTime wake = SteadyTime::max();
  if (!schedule_.finished()) {
    // `end` is in the past while the last answers are awaited.
    if (now < times_.end) wake = times_.end;
    if (has_room && !flat_out()) wake = std::min(wake, schedule_.next());
  }
  if (interval_end_ < times_.end) wake = std::min(wake, interval_end_);
  if (oldest_sent != SteadyTime::max()) wake = std::min(wake, oldest_sent + load_.timeout);
  return wake;
}

}  // namespace weir::bench
