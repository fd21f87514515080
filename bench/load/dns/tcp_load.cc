#include "bench/load/dns/lane.h"
#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

namespace weir::bench {
namespace {

constexpr std::size_t kLengthBytes = 2;  // in front of each message (RFC 1035 4.2.2)
constexpr std::size_t kReceiveBytes = kLengthBytes + 65'535;
// Queries are not written while more than this waits for the system to take it.
constexpr std::size_t kUnsentBytesMax = 65'536;
constexpr std::chrono::milliseconds kReconnectDelay{100};
constexpr std::chrono::milliseconds kWaitMax{5};  // the grain of timeouts and of the end

SteadyTime TcpNow() { return std::chrono::steady_clock::now(); }

// One connection and what is on its way on it.
class TcpConnection {
 public:
  TcpConnection(Lane& lane, std::size_t window) : lane_(lane), window_(window, lane.FirstWindow(window)) {}

  // Connects when it is time to.
  void Connect(SteadyTime now);
  // Takes queries that are due, at most one batch, and gives them to the system.
  void SendDue(SteadyTime now);
  void OnEvents(short events, SteadyTime now);
  // Gives up a connection that is not made in time, and queries that are not answered in time.
  void Expire(SteadyTime now);

  [[nodiscard]] pollfd polled() const;
  [[nodiscard]] bool is_open() const { return state_ == State::kOpen; }
  [[nodiscard]] bool has_room() const { return state_ == State::kOpen && window_.room() > 0; }
  [[nodiscard]] std::size_t open_count() const { return window_.open_count(); }
  [[nodiscard]] SteadyTime oldest_sent() {
    const auto* oldest = window_.oldest();
    return oldest == nullptr ? SteadyTime::max() : oldest->sent;
  }

 private:
  enum class State : std::uint8_t { kClosed, kConnecting, kOpen };

  void OnConnected(SteadyTime now);
  void Flush(SteadyTime now);
  void Receive(SteadyTime now);
  void ReadMessages(SteadyTime now);
  void Close(SteadyTime now, QueryError error);

