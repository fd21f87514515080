#include "net/stream.h"

#include "net/pipe.h"
#include "net/socket.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace weir::net {
namespace {

constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP;

void DisableNagle(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

TcpStream::TcpStream(EventLoop& loop, UniqueFd fd, const Endpoint& peer, const Endpoint& local)
    : loop_(loop), fd_(std::move(fd)), peer_(peer), local_(local) {
  loop_.LookSoon(*this);
}

TcpStream::TcpStream(EventLoop& loop, UniqueFd fd, const Endpoint& peer, const Endpoint& local, StreamEvents& events)
    : loop_(loop), events_(&events), fd_(std::move(fd)), peer_(peer), local_(local) {
  Register();
}

// The descriptor closes with the member, and closing takes it out of epoll.
TcpStream::~TcpStream() = default;

void TcpStream::Register() {
  const Watched before = std::exchange(watched_, Watched::kAlways);
  if (before == Watched::kAlways) return;
  Look::Unlink();
  if (before == Watched::kNo) return NoteRegistered(loop_.Watch(fd_.get(), kEvents, *this));
  // Said anew, the registration reports what is true already.
  loop_.ModifyLevel(fd_.get(), kEvents | EPOLLET, *this);
}

void TcpStream::RegisterOnce() {
  watched_ = Watched::kOnce;
  NoteRegistered(loop_.WatchLevel(fd_.get(), EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, *this));
}

void TcpStream::NoteRegistered(bool registered) {
  if (registered) return;
  // Out of memory for another registration: the connection cannot live. Reading will report it.
  peer_closed_ = true;
  readable_ = true;
}

std::unique_ptr<TcpStream> TcpStream::Connect(EventLoop& loop, const Endpoint& peer, StreamEvents& events, int& error) {
  UniqueFd fd(socket(peer.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto address = SocketAddress::From(peer);
  if (!fd.valid() || (connect(fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS)) {
    error = errno;
    return nullptr;
  }
  DisableNagle(fd.get());
  auto stream = std::make_unique<TcpStream>(loop, std::move(fd), peer, Endpoint{}, events);
  stream->phase_ = Phase::kConnecting;
  error = 0;
  return stream;
}

void TcpStream::OnEvents(std::uint32_t events) {
  if (!fd_.valid()) return;
  if (watched_ == Watched::kOnce) watched_ = Watched::kNoMore;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) peer_closed_ = true;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) broken_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if (phase_ == Phase::kConnecting) {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    phase_ = Phase::kOpen;
    events_->OnConnected(error);
    if (!fd_.valid()) return;
    if (error == 0 && readable_) events_->OnReadable();
    return;
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && !writable_) {
    writable_ = true;
    events_->OnWritable();
  }
  // The other side may have closed the stream in OnWritable.
  if (readable_ && fd_.valid()) events_->OnReadable();
  if (watched_ == Watched::kNoMore && fd_.valid()) OnUnwatched();
}

// Not watched. What has arrived meanwhile is read now; what arrives from now on is told by the loop, or found by a look
// when it can only be the end.
void TcpStream::OnLook() {
  const bool is_first = !std::exchange(looked_, true);
  if (is_first || shut_down_) {
    readable_ = true;
    events_->OnReadable();
    if (!fd_.valid() || watched_ == Watched::kAlways) return;
  }
  if (!is_first) return Register();
  if (received_) return OnUnwatched();
  RegisterOnce();
}

void TcpStream::OnUnwatched() {
  if (only_end_ || shut_down_) {
    loop_.LookLater(*this);
  } else {
    Register();
  }
}

void TcpStream::AwaitWritable() {
  writable_ = false;
  TellAgain();
}

IoResult TcpStream::Read(std::span<char> buffer) {
  for (;;) {
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
      received_ = true;
      const auto bytes = static_cast<std::size_t>(got);
      // A short read emptied the socket: the next byte raises a new edge. A FIN that is already there does not.
      if (bytes < buffer.size() && !peer_closed_) readable_ = false;
      return {IoStatus::kOk, bytes, 0};
    }
    if (got < 0 && errno == EINTR) continue;
    return EndOfRead(got == 0 ? 0 : errno);
  }
}

IoResult TcpStream::Peek(std::span<char> buffer) {
  for (;;) {
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), MSG_PEEK);
    if (got > 0) {
      received_ = true;
      return {IoStatus::kOk, static_cast<std::size_t>(got), 0};
    }
    if (got < 0 && errno == EINTR) continue;
    return EndOfRead(got == 0 ? 0 : errno);
  }
}

