#include "net/resolver.h"

#include "net/socket.h"

#include <ares.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include <algorithm>
#include <map>
#include <utility>

namespace weir::net {
namespace {

constexpr int kTimeoutMilliseconds = 2'000;  // of the first try; c-ares doubles it for the second
constexpr int kTries = 2;

ResolveStatus StatusOf(int ares_status) {
  switch (ares_status) {
    case ARES_SUCCESS:
      return ResolveStatus::kFound;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
      return ResolveStatus::kNotFound;
    default:
      return ResolveStatus::kFailed;
  }
}

ResolveResult ReadAnswer(int ares_status, const ares_addrinfo* answer) {
  ResolveResult result;
  result.status = StatusOf(ares_status);
  if (result.status != ResolveStatus::kFound) {
    result.error = ares_strerror(ares_status);
    return result;
  }
  int ttl = INT32_MAX;
  for (const ares_addrinfo_node* node = answer->nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
    result.addresses.push_back(SocketAddress::ToEndpoint(node->ai_addr).address);
    ttl = std::min(ttl, node->ai_ttl);
  }
  for (const ares_addrinfo_cname* alias = answer->cnames; alias != nullptr; alias = alias->next) {
    ttl = std::min(ttl, alias->ttl);
  }
  std::ranges::sort(result.addresses);
  const auto repeated = std::ranges::unique(result.addresses);
  result.addresses.erase(repeated.begin(), repeated.end());
  result.ttl = std::chrono::seconds(std::max(ttl, 0));
  if (result.addresses.empty()) {
    result.status = ResolveStatus::kNotFound;
    result.error = ares_strerror(ARES_ENODATA);
  }
  return result;
}

}  // namespace

// The c-ares channel and its sockets. c-ares tells which descriptors it waits for; the loop watches them
// level-triggered, because c-ares may leave bytes behind.
class Resolver::Channel final : private Timer {
 public:
  Channel(EventLoop& loop, std::span<const Endpoint> servers) : loop_(loop) { Open(servers); }
  ~Channel() override;

  void Resolve(const std::string& host, OnResolved done);

 private:
  // One descriptor of c-ares. Events that were fetched before c-ares closed it find `channel` null.
  struct Watched final : Deferred, FdWatcher {
    Watched(Channel& owner, int descriptor) : channel(&owner), fd(descriptor) {}
    void OnEvents(std::uint32_t events) override {
      if (channel != nullptr) channel->OnSocketEvents(fd, events);
    }
    Channel* channel;
    int fd;
  };
  struct Query {
    Channel* channel;
    OnResolved done;
  };

  void Open(std::span<const Endpoint> servers);
  void OnSocketState(int fd, bool readable, bool writable);
  void OnSocketEvents(int fd, std::uint32_t events);
  void OnTimer() override;
  void ScheduleTimeout();
  static void OnAnswer(void* argument, int status, int timeouts, ares_addrinfo* answer);

  EventLoop& loop_;
  ares_channel ares_ = nullptr;  // null when c-ares could not start
  int open_status_ = ARES_SUCCESS;
  bool closing_ = false;
  const Query* calling_ = nullptr;  // whose ares_getaddrinfo has not returned yet
  std::map<int, std::unique_ptr<Watched>> watched_;
};

void Resolver::Channel::Open(std::span<const Endpoint> servers) {
  open_status_ = ares_library_init(ARES_LIB_INIT_ALL);
  if (open_status_ != ARES_SUCCESS) return;
  ares_options options{};
  options.timeout = kTimeoutMilliseconds;
  options.tries = kTries;
  options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Channel*>(self)->OnSocketState(fd, readable != 0, writable != 0);
  };
  options.sock_state_cb_data = this;
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  open_status_ = ares_init_options(&ares_, &options, mask);
  if (open_status_ != ARES_SUCCESS) {
    ares_ = nullptr;
    return;
  }
  if (servers.empty()) return;
  std::string list;
  for (const Endpoint& server : servers) {
    if (!list.empty()) list += ',';
    server.AppendTo(list);
  }
  open_status_ = ares_set_servers_ports_csv(ares_, list.c_str());
}

