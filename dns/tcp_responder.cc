#include "dns/responder.h"
#include "dns/response_counts.h"
#include "net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <list>
#include <utility>
#include <vector>

namespace weir::dns {
namespace {

constexpr std::size_t kLengthBytes = 2;
// A query is one question and a few options; a longer message is no query that this server has an answer to.
constexpr std::size_t kQueryBytesMax = 4'096;
constexpr std::size_t kReadBytes = kLengthBytes + kQueryBytesMax;
constexpr std::size_t kAnswerRoom = kLengthBytes + kTcpMessageMax;
// A visit's answers are gathered in two rooms: the last of them begins in the first one.
static_assert(TcpBudgetLimits{}.visit_bytes <= kAnswerRoom);
// What the system takes beyond what it has sent; more waits here, where it is counted. A connection that sent so much
// makes no further answer before that is on its way.
constexpr int kUnsentBytesMax = 16 * 1024;
// How long a connection that is closed after answers still reads what the peer had under way.
constexpr std::chrono::milliseconds kLinger{1'000};

std::size_t MessageBytes(std::span<const std::uint8_t> bytes) {
  return static_cast<std::size_t>(bytes[0]) << 8 | bytes[1];
}

// Whether the front of `bytes` can be decided about: a whole message, or one that is too long anyway.
bool HoldsMessage(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kLengthBytes) return false;
  const std::size_t length = MessageBytes(bytes);
  return length > kQueryBytesMax || bytes.size() >= kLengthBytes + length;
}

// Accepted sockets have what the listening one has.
UniqueFd Prepared(UniqueFd listening) {
  setsockopt(listening.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytesMax, sizeof(kUnsentBytesMax));
  return listening;
}

}  // namespace

// What the connections of one responder have together. The scratch buffers are used within one event only: a
// connection keeps bytes of its own only for queries that it may not answer yet and for answers that were not taken.
// As a task it goes on with the connections that wait.
struct TcpResponder::Shared final : net::Task {
  Shared(net::EventLoop& event_loop, TcpBudget& of_worker, ResponderCounters& all, std::size_t worker_index,
         std::uint64_t seed, const TcpLimits& tcp_limits)
      : loop(event_loop),
        budget(of_worker),
        counters(all.tcp),
        worker(worker_index),
        limits(tcp_limits),
        answerer(seed) {
    answerer.set_tcp_idle_timeout(limits.idle_timeout);
  }
  // Lets the connection go on now when nobody waits and something of the turn is left, else after the others.
  void Offer(Connection& connection);
  void Enqueue(Connection& connection);
  void RunTask() override;

  net::EventLoop& loop;
  TcpBudget& budget;
  TransportCounters& counters;
  std::size_t worker;
  TcpLimits limits;
  Answerer answerer;
  std::list<std::unique_ptr<Connection>> connections;  // the longest idle first
  std::list<Connection*> waiting;                      // for a part of a turn; the longest first
  bool draining = false;
  std::array<std::uint8_t, kReadBytes> input;
  std::array<std::uint8_t, 2 * kAnswerRoom> output;
};

// One accepted connection. Owned by Shared::connections; ends by Close, which hands it to DestroyLater.
class TcpResponder::Connection final : public net::Deferred, private net::StreamEvents {
 public:
  Connection(Shared& shared, std::unique_ptr<net::Stream> stream)
      : shared_(shared), stream_(std::move(stream)), deadline_([this] { OnDeadline(); }) {
    stream_->set_events(*this);
  }

  // `self` is the connection's own place in the list.
  void Begin(std::list<std::unique_ptr<Connection>>::iterator self) {
    self_ = self;
    TouchDeadline();
  }
  void Close(net::Stream::CloseMode mode);
  // Ends the connection so that answers which are under way arrive: closing a socket that gets bytes afterwards would
  // reset it, and the peer's system would drop what was not read (RFC 9112 9.6 says so of HTTP). What is pending is
  // sent, then the sending side is closed, then input is dropped until the peer closes or a moment has passed.
  void End();
  // True when it may be ended now without losing an answer or a query that has begun to arrive.
  [[nodiscard]] bool idle() const {
    return phase_ == Phase::kServing && pending_.empty() && partial_.empty() && !awaits_room_ && !waits();
  }
  [[nodiscard]] bool lingers() const { return phase_ == Phase::kLingering; }
  // Ends the connection at the latest after `wait`.
  void LimitTo(std::chrono::milliseconds wait) { shared_.loop.timers().Schedule(deadline_, shared_.loop.now() + wait); }

