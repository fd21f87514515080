#include "dns/responder.h"
#include "dns/response_counts.h"
#include "net/socket.h"
#include "net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
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
// Accepted in one turn before other descriptors get theirs.
constexpr int kAcceptsPerTurn = 64;
// Readings of one connection in one turn.
constexpr int kReadsPerTurn = 16;

}  // namespace

// What the connections of one responder have together. The scratch buffers are used within one event only: a
// connection keeps bytes of its own only for a partial query and for answers that were not taken.
struct TcpResponder::Shared {
  Shared(net::EventLoop& event_loop, ResponderCounters& all, std::size_t worker_index, std::uint64_t seed,
         const TcpLimits& tcp_limits)
      : loop(event_loop), counters(all.tcp), worker(worker_index), limits(tcp_limits), answerer(seed) {
    answerer.set_tcp_idle_timeout(limits.idle_timeout);
  }
  net::EventLoop& loop;
  TransportCounters& counters;
  std::size_t worker;
  TcpLimits limits;
  Answerer answerer;
  std::list<std::unique_ptr<Connection>> connections;  // the longest idle first
  bool draining = false;
  std::array<std::uint8_t, kReadBytes> input;
  std::array<std::uint8_t, 2 * kAnswerRoom> output;
};

// One accepted connection. Owned by Shared::connections; ends by Close, which hands it to DestroyLater.
class TcpResponder::Connection final : public net::Deferred, private net::StreamEvents, private net::Task {
 public:
  Connection(Shared& shared, UniqueFd fd, const Endpoint& peer)
      : shared_(shared), stream_(shared.loop, std::move(fd), peer, {}, *this), deadline_([this] { OnDeadline(); }) {}

  // `self` is the connection's own place in the list.
  void Begin(std::list<std::unique_ptr<Connection>>::iterator self) {
    self_ = self;
    TouchDeadline();
  }
  void Close(net::Stream::CloseMode mode);
  // True when it may be closed now without losing an answer or a query that has begun to arrive.
  [[nodiscard]] bool idle() const { return pending_.empty() && partial_.empty(); }
  // Ends the connection at the latest after `wait`.
  void LimitTo(std::chrono::milliseconds wait) { shared_.loop.timers().Schedule(deadline_, shared_.loop.now() + wait); }

 private:
  void OnReadable() override { ReadQueries(); }
  void RunTask() override {
    if (stream_.open()) ReadQueries();
  }
  void OnWritable() override;
  void OnDeadline();
  void TouchDeadline();
  void ReadQueries();
  // Takes whole queries from the front of `bytes`; what is left is kept. False: the connection is closed.
  bool AnswerQueries(std::span<const std::uint8_t> bytes);
  std::size_t AnswerOne(std::span<const std::uint8_t> message, std::size_t at);
  // Writes what it can and keeps the rest. False: the connection is closed.
  bool Send(std::span<const std::uint8_t> bytes);

  Shared& shared_;
  net::TcpStream stream_;
  net::CallbackTimer deadline_;
  std::list<std::unique_ptr<Connection>>::iterator self_;
  std::vector<std::uint8_t> partial_;  // received, not answered: less than one query, or more while pending_
  std::vector<std::uint8_t> pending_;  // answered, not taken by the peer
};

void TcpResponder::Connection::Close(net::Stream::CloseMode mode) {
  deadline_.Cancel();
  stream_.Close(mode);
  shared_.counters.connections_active.Subtract();
  auto self = std::move(*self_);
  shared_.connections.erase(self_);
  shared_.loop.DestroyLater(std::move(self));
}

void TcpResponder::Connection::OnDeadline() {
  shared_.counters.connections_timed_out.Add();
  Close(net::Stream::CloseMode::kGraceful);
}

void TcpResponder::Connection::TouchDeadline() {
  const auto wait = shared_.draining ? shared_.limits.drain_timeout : shared_.limits.idle_timeout;
  shared_.loop.timers().Schedule(deadline_, shared_.loop.now() + wait);
  shared_.connections.splice(shared_.connections.end(), shared_.connections, self_);
}

void TcpResponder::Connection::OnWritable() {
  const std::vector<std::uint8_t> rest = std::exchange(pending_, {});
  if (!Send(rest) || !pending_.empty()) return;
  const std::size_t size = partial_.size();
  std::ranges::copy(partial_, shared_.input.begin());
  // An edge that came while nothing was read is not repeated: the stream remembers that it is readable.
  if (AnswerQueries(std::span(shared_.input).first(size))) ReadQueries();
}

void TcpResponder::Connection::ReadQueries() {
  // A peer that does not take its answers is not read: its next queries wait in the system's buffer.
  for (int i = 0; pending_.empty() && stream_.readable(); ++i) {
    if (i == kReadsPerTurn) {
      // Edge-triggered: no event will say again what is known already.
      shared_.loop.RunSoon(*this);
      return;
    }
    auto& input = shared_.input;
    std::ranges::copy(partial_, input.begin());
    const std::span<char> room(reinterpret_cast<char*>(input.data()) + partial_.size(), input.size() - partial_.size());
    const auto result = stream_.Read(room);
    if (result.status == net::IoStatus::kWouldBlock) return;
    if (result.status != net::IoStatus::kOk) {
      Close(net::Stream::CloseMode::kGraceful);
      return;
    }
    if (!AnswerQueries(std::span(input).first(partial_.size() + result.bytes))) return;
  }
}