  Lane& lane_;
  QueryWindow window_;
  UniqueFd fd_;
  State state_ = State::kClosed;
  bool answered_ = false;  // since it was made
  SteadyTime since_;       // of connecting
  SteadyTime connect_at_;  // not before
  std::vector<std::uint8_t> out_;
  std::size_t out_sent_ = 0;
  std::vector<std::uint8_t> in_ = std::vector<std::uint8_t>(2 * kReceiveBytes);
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
};

pollfd TcpConnection::polled() const {
  const bool writes = state_ == State::kConnecting || out_sent_ < out_.size();
  // A negative descriptor is passed over.
  return {fd_.get(), static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0};
}

void TcpConnection::Connect(SteadyTime now) {
  if (state_ != State::kClosed || now < connect_at_) return;
  auto address = net::SocketAddress::From(lane_.load().server);
  fd_.Reset(
      socket(lane_.load().server.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (fd_.valid()) setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  state_ = State::kConnecting;
  answered_ = false;
  since_ = now;
  if (!fd_.valid() || (connect(fd_.get(), address.get(), address.size) != 0 && errno != EINPROGRESS)) {
    Close(now, QueryError::kConnectFailed);
  }
}

void TcpConnection::OnConnected(SteadyTime now) {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    Close(now, QueryError::kConnectFailed);
    return;
  }
  state_ = State::kOpen;
  answered_ = false;
  if (lane_.IsMeasuring(now)) lane_.tally().CountConnection();
}

void TcpConnection::Close(SteadyTime now, QueryError error) {
  if (state_ == State::kConnecting && lane_.IsMeasuring(now)) lane_.tally().CountError(error);
  while (auto* pending = window_.oldest()) lane_.Fail(window_, *pending, error);
  fd_.Reset();
  // A server that closes what it has answered is asked again at once; one that takes nothing is spared.
  if (!answered_) connect_at_ = now + kReconnectDelay;
  state_ = State::kClosed;
  out_.clear();
  out_sent_ = in_begin_ = in_end_ = 0;
}

void TcpConnection::SendDue(SteadyTime now) {
  if (state_ != State::kOpen) return;
  if (out_sent_ == out_.size()) {
    out_.clear();
    out_sent_ = 0;
  }
  while (window_.room() > 0 && out_.size() < kUnsentBytesMax && lane_.IsDue(now)) {
    const std::size_t at = out_.size();
    out_.resize(at + kLengthBytes + kQueryBytesMax);
    const std::size_t bytes = lane_.Begin(window_, now, std::span(out_).subspan(at + kLengthBytes));
    out_[at] = static_cast<std::uint8_t>(bytes >> 8);
    out_[at + 1] = static_cast<std::uint8_t>(bytes);
    out_.resize(at + kLengthBytes + bytes);
    // One at a time at a rate, so that all connections get their turn.
    if (!lane_.flat_out()) break;
  }
  if (out_sent_ < out_.size()) Flush(now);
}

void TcpConnection::Flush(SteadyTime now) {
  const auto sent = send(fd_.get(), out_.data() + out_sent_, out_.size() - out_sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) {
    out_sent_ += static_cast<std::size_t>(sent);
  } else if (errno != EAGAIN && errno != EINTR) {
    Close(now, QueryError::kConnectionClosed);
  }
}

void TcpConnection::OnEvents(short events, SteadyTime now) {
  if (state_ == State::kConnecting && (events & (POLLOUT | POLLERR | POLLHUP)) != 0) {
    OnConnected(now);
    return;
  }
  if (state_ == State::kOpen && (events & (POLLIN | POLLERR | POLLHUP)) != 0) Receive(now);
  if (state_ == State::kOpen && (events & POLLOUT) != 0 && out_sent_ < out_.size()) Flush(now);
}

void TcpConnection::Receive(SteadyTime now) {
  if (in_.size() - in_end_ < kReceiveBytes) {
    std::copy(in_.begin() + static_cast<std::ptrdiff_t>(in_begin_), in_.begin() + static_cast<std::ptrdiff_t>(in_end_),
              in_.begin());
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  const auto received = recv(fd_.get(), in_.data() + in_end_, in_.size() - in_end_, MSG_DONTWAIT);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received <= 0) {
    Close(now, QueryError::kConnectionClosed);
    return;
  }
  in_end_ += static_cast<std::size_t>(received);
  ReadMessages(now);
}

void TcpConnection::ReadMessages(SteadyTime now) {
  while (in_end_ - in_begin_ >= kLengthBytes) {
    const std::size_t bytes = static_cast<std::size_t>(in_[in_begin_] << 8 | in_[in_begin_ + 1]);
    if (in_end_ - in_begin_ - kLengthBytes < bytes) break;
    lane_.OnMessage(window_, std::span(in_).subspan(in_begin_ + kLengthBytes, bytes), now);
    in_begin_ += kLengthBytes + bytes;
    answered_ = true;
  }
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
}

void TcpConnection::Expire(SteadyTime now) {
  if (state_ == State::kConnecting && now - since_ >= lane_.load().timeout) Close(now, QueryError::kConnectFailed);
  lane_.Expire(window_, now);
}

// The connections of one thread.
class TcpPort {
 public:
  TcpPort(Lane& lane, std::size_t connections);
  void Run();

 private:
  void SendDue(SteadyTime now);
  void Wait(SteadyTime now);
  [[nodiscard]] std::size_t open_count() const;
  // Nothing can be sent, and no end of the run is set that would end the attempts.
  [[nodiscard]] bool IsStuck(SteadyTime now);

  Lane& lane_;
  SteadyTime last_open_;  // when a connection was seen open
  std::deque<TcpConnection> connections_;
  std::vector<pollfd> polled_;
  std::size_t next_ = 0;
};

TcpPort::TcpPort(Lane& lane, std::size_t connections) : lane_(lane), polled_(connections) {
  const DnsLoad& load = lane.load();
  for (std::size_t i = 0; i < connections; ++i) {
    const std::size_t number = lane.index() + i * load.threads;
    connections_.emplace_back(lane,
                              load.outstanding / load.sockets + (number < load.outstanding % load.sockets ? 1U : 0U));
  }
}

std::size_t TcpPort::open_count() const {
  std::size_t count = 0;
  for (const auto& connection : connections_) count += connection.open_count();
  return count;
}

void TcpPort::SendDue(SteadyTime now) {
  for (auto& connection : connections_) connection.Connect(now);
  // Round and round until nothing is due or no connection has room.
  for (std::size_t passed_over = 0; passed_over < connections_.size() && lane_.IsDue(now);) {
    TcpConnection& connection = connections_[next_++ % connections_.size()];
    const std::size_t before = connection.open_count();
    connection.SendDue(now);
    passed_over = connection.open_count() > before ? 0 : passed_over + 1;
  }
}

void TcpPort::Wait(SteadyTime now) {
  SteadyTime oldest = SteadyTime::max();
  bool has_room = false;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    polled_[i] = connections_[i].polled();
    oldest = std::min(oldest, connections_[i].oldest_sent());
    has_room = has_room || connections_[i].has_room();
  }
  const SteadyTime wake = lane_.NextWake(now, oldest, has_room);
  std::chrono::nanoseconds wait = kWaitMax;
  if (wake < now + kWaitMax) wait = std::max<std::chrono::nanoseconds>(wake - now, std::chrono::nanoseconds(0));
  const timespec timeout{0, wait.count()};
  ppoll(polled_.data(), polled_.size(), &timeout, nullptr);
}

bool TcpPort::IsStuck(SteadyTime now) {
  if (std::ranges::any_of(connections_, &TcpConnection::is_open)) last_open_ = now;
  return lane_.load().duration.count() <= 0 && now - last_open_ >= lane_.load().timeout;
}

void TcpPort::Run() {
  SteadyTime now = TcpNow();
  last_open_ = now;
  while (lane_.Continue(now, open_count()) && !IsStuck(now)) {
    SendDue(now);
    Wait(now);
    now = TcpNow();
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      connections_[i].OnEvents(polled_[i].revents, now);
      connections_[i].Expire(now);
    }
  }
}

}  // namespace

void RunTcp(Lane& lane, std::size_t connections) {
  prctl(PR_SET_TIMERSLACK, 1UL);
  TcpPort(lane, connections).Run();
}

}  // namespace weir::bench