  [[nodiscard]] bool waits() const { return ticket_.empty(); }
  void JoinWaiting() { shared_.waiting.splice(shared_.waiting.end(), ticket_); }
  void LeaveWaiting() { ticket_.splice(ticket_.end(), shared_.waiting, place_); }
  // Sends, reads and answers as much as one visit may.
  void Serve();

 private:
  // kEnding: no query is read any more. kLingering: nothing is sent any more either.
  enum class Phase : std::uint8_t { kServing, kEnding, kLingering };

  void OnReadable() override {
    // A peer that does not take its answers is not read: its next queries wait in the system's buffer.
    if (pending_.empty() && !awaits_room_) shared_.Offer(*this);
  }
  void OnWritable() override {
    awaits_room_ = false;
    shared_.Offer(*this);
  }
  void OnDeadline();
  void TouchDeadline();
  // The functions below return false when the connection is closed or has nothing more to do in this visit.
  bool SendPending();
  bool TakeQueries();
  // Takes whole queries from the front of `bytes`; what is left is kept.
  bool AnswerQueries(std::span<const std::uint8_t> bytes);
  std::size_t AnswerOne(std::span<const std::uint8_t> message, std::size_t at);
  // Writes what it can and keeps the rest. False: the connection is closed.
  bool Send(std::span<const std::uint8_t> bytes);
  // There is more to do than this visit may.
  void AwaitMore();
  void Linger();
  void DropInput();

