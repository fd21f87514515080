#include "proxy/downstream/client_gate.h"

#include "proxy/connection_limits.h"
#include "proxy/downstream/downstream_connection.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace weir::proxy {

ClientGate::ClientGate(WorkerState& worker, const DownstreamConnections& connections, ClientCrowd* crowd,
                       std::function<void()> on_room)
    : worker_(worker), connections_(connections), crowd_(crowd), on_room_(std::move(on_room)) {}

ClientGate::~ClientGate() {
  worker_.room_awaited = nullptr;
  if (crowded_ && crowd_ != nullptr) crowd_->End();
}

bool ClientGate::open() const { return connections_.all().size() < worker_.limits.clients; }

void ClientGate::Wait() {
  worker_.room_awaited = this;
  last_wait_ = worker_.loop.now();
  if (!std::exchange(crowded_, true) && crowd_ != nullptr) crowd_->Begin();
  if (!net::Timer::scheduled()) worker_.loop.timers().Schedule(*this, last_wait_ + kCheckInterval);
}

void ClientGate::RunTask() {
  if (worker_.room_awaited == nullptr || !open()) return;
  worker_.room_awaited = nullptr;
  on_room_();
}

void ClientGate::OnTimer() {
  const bool waiting = worker_.room_awaited != nullptr;
  if (waiting) {
    SendIdleAway();
    RunTask();  // a reload may have moved the limit
    last_wait_ = worker_.loop.now();
  } else if (worker_.loop.now() - last_wait_ >= kCalmTime) {
    crowded_ = false;
    if (crowd_ != nullptr) crowd_->End();
    return;
  }
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kCheckInterval);
}

// Some at a time: how many wait is not known. Those who were sent away leave when their system has the last answer.
void ClientGate::SendIdleAway() {
  // Closing puts the last one into the place of the one that closed: backwards, none is missed.
  for (std::size_t i = connections_.all().size(); i-- > 0;) {
    DownstreamConnection& connection = *connections_.all()[i];
    if (connection.has_ended()) connection.CloseWhenIdle();
  }
  if (open()) return;
  const auto latest = worker_.loop.now() - kIdleBeforeLeaving;
  std::vector<std::pair<SteadyTime, DownstreamConnection*>> idle;
  for (const auto& connection : connections_.all()) {
    const auto since = connection->idle_since();
    if (since && *since <= latest) idle.emplace_back(*since, connection.get());
  }
  const std::size_t leaving =
      std::min(idle.size(), std::clamp(worker_.limits.clients / 8, std::size_t{1}, kLeavingMax));
  std::ranges::partial_sort(idle, idle.begin() + static_cast<std::ptrdiff_t>(leaving));
  for (std::size_t i = 0; i < leaving; ++i) idle[i].second->CloseWhenIdle();
}

}  // namespace weir::proxy
