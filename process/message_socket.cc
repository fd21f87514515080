#include "process/message_socket.h"

#include "process/message.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::process {
namespace {

constexpr int kPerTurnMax = 256;

// Room for the descriptors of one message, aligned as the system wants it.
struct ControlBytes {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * MessageSocket::kDescriptorsMax)> bytes{};
};

std::vector<UniqueFd> TakeDescriptors(msghdr& header) {
  std::vector<UniqueFd> taken;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      taken.emplace_back(fd);
    }
  }
  return taken;
}

// What sendmsg gave, or the errno negated.
ssize_t SendOne(int socket, std::string& message, const std::vector<UniqueFd>& descriptors) {
  iovec piece{.iov_base = message.data(), .iov_len = message.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  ControlBytes control;
  if (!descriptors.empty()) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      const int fd = descriptors[i].get();
      std::memcpy(CMSG_DATA(part) + i * sizeof(int), &fd, sizeof(int));
    }
  }
  for (;;) {
    const ssize_t sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    if (sent >= 0 || errno != EINTR) return sent >= 0 ? sent : -errno;
  }
}

}  // namespace

SocketPair MakeSocketPair() {
  std::array<int, 2> fds = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) != 0) return {};
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

MessageSocket::MessageSocket(net::EventLoop& loop, UniqueFd socket, MessageSocketEvents& events)
    : loop_(loop), socket_(std::move(socket)), events_(events), buffer_(kMessageBytesMax) {
  // Level-triggered: a turn may stop early, and who says much cannot keep the loop from its other work.
  closed_ = !loop_.WatchLevel(socket_.get(), EPOLLIN, *this);
}

MessageSocket::~MessageSocket() {
  if (!closed_) loop_.Unwatch(socket_.get(), *this);
}

void MessageSocket::Send(std::string message, std::vector<UniqueFd> descriptors) {
  if (closed_) return;
  const bool was_empty = queue_.empty();
  queue_.push_back({std::move(message), std::move(descriptors)});
  if (was_empty) WriteQueued();
}

void MessageSocket::WriteQueued() {
  while (!queue_.empty()) {
    const ssize_t sent = SendOne(socket_.get(), queue_.front().message, queue_.front().descriptors);
    if (sent == -EAGAIN || sent == -ENOBUFS || sent == -ENOMEM || sent == -ETOOMANYREFS) {
      loop_.ModifyLevel(socket_.get(), EPOLLIN | EPOLLOUT, *this);
      return;
    }
    // A socket that is broken shows as readable, too: the end is told from there, outside of Send.
    if (sent < 0) return queue_.clear();
    queue_.pop_front();
  }
}

bool MessageSocket::ReadOne() {
  iovec piece{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
  ControlBytes control;
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  const ssize_t got = recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EINTR) return true;
  if (got < 0 && errno == EAGAIN) return false;
  auto descriptors = got > 0 ? TakeDescriptors(header) : std::vector<UniqueFd>();
  if (got <= 0 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    Fail();
    return false;
  }
  events_.OnMessage({buffer_.data(), static_cast<std::size_t>(got)}, std::move(descriptors));
  return !closed_;
}

void MessageSocket::Fail() {
  loop_.Unwatch(socket_.get(), *this);
  closed_ = true;
  socket_.Reset();
  queue_.clear();
  events_.OnClosed();
}

void MessageSocket::ReadAll() {
  for (int i = 0; i < kPerTurnMax; ++i) {
    if (!ReadOne()) return;
  }
}

void MessageSocket::OnEvents(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    loop_.ModifyLevel(socket_.get(), EPOLLIN, *this);
    WriteQueued();
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) ReadAll();
}

}  // namespace weir::process
