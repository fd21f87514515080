#include "net/acceptor.h"

#include "base/log.h"
#include "net/socket.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::net {
namespace {

// The system looks for a descriptor before it looks into the queue: without one it says so even when nobody waits.
bool SomebodyWaits(int listening) {
  pollfd waiting{.fd = listening, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) > 0;
}

bool IsExhaustion(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

Acceptor::Acceptor(EventLoop& loop, UniqueFd listening, AcceptorEvents& events)
    : loop_(loop), listening_(std::move(listening)), bound_(LocalEndpoint(listening_.get())), events_(events) {}

bool Acceptor::Start() { return loop_.WatchLevel(listening_.get(), EPOLLIN, *this); }

void Acceptor::Watch(std::uint32_t events) {
  if (listening_.valid()) loop_.ModifyLevel(listening_.get(), events, *this);
}

void Acceptor::Resume() {
  if (std::exchange(awaits_room_, false)) Watch(EPOLLIN);
}

void Acceptor::CloseAfterQueue() {
  while (events_.MayAccept() && AcceptOne()) {
  }
  Close();
}

void Acceptor::Close() {
  Cancel();
  if (!listening_.valid()) return;
  loop_.Unwatch(listening_.get(), *this);
  listening_.Reset();
}

// Level-triggered: a turn may leave connections in the queue.
void Acceptor::OnEvents(std::uint32_t /*events*/) {
  for (int i = 0; i < kPerTurnMax && listening_.valid(); ++i) {
    if (!events_.MayAccept()) {
      // After one that was taken nobody knows whether another waits: the socket tells again.
      if (i > 0) return;
      awaits_room_ = true;
      Watch(0);
      events_.OnMustWait();
      return;
    }
    if (!AcceptOne()) return;
  }
}

void Acceptor::OnTimer() { Watch(EPOLLIN); }

bool Acceptor::AcceptOne() {
  SocketAddress address;
  address.size = sizeof(address.storage);
  UniqueFd fd(accept4(listening_.get(), address.get(), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) {
    const int error = errno;
    if (IsExhaustion(error)) return OnExhausted(error);
    return error == ECONNABORTED || error == EINTR;
  }
  if (std::exchange(resting_, false)) LogInfo("accepting again listener=" + bound_.ToString());
  Endpoint local = bound_;
  if (local.address.is_wildcard()) local = {};  // asked for when it is needed
  local.address = local.address.WithZone(0);
  events_.OnAccepted(
      std::make_unique<TcpStream>(loop_, std::move(fd), SocketAddress::ToEndpoint(address.get()), local));
  return true;
}

bool Acceptor::OnExhausted(int error) {
  if (!SomebodyWaits(listening_.get())) return false;
  if (events_.MakeRoom()) return false;  // the socket is level-triggered: the next turn tries again
  if (!std::exchange(resting_, true)) {
    LogWarning("cannot accept, trying again every 100 ms listener=" + bound_.ToString() + " reason=\"" +
               std::strerror(error) + "\"");
  }
  Watch(0);
  loop_.timers().Schedule(*this, loop_.now() + kRest);
  return false;
}

}  // namespace weir::net