void TcpStream::Rename(const Endpoint& peer, const Endpoint& local) {
  peer_ = peer;
  local_ = local;
}

void TcpStream::TellAgain() {
  if (watched_ != Watched::kAlways) return Register();
  // Said anew, the registration reports what is true already.
  loop_.ModifyLevel(fd_.get(), kEvents | EPOLLET, *this);
}

// A read gave nothing: the end (0), nothing now (EAGAIN), or an error.
IoResult TcpStream::EndOfRead(int error) {
  readable_ = false;
  if (error == EAGAIN) return {IoStatus::kWouldBlock, 0, 0};
  peer_closed_ = true;
  if (error == 0) return {IoStatus::kEnd, 0, 0};
  broken_ = true;
  return {IoStatus::kError, 0, error};
}

// The socket takes no more: the loop tells when it does.
void TcpStream::OnFull() {
  writable_ = false;
  Register();
}

IoResult TcpStream::Send(std::span<const iovec> pieces, int flags) {
  std::size_t wanted = 0;
  std::size_t used = 0;
  const iovec* piece = nullptr;
  for (const iovec& each : pieces) {
    if (each.iov_len == 0) continue;
    wanted += each.iov_len;
    piece = &each;
    ++used;
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  for (;;) {
    // One piece costs less without a message header to take apart.
    const ssize_t sent = used == 1 ? send(fd_.get(), piece->iov_base, wanted, flags | MSG_NOSIGNAL)
                                   : sendmsg(fd_.get(), &message, flags | MSG_NOSIGNAL);
    if (sent >= 0) {
      const auto bytes = static_cast<std::size_t>(sent);
      if (bytes < wanted) OnFull();
      return {IoStatus::kOk, bytes, 0};
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      OnFull();
      return {IoStatus::kWouldBlock, 0, 0};
    }
    broken_ = true;
    return {IoStatus::kError, 0, errno};
  }
}

// The kernel holds the bytes back until the FIN joins them: one segment instead of two, and the peer wakes up once.
IoResult TcpStream::WriteLast(std::span<const iovec> pieces) { return Send(pieces, MSG_MORE); }

IoResult TcpStream::ReadTo(Pipe& pipe, std::size_t max) {
  for (;;) {
    const ssize_t got = splice(fd_.get(), nullptr, pipe.write_end(), nullptr, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (got > 0) {
      const auto bytes = static_cast<std::size_t>(got);
      pipe.Filled(bytes);
      return {IoStatus::kOk, bytes, 0};
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EINVAL || errno == ENOSYS || errno == EPERM)) return {IoStatus::kRefused, 0, errno};
    return EndOfRead(got == 0 ? 0 : errno);
  }
}

IoResult TcpStream::WriteFrom(Pipe& pipe) {
  const std::size_t wanted = pipe.bytes();
  while (!pipe.empty()) {
    const ssize_t sent =
        splice(pipe.read_end(), nullptr, fd_.get(), nullptr, pipe.bytes(), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (sent > 0) {
      pipe.Emptied(static_cast<std::size_t>(sent));
      continue;  // less than all does not say that the socket is full
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      OnFull();
      break;
    }
    broken_ = true;
    return {IoStatus::kError, 0, sent < 0 ? errno : EPIPE};
  }
  const std::size_t bytes = wanted - pipe.bytes();
  return {bytes > 0 ? IoStatus::kOk : IoStatus::kWouldBlock, bytes, 0};
}

const Endpoint& TcpStream::local() const {
  if (local_.port == 0 && fd_.valid()) {
    local_ = LocalEndpoint(fd_.get());
    local_.address = local_.address.WithZone(0);
  }
  return local_;
}

bool TcpStream::acknowledged() const {
  int bytes = 0;
  return ioctl(fd_.get(), SIOCOUTQ, &bytes) != 0 || bytes == 0;
}

void TcpStream::ShutdownWrite() {
  shutdown(fd_.get(), SHUT_WR);
  shut_down_ = true;
  // The peer's end is on its way.
  if (watched_ != Watched::kAlways) loop_.LookLater(*this);
}

void TcpStream::Close(CloseMode mode) {
  if (mode == CloseMode::kReset && fd_.valid()) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }
  Look::Unlink();
  fd_.Reset();
}

}  // namespace weir::net