bool TcpResponder::Connection::AnswerQueries(std::span<const std::uint8_t> bytes) {
  bool answered = false;
  std::size_t output_bytes = 0;
  while (pending_.empty() && bytes.size() >= kLengthBytes) {
    const std::size_t length = static_cast<std::size_t>(bytes[0]) << 8 | bytes[1];
    if (length > kQueryBytesMax) {
      shared_.counters.queries.Add();
      shared_.counters.dropped.Add();
      Close(net::Stream::CloseMode::kReset);
      return false;
    }
    if (bytes.size() < kLengthBytes + length) break;
    const std::size_t written = AnswerOne(bytes.subspan(kLengthBytes, length), output_bytes);
    if (written == 0) {
      // What comes here is no query: there is nothing to wait for (RFC 7766 section 8).
      Close(net::Stream::CloseMode::kReset);
      return false;
    }
    output_bytes += written;
    bytes = bytes.subspan(kLengthBytes + length);
    answered = true;
    if (output_bytes + kAnswerRoom <= shared_.output.size()) continue;
    if (!Send(std::span(shared_.output).first(std::exchange(output_bytes, 0)))) return false;
  }
  if (output_bytes > 0 && !Send(std::span(shared_.output).first(output_bytes))) return false;
  partial_.assign(bytes.begin(), bytes.end());
  if (answered) TouchDeadline();
  if (shared_.draining && idle()) {
    Close(net::Stream::CloseMode::kGraceful);
    return false;
  }
  return true;
}

// Puts one answer and its length at `at` of the shared output; the bytes it takes there, 0 for no answer.
std::size_t TcpResponder::Connection::AnswerOne(std::span<const std::uint8_t> message, std::size_t at) {
  const auto output = std::span(shared_.output).subspan(at, kAnswerRoom);
  const ClientQuery query{.message = message, .client = stream_.peer().address, .transport = Transport::kTcp};
  const AnswerReport report = shared_.answerer.Answer(query, output.subspan(kLengthBytes));
  CountResponse(shared_.counters, shared_.answerer.zones().get(), shared_.worker, report);
  if (report.size == 0) return 0;
  output[0] = static_cast<std::uint8_t>(report.size >> 8);
  output[1] = static_cast<std::uint8_t>(report.size);
  shared_.counters.responses.Add();
  return kLengthBytes + report.size;
}

bool TcpResponder::Connection::Send(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const iovec piece{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    const auto result = stream_.Write(std::span(&piece, 1));
    if (result.status == net::IoStatus::kOk) {
      bytes = bytes.subspan(result.bytes);
    } else if (result.status == net::IoStatus::kWouldBlock) {
      pending_.assign(bytes.begin(), bytes.end());
      return true;
    } else {
      Close(net::Stream::CloseMode::kReset);
      return false;
    }
  }
  return true;
}

TcpResponder::TcpResponder(net::EventLoop& loop, UniqueFd socket, ResponderCounters& counters, std::size_t worker,
                           std::uint64_t seed, const TcpLimits& limits)
    : loop_(loop),
      socket_(std::move(socket)),
      shared_(std::make_unique<Shared>(loop, counters, worker, seed, limits)) {}

TcpResponder::~TcpResponder() { Stop(); }

bool TcpResponder::Start() {
  watching_ = loop_.WatchLevel(socket_.get(), EPOLLIN, *this);
  return watching_;
}

void TcpResponder::SetView(std::shared_ptr<const ZoneSet> zones, std::shared_ptr<const health::StatusTable> status) {
  shared_->answerer.SetView(std::move(zones), std::move(status));
}

std::size_t TcpResponder::connections() const { return shared_->connections.size(); }

void TcpResponder::StopAccepting() {
  if (std::exchange(watching_, false)) loop_.Unwatch(socket_.get(), *this);
  socket_.Reset();
}

void TcpResponder::Stop() {
  StopAccepting();
  while (!shared_->connections.empty()) shared_->connections.front()->Close(net::Stream::CloseMode::kReset);
}

void TcpResponder::Drain() {
  StopAccepting();
  shared_->draining = true;
  auto& connections = shared_->connections;
  for (auto at = connections.begin(); at != connections.end();) {
    Connection& connection = **at++;
    if (connection.idle()) {
      connection.Close(net::Stream::CloseMode::kGraceful);
    } else {
      connection.LimitTo(shared_->limits.drain_timeout);
    }
  }
}

void TcpResponder::OnEvents(std::uint32_t /*events*/) {
  for (int i = 0; i < kAcceptsPerTurn && socket_.valid() && Accept(); ++i) {
  }
}

bool TcpResponder::Accept() {
  net::SocketAddress peer;
  peer.size = sizeof(peer.storage);
  UniqueFd fd(accept4(socket_.get(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  auto& connections = shared_->connections;
  if (!fd.valid()) {
    // Out of descriptors: without a closed connection the level-triggered socket would spin.
    const bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
    if (exhausted && !connections.empty()) Evict();
    return errno == EINTR || errno == ECONNABORTED;
  }
  shared_->counters.connections_accepted.Add();
  shared_->counters.connections_active.Add();
  if (connections.size() >= shared_->limits.connections_max && !connections.empty()) Evict();
  const Endpoint from = net::SocketAddress::ToEndpoint(peer.get());
  connections.push_back(std::make_unique<Connection>(*shared_, std::move(fd), from));
  connections.back()->Begin(std::prev(connections.end()));
  return true;
}

// Closes the connection whose last whole query is the oldest (RFC 7766 6.2.3: servers may close idle connections).
void TcpResponder::Evict() {
  shared_->counters.connections_evicted.Add();
  shared_->connections.front()->Close(net::Stream::CloseMode::kGraceful);
}

}  // namespace weir::dns
