#include "bench/load/dns/lane.h"
#include "net/socket.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
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

constexpr std::size_t kBatch = 64;
// Answers longer than this are cut, and counted as malformed: EDNS offers at most 65,535, but nothing sends that much
// over UDP. Not a multiple of 4,096, so that the buffers' first lines do not share one cache set.
constexpr std::size_t kAnswerBytesMax = 16'384 + 128;
constexpr int kReceiveBufferBytes = 4 << 20;
// How long a thread that has nothing else to do stays in a receive call: the grain of timeouts and of the end.
constexpr std::chrono::milliseconds kReceiveTimeout{5};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

timespec ToTimespec(std::chrono::nanoseconds duration) {
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  return {duration.count() / kPerSecond, duration.count() % kPerSecond};
}

// The sockets of one thread and the buffers of their system calls.
class UdpPort {
 public:
  UdpPort(Lane& lane, std::span<const UniqueFd> sockets);
  void Run();

 private:
  struct Socket {
    int fd;
    QueryWindow window;
  };
  void SendDue(SteadyTime now);
  // Sends at most one batch; false when nothing is due.
  bool SendBatch(Socket& socket, SteadyTime now);
  void Transmit(Socket& socket, std::size_t count);
  void OnSendError(Socket& socket, std::size_t index, QueryError error);
  // Waits for answers and takes them.
  void Receive(SteadyTime now);
  void PollAll(SteadyTime now);
  // The number of messages taken with one call.
  std::size_t ReceiveBatch(Socket& socket, int flags);
  // Takes ICMP errors off the socket; each brings the datagram that it is about.
  void TakeErrors(Socket& socket);
  [[nodiscard]] std::size_t open_count() const;

  Lane& lane_;
  std::deque<Socket> sockets_;
  std::vector<pollfd> polled_;
  std::size_t next_socket_ = 0;
  std::array<std::array<std::uint8_t, kQueryBytesMax>, kBatch> queries_{};
  std::array<iovec, kBatch> query_pieces_{};
  std::array<mmsghdr, kBatch> sending_{};
  std::vector<std::uint8_t> answers_ = std::vector<std::uint8_t>(kBatch * kAnswerBytesMax);
  std::array<iovec, kBatch> answer_pieces_{};
  std::array<mmsghdr, kBatch> receiving_{};
};

UdpPort::UdpPort(Lane& lane, std::span<const UniqueFd> sockets) : lane_(lane) {
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    // Socket i of this thread is socket index + i * threads of the run.
    const DnsLoad& load = lane.load();
    const std::size_t number = lane.index() + i * load.threads;
    const std::size_t window = load.outstanding / load.sockets + (number < load.outstanding % load.sockets ? 1 : 0);
    sockets_.push_back({sockets[i].get(), QueryWindow(window, lane.FirstWindow(window))});
    polled_.push_back({sockets[i].get(), POLLIN, 0});
  }
  for (std::size_t i = 0; i < kBatch; ++i) {
    query_pieces_[i].iov_base = queries_[i].data();
    sending_[i].msg_hdr.msg_iov = &query_pieces_[i];
    sending_[i].msg_hdr.msg_iovlen = 1;
    answer_pieces_[i] = {answers_.data() + i * kAnswerBytesMax, kAnswerBytesMax};
    receiving_[i].msg_hdr.msg_iov = &answer_pieces_[i];
    receiving_[i].msg_hdr.msg_iovlen = 1;
  }
}

std::size_t UdpPort::open_count() const {
  std::size_t count = 0;
  for (const Socket& socket : sockets_) count += socket.window.open_count();
  return count;
}

void UdpPort::Run() {
  SteadyTime now = Now();
  while (lane_.Continue(now, open_count())) {
    SendDue(now);
    Receive(now);
    now = Now();
    for (Socket& socket : sockets_) lane_.Expire(socket.window, now);
  }
}

void UdpPort::SendDue(SteadyTime now) {
  // Round the sockets once; a socket whose window is full is passed over.
  for (std::size_t i = 0; i < sockets_.size() && lane_.IsDue(now); ++i) {
    Socket& socket = sockets_[next_socket_++ % sockets_.size()];
    while (SendBatch(socket, now)) {
    }
  }
}

bool UdpPort::SendBatch(Socket& socket, SteadyTime now) {
  std::size_t count = 0;
  while (count < kBatch && socket.window.room() > 0 && lane_.IsDue(now)) {
    query_pieces_[count].iov_len = lane_.Begin(socket.window, now, queries_[count]);
    ++count;
  }
  Transmit(socket, count);
  return count == kBatch;
}

