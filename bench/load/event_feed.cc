#include "bench/load/event_feed.h"

#include "bench/load/appliance_answers.h"
#include "control/admin_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <limits>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace weir::bench {
namespace {

constexpr std::chrono::milliseconds kEventsInterval{1'000};
// Shares go into seconds that end at another moment than the polls: several polls fall into each.
constexpr std::chrono::milliseconds kSharesInterval{250};
constexpr std::chrono::milliseconds kPollTimeout{2'000};

Result<std::string> Ask(const Endpoint& admin, const std::string& target, std::chrono::milliseconds timeout) {
  auto reply = control::CallAdmin(admin, "GET", target, {}, timeout);
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != 200) {
    return Failure(fmt::format("{} answers {} to GET {}", admin.ToString(), reply->status, target),
                   "is this the admin API of a weir that has /v1/events?");
  }
  return std::move(reply->body);
}

Result<EventAnswer> AskEvents(const Endpoint& admin, std::uint64_t since, std::chrono::milliseconds timeout) {
  const auto body = Ask(admin, fmt::format("/v1/events?since={}", since), timeout);
  return body ? ParseEvents(*body) : std::unexpected(body.error());
}

std::string MetricsTarget() { return fmt::format("/metrics?name[]={}", GroupShares::kFamily); }

}  // namespace

// The polling thread and what it shares with the others.
class EventFeed::Loop {
 public:
  Loop(const EventFeedOptions& options, EventTrail trail, GroupShares shares)
      : options_(options), trail_(std::move(trail)), shares_(std::move(shares)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

  std::vector<ApplianceEvent> TakeEvents(WallTime run_started) {
    const std::lock_guard lock(mutex_);
    return trail_.TakeEvents(run_started);
  }
  void CountSharesFrom(SteadyTime from) {
    const std::lock_guard lock(mutex_);
    shares_from_ = from;
    // The thread may be asleep for longer than that.
    ++polls_wanted_;
    changed_.notify_all();
  }
  std::map<std::string, std::uint64_t> TakeShares() {
    const std::lock_guard lock(mutex_);
    return shares_from_ ? std::map<std::string, std::uint64_t>() : shares_.Take();
  }
  void PollNow() {
    std::unique_lock lock(mutex_);
    const auto wanted = ++polls_wanted_;
    changed_.notify_all();
    changed_.wait_for(lock, kPollTimeout, [&] { return polls_served_ >= wanted; });
  }

 private:
  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::uint64_t serving = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, stop, NextPoll(), [this] { return polls_wanted_ > polls_served_; });
        serving = polls_wanted_;
      }
      if (stop.stop_requested()) return;
      if (SharesBegin()) PollShares();
      if (PollEvents(stop) && options_.shares) PollShares();
      const std::lock_guard lock(mutex_);
      polls_served_ = serving;
      changed_.notify_all();
    }
  }

  // Guarded by mutex_.
  SteadyTime NextPoll() const {
    const auto now = std::chrono::steady_clock::now();
    const auto next = now + (options_.shares ? kSharesInterval : kEventsInterval);
    // One that could not be asked for in time is asked for with the others.
    return shares_from_ && *shares_from_ > now ? std::min(*shares_from_, next) : next;
  }
  bool SharesBegin() {
    const std::lock_guard lock(mutex_);
    return shares_from_ && *shares_from_ <= std::chrono::steady_clock::now();
  }

  // False when nothing answered.
  bool PollEvents(const std::stop_token& stop) {
    bool again = true;
    while (again && !stop.stop_requested()) {
      std::uint64_t since = 0;
      {
        const std::lock_guard lock(mutex_);
        since = trail_.since();
      }
      const auto sent = SystemClock().WallNow();
      const auto answer = AskEvents(options_.admin, since, kPollTimeout);
      const auto answered = SystemClock().WallNow();
      const std::lock_guard lock(mutex_);
      if (!answer) {
        trail_.Silent(sent, answer.error().message);
        return false;
      }
      again = trail_.Take(*answer, {.sent = sent, .answered = answered});
    }
    return true;
  }

  void PollShares() {
    const bool begins = SharesBegin();
    const auto metrics = Ask(options_.admin, MetricsTarget(), kPollTimeout);
    // An appliance that is gone is told by the next poll for events.
    if (!metrics) return;
    const std::lock_guard lock(mutex_);
    shares_.Update(*metrics);
    if (!begins) return;
    static_cast<void>(shares_.Take());
    shares_from_.reset();
  }

  const EventFeedOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_:
  EventTrail trail_;
  GroupShares shares_;
  std::optional<SteadyTime> shares_from_;  // until counting has begun there
  std::uint64_t polls_wanted_ = 0;
  std::uint64_t polls_served_ = 0;

  std::jthread thread_;  // last: it uses everything above
};

EventFeed::EventFeed(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
EventFeed::~EventFeed() = default;

Result<std::unique_ptr<EventFeed>> EventFeed::Start(const EventFeedOptions& options) {
  constexpr std::chrono::milliseconds kStartTimeout{5'000};
  // Beyond the last event: only where the journal stands is wanted.
  const auto answer = AskEvents(options.admin, std::numeric_limits<std::uint64_t>::max(), kStartTimeout);
  if (!answer) return std::unexpected(answer.error());
  EventTrail trail;
  trail.Begin(*answer);
  GroupShares shares;
  if (options.shares) {
    const auto metrics = Ask(options.admin, MetricsTarget(), kStartTimeout);
    if (!metrics) return std::unexpected(metrics.error());
    shares.Update(*metrics);
  }
  auto loop = std::make_unique<Loop>(options, std::move(trail), std::move(shares));
  return std::unique_ptr<EventFeed>(new EventFeed(std::move(loop)));
}

std::vector<ApplianceEvent> EventFeed::TakeEvents(WallTime run_started) { return loop_->TakeEvents(run_started); }
void EventFeed::CountSharesFrom(SteadyTime from) { loop_->CountSharesFrom(from); }
std::map<std::string, std::uint64_t> EventFeed::TakeShares() { return loop_->TakeShares(); }
void EventFeed::Poll() { loop_->PollNow(); }

}  // namespace weir::bench
