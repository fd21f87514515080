#include "bench/load/http/dispatcher.h"

#include <algorithm>
#include <utility>

namespace weir::bench {

Dispatcher::Dispatcher(const DispatchSettings& settings, const LoadPlan& plan, std::unique_ptr<Arrivals> arrivals,
                       ConnectionOpener& opener)
    : settings_(settings),
      plan_(plan),
      arrivals_(std::move(arrivals)),
      opener_(opener),
      pools_(plan.origins().size()),
      quota_(settings.requests_max) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::Start() {
  if (settings_.open_loop) {
    next_ = arrivals_->Next();
    // A schedule is kept by connections that are open already, not by those that each request would have to open.
    for (std::uint32_t origin = 0; origin < pools_.size() && settings_.keeps_connections; ++origin) {
      int error = 0;
      for (unsigned i = 0; i < settings_.connections_max && error == 0; ++i) OpenConnection(origin, error);
    }
    return;
  }
  paused_ = settings_.in_flight_max;
  pause_until_ = settings_.start;
}

std::optional<SteadyTime> Dispatcher::next_wake() const {
  std::optional<SteadyTime> wake;
  const auto consider = [&](SteadyTime time) { wake = wake ? std::min(*wake, time) : time; };
  if (is_over_) return wake;
  if (!is_measuring_) consider(settings_.measure_from);
  if (settings_.open_loop && next_ && quota_ > 0) consider(settings_.start + next_->at);
  if (paused_ > 0) consider(pause_until_);
  if (settings_.end != SteadyTime::max()) consider(settings_.end);
  return wake;
}

bool Dispatcher::finished() const {
  if (in_flight_ > 0 || waiting_ > 0) return false;
  if (is_over_ || quota_ == 0) return true;
  return settings_.open_loop ? !next_ : paused_ == 0;
}

void Dispatcher::Advance(SteadyTime now) {
  if (!is_measuring_ && now >= settings_.measure_from) {
    is_measuring_ = true;
    if (settings_.measure_from > settings_.start) counts_.ForgetTraffic();
  }
  if (settings_.open_loop) SendDue(std::min(now, settings_.end - std::chrono::nanoseconds(1)));
  if (!is_over_ && now >= settings_.end) {
    is_over_ = true;
    GiveUpWaiting();
  }
  if (paused_ > 0 && (is_over_ || now >= pause_until_)) {
    for (unsigned slots = std::exchange(paused_, 0); slots > 0; --slots) SendNext(now);
  }
}

bool Dispatcher::TakeQuota(const Request& request) {
  if (quota_ == 0) return false;
  if (!is_measured(request)) return true;
  --quota_;
  ++counts_.started;
  return true;
}

void Dispatcher::SendNext(SteadyTime now) {
  if (is_over_ || now >= settings_.end || quota_ == 0) return;
  const auto arrival = arrivals_->Next();
  if (!arrival) return;
  const Request request{.index = arrival->request, .due = now};
  if (TakeQuota(request)) Assign(request);
}

void Dispatcher::SendDue(SteadyTime now) {
  while (next_ && quota_ > 0) {
    const Request request{.index = next_->request, .due = settings_.start + next_->at};
    if (request.due > now) return;
    next_ = arrivals_->Next();
    if (TakeQuota(request)) Assign(request);
  }
}

void Dispatcher::Assign(const Request& request) {
  const std::uint32_t origin = plan_.requests()[request.index].origin;
  int error = 0;
  Connection* const connection = TakeConnection(origin, error);
  if (connection != nullptr) return SendOn(*connection, request);
  if (error != 0) return Fail(request, ConnectErrorKind(error), {}, true);
  if (settings_.open_loop && waiting_ >= settings_.waiting_max) return Count(request, ErrorKind::kBacklog, {});
  pools_[origin].waiting.push_back(request);
  ++waiting_;
}

Connection* Dispatcher::TakeConnection(std::uint32_t origin, int& error) {
  Pool& pool = pools_[origin];
  while (!pool.with_room.empty()) {
    Connection* const connection = pool.with_room.front();
    pool.with_room.pop_front();
    connection->is_listed_ = false;
    if (connection->room() > 0) return connection;
  }
  if (pool.open >= settings_.connections_max) return nullptr;
  return OpenConnection(origin, error);
}

Connection* Dispatcher::OpenConnection(std::uint32_t origin, int& error) {
  auto connection = opener_.Open(origin, error);
  if (!connection) return nullptr;
  Connection* const opened = connection.get();
  opened->index_ = connections_.size();
  connections_.push_back(std::move(connection));
  ++pools_[origin].open;
  ++counts_.connections;
  return opened;
}

void Dispatcher::SendOn(Connection& connection, const Request& request) {
  ++in_flight_;
  if (settings_.open_loop && !request.was_sent && is_measured(request))
    counts_.lateness.Record(opener_.Now() - request.due);
  connection.Send(request);
  if (connection.room() > 0) Offer(connection);
}

void Dispatcher::Offer(Connection& connection) {
  if (connection.is_listed_ || connection.room() == 0) return;
  connection.is_listed_ = true;
  pools_[connection.origin()].with_room.push_back(&connection);
}

void Dispatcher::ServeWaiting(Pool& pool) {
  while (!pool.waiting.empty()) {
    const Request request = pool.waiting.front();
    int error = 0;
    Connection* const connection = TakeConnection(plan_.requests()[request.index].origin, error);
    if (connection == nullptr && error == 0) return;
    pool.waiting.pop_front();
    --waiting_;
    if (connection != nullptr) {
      SendOn(*connection, request);
    } else {
      Fail(request, ConnectErrorKind(error), {}, true);
    }
  }
}

void Dispatcher::OnRoom(Connection& connection) {
  Offer(connection);
  ServeWaiting(pools_[connection.origin()]);
}

void Dispatcher::OnResponse(Connection& connection, const Request& request, const ResponseFacts& facts) {
  const SteadyTime now = opener_.Now();
  --in_flight_;
  if (is_measured(request)) {
    counts_.AddResponse(facts.status, now - request.due);
    if (settings_.counts_shares) counts_.AddShare(facts.share);
  }
  Offer(connection);
  ServeWaiting(pools_[connection.origin()]);
  if (!settings_.open_loop) SendNext(now);
}

void Dispatcher::OnFailure(Connection& connection, const Request& request, ErrorKind kind, std::string_view detail) {
  --in_flight_;
  Fail(request, kind, detail, !connection.has_answered());
  Offer(connection);
  ServeWaiting(pools_[connection.origin()]);
}

// A server that ends connections before it answered on any would be asked without end.
void Dispatcher::OnOvertaken(Connection& connection, const Request& request) {
  if (!connection.has_answered()) return OnFailure(connection, request, ErrorKind::kHttp2Refused, "GOAWAY");
  --in_flight_;
  if (is_over_) return Count(request, ErrorKind::kUnsent, {});
  Request again = request;
  again.was_sent = true;
  Assign(again);
}

void Dispatcher::OnStrayBytes(Connection& /*connection*/) {
  if (opener_.Now() >= settings_.measure_from) counts_.AddError(ErrorKind::kStrayBytes);
}

void Dispatcher::OnGone(Connection& connection) {
  Pool& pool = pools_[connection.origin()];
  --pool.open;
  if (connection.is_listed_) std::erase(pool.with_room, &connection);
  connection.is_listed_ = false;
  const std::size_t index = connection.index_;
  std::swap(connections_[index], connections_.back());
  connections_[index]->index_ = index;
  opener_.Destroy(std::move(connections_.back()));
  connections_.pop_back();
  ServeWaiting(pool);
}

void Dispatcher::Count(const Request& request, ErrorKind kind, std::string_view detail) {
  if (!is_measured(request)) return;
  counts_.AddError(kind);
  if (!detail.empty()) details_.try_emplace(kind, detail);
}

void Dispatcher::Fail(const Request& request, ErrorKind kind, std::string_view detail, bool pause) {
  Count(request, kind, detail);
  if (!settings_.open_loop) FinishSlot(pause);
}

void Dispatcher::FinishSlot(bool pause) {
  const SteadyTime now = opener_.Now();
  if (!pause) return SendNext(now);
  if (paused_ == 0) pause_until_ = now + kPause;
  ++paused_;
}

void Dispatcher::GiveUpWaiting() {
  for (Pool& pool : pools_) {
    for (const Request& request : pool.waiting) Count(request, ErrorKind::kUnsent, {});
    pool.waiting.clear();
  }
  waiting_ = 0;
}

}  // namespace weir::bench