void UdpPort::Transmit(Socket& socket, std::size_t count) {
  for (std::size_t sent = 0; sent < count;) {
    const int done = sendmmsg(socket.fd, sending_.data() + sent, static_cast<unsigned>(count - sent), 0);
    if (done > 0) {
      sent += static_cast<std::size_t>(done);
    } else if (errno == ECONNREFUSED || errno == EHOSTUNREACH) {
      // Told of an earlier datagram; this one is tried again.
      TakeErrors(socket);
    } else if (errno != EINTR) {
      OnSendError(socket, sent++, errno == ENETUNREACH ? QueryError::kUnreachable : QueryError::kSendFailed);
    }
  }
}

void UdpPort::OnSendError(Socket& socket, std::size_t index, QueryError error) {
  auto* pending = socket.window.Find(MessageId(queries_[index]));
  if (pending != nullptr) lane_.Fail(socket.window, *pending, error);
}

void UdpPort::Receive(SteadyTime now) {
  // Flat out on one socket the thread waits in the receive call itself, which costs half the system calls.
  if (sockets_.size() == 1 && lane_.flat_out()) {
    if (ReceiveBatch(sockets_[0], MSG_WAITFORONE) == kBatch) ReceiveBatch(sockets_[0], MSG_DONTWAIT);
    return;
  }
  PollAll(now);
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    if ((polled_[i].revents & POLLERR) != 0) TakeErrors(sockets_[i]);
    if ((polled_[i].revents & POLLIN) == 0) continue;
    while (ReceiveBatch(sockets_[i], MSG_DONTWAIT) == kBatch && !lane_.IsDue(Now())) {
    }
  }
}

void UdpPort::PollAll(SteadyTime now) {
  SteadyTime oldest = SteadyTime::max();
  bool has_room = false;
  for (Socket& socket : sockets_) {
    if (const auto* pending = socket.window.oldest()) oldest = std::min(oldest, pending->sent);
    has_room = has_room || socket.window.room() > 0;
  }
  const SteadyTime wake = lane_.NextWake(now, oldest, has_room);
  // A stop may be asked for at any time.
  const auto wait = std::clamp<std::chrono::nanoseconds>(wake - now, std::chrono::nanoseconds(0), kReceiveTimeout);
  const timespec timeout = ToTimespec(wake == SteadyTime::max() ? kReceiveTimeout : wait);
  ppoll(polled_.data(), polled_.size(), &timeout, nullptr);
}

std::size_t UdpPort::ReceiveBatch(Socket& socket, int flags) {
  const int received = recvmmsg(socket.fd, receiving_.data(), kBatch, flags, nullptr);
  if (received < 0 && errno != EAGAIN && errno != EINTR) TakeErrors(socket);
  if (received <= 0) return 0;
  const auto count = static_cast<std::size_t>(received);
  const SteadyTime now = Now();
  for (std::size_t i = 0; i < count; ++i) {
    const auto message = std::span(answers_).subspan(i * kAnswerBytesMax, receiving_[i].msg_len);
    if ((receiving_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      lane_.OnCutMessage(socket.window, message);
    } else {
      lane_.OnMessage(socket.window, message, now);
    }
  }
  return count;
}

void UdpPort::TakeErrors(Socket& socket) {
  std::array<std::uint8_t, kQueryBytesMax> datagram{};
  alignas(cmsghdr) std::array<std::uint8_t, 512> control{};
  while (true) {
    iovec piece{datagram.data(), datagram.size()};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const auto bytes = recvmsg(socket.fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (bytes < 0) return;
    sock_extended_err error{};
    if (const cmsghdr* first = CMSG_FIRSTHDR(&header)) std::memcpy(&error, CMSG_DATA(first), sizeof(error));
    if (bytes < 2 || error.ee_errno == EMSGSIZE) continue;
    auto* pending = socket.window.Find(MessageId(datagram));
    if (pending == nullptr) continue;
    lane_.Fail(socket.window, *pending,
               error.ee_errno == ECONNREFUSED ? QueryError::kRefused : QueryError::kUnreachable);
  }
}

}  // namespace

Result<UniqueFd> ConnectUdp(const Endpoint& server) {
  const bool v4 = server.address.is_v4();
  auto address = net::SocketAddress::From(server);
  UniqueFd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() || connect(fd.get(), address.get(), address.size) != 0) {
    return Failure("cannot open a socket to " + server.ToString() + ": " + std::strerror(errno));
  }
  const int on = 1;
  if (v4) {
    setsockopt(fd.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
  } else {
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
  }
  // As much as the system allows: answers that wait while the thread sends must not be lost.
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes));
  const timeval timeout{0, std::chrono::microseconds(kReceiveTimeout).count()};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  return fd;
}

void RunUdp(Lane& lane, std::span<const UniqueFd> sockets) {
  // Queries at given times leave when they are due, not up to 50 us later.
  prctl(PR_SET_TIMERSLACK, 1UL);
  UdpPort(lane, sockets).Run();
}

}  // namespace weir::bench