Resolver::Channel::~Channel() {
  closing_ = true;
  if (ares_ != nullptr) ares_destroy(ares_);
  ares_library_cleanup();
}

void Resolver::Channel::Resolve(const std::string& host, OnResolved done) {
  if (const auto literal = IpAddress::Parse(host)) {
    ResolveResult result;
    result.status = ResolveStatus::kFound;
    result.addresses.push_back(*literal);
    result.ttl = kTtlUnknown;
    done(result);
    return;
  }
  if (ares_ == nullptr || open_status_ != ARES_SUCCESS) {
    ResolveResult result;
    result.error = ares_strerror(open_status_);
    done(result);
    return;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  // Sorting by RFC 6724 would open a socket for each address; the order here is our own.
  hints.ai_flags = ARES_AI_NOSORT;
  // The callback owns the query, and may run inside the call.
  auto query = std::make_unique<Query>(Query{this, std::move(done)});
  const Query* outer = std::exchange(calling_, query.get());
  ares_getaddrinfo(ares_, host.c_str(), nullptr, &hints, &Channel::OnAnswer, query.release());
  calling_ = outer;
  ScheduleTimeout();
}

void Resolver::Channel::OnAnswer(void* argument, int status, int /*timeouts*/, ares_addrinfo* answer) {
  const std::unique_ptr<Query> query(static_cast<Query*>(argument));
  const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owned(answer, &ares_freeaddrinfo);
  if (query->channel->closing_) return;
  ResolveResult result = ReadAnswer(status, answer);
  // Only the hosts file answers at once, and it knows no TTL.
  if (query.get() == query->channel->calling_ && result.status == ResolveStatus::kFound) result.ttl = kTtlUnknown;
  query->done(result);
}

void Resolver::Channel::OnSocketState(int fd, bool readable, bool writable) {
  const auto found = watched_.find(fd);
  if (!readable && !writable) {
    if (found == watched_.end()) return;
    loop_.Unwatch(fd, *found->second);
    found->second->channel = nullptr;
    loop_.DestroyLater(std::move(found->second));
    watched_.erase(found);
    return;
  }
  const std::uint32_t events = (readable ? std::uint32_t{EPOLLIN} : 0U) | (writable ? std::uint32_t{EPOLLOUT} : 0U);
  if (found != watched_.end()) {
    loop_.ModifyLevel(fd, events, *found->second);
    return;
  }
  auto watched = std::make_unique<Watched>(*this, fd);
  // A refused registration shows as a look-up that times out.
  if (loop_.WatchLevel(fd, events, *watched)) watched_.emplace(fd, std::move(watched));
}

void Resolver::Channel::OnSocketEvents(int fd, std::uint32_t events) {
  const bool readable = (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
  const bool writable = (events & EPOLLOUT) != 0;
  ares_process_fd(ares_, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
  ScheduleTimeout();
}

void Resolver::Channel::OnTimer() {
  ares_process_fd(ares_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  ScheduleTimeout();
}

void Resolver::Channel::ScheduleTimeout() {
  timeval wait{};
  if (ares_timeout(ares_, nullptr, &wait) == nullptr) {
    Cancel();
    return;
  }
  const auto delay = std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec);
  // One slot more than asked: c-ares' own clock reading must find the query overdue when the timer fires.
  loop_.timers().Schedule(*this, loop_.now() + delay + std::chrono::milliseconds(1));
}

Resolver::Resolver(EventLoop& loop, std::span<const Endpoint> servers)
    : channel_(std::make_unique<Channel>(loop, servers)) {}

Resolver::~Resolver() = default;

void Resolver::Resolve(const std::string& host, OnResolved done) { channel_->Resolve(host, std::move(done)); }

}  // namespace weir::net