  Shared& shared_;
  std::unique_ptr<net::Stream> stream_;
  net::CallbackTimer deadline_;
  std::list<std::unique_ptr<Connection>>::iterator self_;
  // Its place among Shared::waiting, or here while it does not wait: joining and leaving allocates nothing.
  std::list<Connection*> ticket_{this};
  std::list<Connection*>::iterator place_ = ticket_.begin();
  Phase phase_ = Phase::kServing;
  bool held_back_ = false;             // `partial_` begins with a whole message
  bool awaits_room_ = false;           // OnWritable follows when the system has sent what it took
  std::size_t visit_bytes_ = 0;        // sent in this visit
  std::vector<std::uint8_t> partial_;  // received, not answered
  std::vector<std::uint8_t> pending_;  // answered, not taken by the peer
};

void TcpResponder::Shared::Offer(Connection& connection) {
  if (connection.waits()) return;
  if (waiting.empty() && budget.HasTurn(loop.now())) {
    connection.Serve();
  } else {
    Enqueue(connection);
  }
}

void TcpResponder::Shared::Enqueue(Connection& connection) {
  connection.JoinWaiting();
  loop.RunSoon(*this);
}

void TcpResponder::Shared::RunTask() {
  while (!waiting.empty() && budget.HasTurn(loop.now())) {
    Connection& next = *waiting.front();
    next.LeaveWaiting();
    next.Serve();
  }
  if (!waiting.empty()) loop.RunSoon(*this);
}

void TcpResponder::Connection::Close(net::Stream::CloseMode mode) {
  deadline_.Cancel();
  stream_->Close(mode);
  shared_.counters.connections_active.Subtract();
  if (waits()) LeaveWaiting();
  auto self = std::move(*self_);
  shared_.connections.erase(self_);
  shared_.loop.DestroyLater(std::move(self));
}

void TcpResponder::Connection::End() {
  phase_ = Phase::kEnding;
  partial_.clear();
  held_back_ = false;
  if (pending_.empty()) Linger();
}

void TcpResponder::Connection::Linger() {
  phase_ = Phase::kLingering;
  stream_->ShutdownWrite();
  LimitTo(std::min(kLinger, shared_.limits.drain_timeout));
  DropInput();
}

void TcpResponder::Connection::DropInput() {
  while (stream_->readable()) {
    if (!shared_.budget.HasVisit()) {
      // Edge-triggered: no event will say again what is known already.
      shared_.Enqueue(*this);
      return;
    }
    const auto result = stream_->Read({reinterpret_cast<char*>(shared_.input.data()), shared_.input.size()});
    if (result.status == net::IoStatus::kWouldBlock) return;
    if (result.status == net::IoStatus::kOk) {
      shared_.budget.Spend(0, result.bytes);
      continue;
    }
    Close(net::Stream::CloseMode::kGraceful);
    return;
  }
}

void TcpResponder::Connection::OnDeadline() {
  if (phase_ != Phase::kLingering) shared_.counters.connections_timed_out.Add();
  Close(net::Stream::CloseMode::kGraceful);
}

void TcpResponder::Connection::TouchDeadline() {
  const auto wait = shared_.draining ? shared_.limits.drain_timeout : shared_.limits.idle_timeout;
  shared_.loop.timers().Schedule(deadline_, shared_.loop.now() + wait);
  shared_.connections.splice(shared_.connections.end(), shared_.connections, self_);
}

void TcpResponder::Connection::Serve() {
  shared_.budget.BeginVisit();
  visit_bytes_ = 0;
  if (phase_ == Phase::kLingering) {
    DropInput();
    return;
  }
  if (!pending_.empty() && !SendPending()) return;
  while (pending_.empty() && shared_.budget.HasVisit() && (held_back_ || stream_->readable())) {
    if (!TakeQueries()) return;
  }
  // Whatever else can be done, an event will tell.
  if (pending_.empty() && (held_back_ || stream_->readable())) AwaitMore();
}

bool TcpResponder::Connection::SendPending() {
  const std::vector<std::uint8_t> rest = std::exchange(pending_, {});
  shared_.budget.Spend(0, rest.size());
  if (!Send(rest) || !pending_.empty()) return false;
  if (phase_ == Phase::kServing && !(shared_.draining && idle())) return true;
  End();
  return false;
}

// What was held back comes before what can be read, for which there may be no room.
bool TcpResponder::Connection::TakeQueries() {
  auto& input = shared_.input;
  std::size_t size = partial_.size();
  if (size > 0) std::ranges::copy(partial_, input.begin());
  if (!held_back_) {
    const auto result = stream_->Read({reinterpret_cast<char*>(input.data()) + size, input.size() - size});
    if (result.status == net::IoStatus::kWouldBlock) return false;
    if (result.status != net::IoStatus::kOk) {
      Close(net::Stream::CloseMode::kGraceful);
      return false;
    }
    size += result.bytes;
  }
  return AnswerQueries(std::span(input).first(size));
}

bool TcpResponder::Connection::AnswerQueries(std::span<const std::uint8_t> bytes) {
  bool is_query = true;
  std::size_t answers = 0;
  std::size_t output_bytes = 0;
  TcpBudget& budget = shared_.budget;
  while (answers < budget.visit_answers() && output_bytes < budget.visit_bytes() && HoldsMessage(bytes)) {
    const std::size_t length = MessageBytes(bytes);
    const std::size_t written =
        length > kQueryBytesMax ? 0 : AnswerOne(bytes.subspan(kLengthBytes, length), output_bytes);
    is_query = written > 0;
    if (!is_query) {
      if (length > kQueryBytesMax) shared_.counters.queries.Add();
      if (length > kQueryBytesMax) shared_.counters.dropped.Add();
      break;
    }
    ++answers;
    output_bytes += written;
    bytes = bytes.subspan(kLengthBytes + length);
  }
  budget.Spend(answers, output_bytes);
  held_back_ = HoldsMessage(bytes);
  if (bytes.empty()) {
    partial_.clear();
  } else {
    partial_.assign(bytes.begin(), bytes.end());
  }
  if (output_bytes > 0) {
    TouchDeadline();
    if (!Send(std::span(shared_.output).first(output_bytes))) return false;
  }
  // What is no query ends the connection: there is nothing to wait for (RFC 7766 section 8).
  if (is_query && !(shared_.draining && idle())) return true;
  End();
  return false;
}

// Puts one answer and its length at `at` of the shared output; the bytes it takes there, 0 for no answer.
std::size_t TcpResponder::Connection::AnswerOne(std::span<const std::uint8_t> message, std::size_t at) {
  const auto output = std::span(shared_.output).subspan(at, kAnswerRoom);
  const ClientQuery query{.message = message, .client = stream_->peer().address, .transport = Transport::kTcp};
  const AnswerReport report = shared_.answerer.Answer(query, output.subspan(kLengthBytes));
  CountResponse(shared_.counters, shared_.answerer.zones().get(), shared_.worker, report);
  if (report.size == 0) return 0;
  output[0] = static_cast<std::uint8_t>(report.size >> 8);
  output[1] = static_cast<std::uint8_t>(report.size);
  shared_.counters.responses.Add();
  return kLengthBytes + report.size;
}

bool TcpResponder::Connection::Send(std::span<const std::uint8_t> bytes) {
  const iovec piece{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  const auto result = stream_->Write(std::span(&piece, 1));
  if (result.status == net::IoStatus::kError) {
    Close(net::Stream::CloseMode::kReset);
    return false;
  }
  visit_bytes_ += result.bytes;
  if (result.bytes < bytes.size()) {
    pending_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(result.bytes), bytes.end());
  }
  return true;
}

void TcpResponder::Connection::AwaitMore() {
  if (visit_bytes_ < static_cast<std::size_t>(kUnsentBytesMax)) {
    shared_.Enqueue(*this);
    return;
  }
  // Else every peer that does not read would have an answer made that nobody takes.
  awaits_room_ = true;
  stream_->AwaitWritable();
}

TcpResponder::TcpResponder(net::EventLoop& loop, UniqueFd socket, TcpBudget& budget, ResponderCounters& counters,
                           std::size_t worker, std::uint64_t seed, const TcpLimits& limits)
    : acceptor_(loop, Prepared(std::move(socket)), *this),
      shared_(std::make_unique<Shared>(loop, budget, counters, worker, seed, limits)) {}

TcpResponder::~TcpResponder() { Stop(); }

bool TcpResponder::Start() { return acceptor_.Start(); }

void TcpResponder::SetView(std::shared_ptr<const ZoneSet> zones, std::shared_ptr<const health::StatusTable> status) {
  shared_->answerer.SetView(std::move(zones), std::move(status));
}

void TcpResponder::SetConnectionsMax(std::size_t connections_max) {
  shared_->limits.connections_max = connections_max;
  while (connections() > std::max<std::size_t>(connections_max, 1)) Evict();
}

std::size_t TcpResponder::connections() const { return shared_->connections.size(); }

void TcpResponder::Stop() {
  acceptor_.Close();
  while (!shared_->connections.empty()) shared_->connections.front()->Close(net::Stream::CloseMode::kReset);
}

void TcpResponder::Drain() {
  acceptor_.Close();
  shared_->draining = true;
  auto& connections = shared_->connections;
  for (auto at = connections.begin(); at != connections.end();) {
    Connection& connection = **at++;
    if (connection.idle()) {
      connection.End();
    } else if (!connection.lingers()) {
      connection.LimitTo(shared_->limits.drain_timeout);
    }
  }
}

void TcpResponder::OnAccepted(std::unique_ptr<net::TcpStream> stream) {
  shared_->counters.connections_accepted.Add();
  shared_->counters.connections_active.Add();
  auto& connections = shared_->connections;
  if (connections.size() >= shared_->limits.connections_max && !connections.empty()) Evict();
  connections.push_back(std::make_unique<Connection>(*shared_, std::move(stream)));
  connections.back()->Begin(std::prev(connections.end()));
}

bool TcpResponder::MakeRoom() {
  if (shared_->connections.empty()) return false;
  Evict();
  return true;
}

// Closes the connection whose last whole query is the oldest (RFC 7766 6.2.3: servers may close idle connections).
void TcpResponder::Evict() {
  shared_->counters.connections_evicted.Add();
  shared_->connections.front()->Close(net::Stream::CloseMode::kGraceful);
}

}  // namespace weir::dns
