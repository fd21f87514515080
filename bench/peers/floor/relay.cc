// The floor of a proxy: bytes from one socket to another, with nothing read out of them.
//
//   floor_relay --port PORT --upstream PORT                      one upstream connection for each client connection
//   floor_relay --port PORT --upstream PORT --pooled [--close] [--targets N]
//                                                                upstream connections shared by all clients
//
// The pooled relay looks at one thing, the Content-Length of the response, to know when an upstream connection is free;
// it understands floor_backend's responses only. --close answers `Connection: close` and closes, as a proxy does for
// clients that use a connection per request. --targets sends requests in turn to N addresses from 127.1.0.0 on, each
// with connections of its own: what it costs that the next socket has not been touched for N requests.
#include "sockets.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace floor_bench;

constexpr std::size_t kReadBytesMax = 256 * 1024;
constexpr std::uint32_t kFirstTarget = 0x7F010000;  // 127.1.0.0
constexpr std::uint32_t kTargetsMax = 0xFFFF;
constexpr std::string_view kCloseField = "Connection: close\r\n";

struct Options {
  std::uint16_t port = 0;
  std::uint16_t upstream = 0;
  bool pooled = false;
  bool close = false;
  std::uint32_t targets = 1;
};

// One socket. `other` is the socket that its bytes go to; -1 while a pooled one has no partner.
struct Side {
  int other = -1;
  bool is_upstream = false;
  std::uint32_t target = 0;         // of an upstream connection: which one
  bool closing = false;             // closes when `unsent` is out
  std::uint64_t response_left = 0;  // pooled upstream: bytes until it is free again
  std::string unsent;               // what the socket did not take
};

class Relay {
 public:
  explicit Relay(const Options& options)
      : options_(options),
        epoll_(Require(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        listener_(Listen(options.port, Scope::kLoopbackAddress)),
        buffer_(kReadBytesMax),
        free_(options.targets) {
    Watch(epoll_, EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) Refuse(3, "epoll_wait", std::strerror(errno));
      // A descriptor closed in this turn stays open until its end, so that no stale event meets a reused number.
      for (int i = 0; i < count; ++i) OnEvent(events[static_cast<std::size_t>(i)]);
      for (const int fd : closed_) close(fd);
      closed_.clear();
    }
  }

 private:
  void OnEvent(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listener_) return Accept();
    if (!open_[static_cast<std::size_t>(fd)]) return;
    if ((event.events & EPOLLOUT) != 0) return SendUnsent(fd);
    Read(fd);
  }

  void Accept() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      Add(fd, {});
      if (options_.pooled) continue;
      const int upstream = Connect(0);
      if (upstream < 0) {
        Drop(fd);
      } else {
        Join(fd, upstream);
      }
    }
  }

  // A connection to a target, or -1. Blocking: on loopback the handshake is done when connect returns.
  int Connect(std::uint32_t target) {
    const int fd = Require(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const std::uint32_t host = options_.targets == 1 ? INADDR_LOOPBACK : kFirstTarget + target;
    const sockaddr_in address = Address(host, options_.upstream);
    if (connect(fd, AsGeneric(address), sizeof address) < 0) {
      close(fd);
      return -1;
    }
    Side side;
    side.is_upstream = true;
    side.target = target;
    Add(fd, std::move(side));
    return fd;
  }

  void Add(int fd, Side side) {
    SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    const auto index = static_cast<std::size_t>(fd);
    if (sides_.size() <= index) {
      sides_.resize(index + 1);
      open_.resize(index + 1);
    }
    sides_[index] = std::move(side);
    open_[index] = true;
    Watch(epoll_, EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  void Join(int client, int upstream) {
    of(client).other = upstream;
    of(upstream).other = client;
  }

  void Read(int fd) {
    const ssize_t count = recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return End(fd);
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(count));
    if (!options_.pooled) {
      Send(of(fd).other, bytes, {});
    } else if (of(fd).is_upstream) {
      PassResponse(fd, bytes);
    } else if (TakeUpstream(fd)) {
      Send(of(fd).other, bytes, {});
    }
  }

  // A pooled client's partner: the one it has, a free one, a new one. False: the client was dropped.
  bool TakeUpstream(int client) {
    if (of(client).other >= 0) return true;
    const std::uint32_t target = next_target_;
    next_target_ = (next_target_ + 1) % options_.targets;
    std::vector<int>& free = free_[target];
    int upstream = -1;
    if (free.empty()) {
      upstream = Connect(target);
    } else {
      upstream = free.back();
      free.pop_back();
    }
    if (upstream < 0) {
      Drop(client);
      return false;
    }
    Join(client, upstream);
    return true;
  }

  void PassResponse(int upstream, std::string_view bytes) {
    Side& side = of(upstream);
    const int client = side.other;
    if (client < 0) return Drop(upstream);  // bytes that nobody asked for
    std::string_view insert;
    if (side.response_left == 0) {
      const auto length = ResponseBytes(bytes);
      if (!length) return End(upstream);
      side.response_left = *length;
      if (options_.close) insert = kCloseField;
    }
    side.response_left -= std::min<std::uint64_t>(side.response_left, bytes.size());
    const bool done = side.response_left == 0;
    if (done) {
      side.other = -1;
      of(client).other = -1;
      free_[side.target].push_back(upstream);
    }
    Send(client, bytes, insert);
    if (done && options_.close && open_[static_cast<std::size_t>(client)]) {
      of(client).closing = true;
      if (of(client).unsent.empty()) Drop(client);
    }
  }

  // Bytes of the whole response that `bytes` begins; absent when its head is not whole or has no Content-Length.
  static std::optional<std::uint64_t> ResponseBytes(std::string_view bytes) {
    static constexpr std::string_view kName = "\r\nContent-Length: ";
    const std::size_t end = bytes.find("\r\n\r\n");
    const std::size_t at = bytes.substr(0, end).find(kName);
    if (end == std::string_view::npos || at == std::string_view::npos) return std::nullopt;
    std::uint64_t content = 0;
    std::from_chars(bytes.data() + at + kName.size(), bytes.data() + end, content);
    return end + 4 + content;
  }

  // Sends `bytes` with `insert` after their first line; keeps what the socket does not take and stops reading its
  // source.
  void Send(int fd, std::string_view bytes, std::string_view insert) {
    Side& side = of(fd);
    const std::size_t line = insert.empty() ? 0 : bytes.find('\n') + 1;
    std::array<iovec, 3> parts = {Part(bytes.substr(0, line)), Part(insert), Part(bytes.substr(line))};
    const std::size_t size = bytes.size() + insert.size();
    ssize_t sent = 0;
    if (!side.unsent.empty()) {
      sent = 0;
    } else if (insert.empty()) {
      sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = parts.size();
      sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (sent < 0 && errno != EAGAIN) return End(fd);
    const auto count = static_cast<std::size_t>(sent < 0 ? 0 : sent);
    if (count == size) return;
    std::string whole(bytes.substr(0, line));
    whole.append(insert).append(bytes.substr(line));
    const bool was_empty = side.unsent.empty();
    side.unsent.append(whole, count);
    if (!was_empty) return;
    Watch(epoll_, EPOLL_CTL_MOD, fd, EPOLLOUT);
    if (side.other >= 0) Watch(epoll_, EPOLL_CTL_MOD, side.other, 0);
  }

  static iovec Part(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

  void SendUnsent(int fd) {
    Side& side = of(fd);
    const ssize_t sent = send(fd, side.unsent.data(), side.unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return End(fd);
    side.unsent.erase(0, static_cast<std::size_t>(sent));
    if (!side.unsent.empty()) return;
    if (side.closing) return Drop(fd);
    Watch(epoll_, EPOLL_CTL_MOD, fd, EPOLLIN);
    if (side.other >= 0) Watch(epoll_, EPOLL_CTL_MOD, side.other, EPOLLIN);
  }

  // One side has ended: so does its partner. An upstream connection that is free leaves the pool.
  void End(int fd) {
    const int other = of(fd).other;
    if (of(fd).is_upstream) std::erase(free_[of(fd).target], fd);
    Drop(fd);
    if (other >= 0) Drop(other);
  }

  void Drop(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (!open_[index]) return;
    open_[index] = false;
    if (of(fd).other >= 0) of(of(fd).other).other = -1;
    sides_[index] = {};
    shutdown(fd, SHUT_WR);
    Require(epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl");
    closed_.push_back(fd);
  }

  Side& of(int fd) { return sides_[static_cast<std::size_t>(fd)]; }

  Options options_;
  int epoll_;
  int listener_;
  std::vector<char> buffer_;
  std::vector<Side> sides_;  // by descriptor
  std::vector<bool> open_;   // by descriptor
  std::vector<int> closed_;  // to be closed at the end of the turn

  std::vector<std::vector<int>> free_;  // pooled, by target: upstream connections without a client
  std::uint32_t next_target_ = 0;
};

std::uint32_t ParseTargets(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count == 0 || count > kTargetsMax) {
    Refuse(2, "--targets", "a number from 1 to 65535");
  }
  return count;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--port" && i + 1 < argc) {
      options.port = ParsePort(option, argv[++i]);
    } else if (option == "--upstream" && i + 1 < argc) {
      options.upstream = ParsePort(option, argv[++i]);
    } else if (option == "--pooled") {
      options.pooled = true;
    } else if (option == "--close") {
      options.close = true;
    } else if (option == "--targets" && i + 1 < argc) {
      options.targets = ParseTargets(argv[++i]);
    } else {
      Refuse(2, option, "usage: floor_relay --port PORT --upstream PORT [--pooled [--close] [--targets N]]");
    }
  }
  if (options.port == 0 || options.upstream == 0) Refuse(2, "floor_relay", "--port and --upstream are required");
  if (options.close && !options.pooled) Refuse(2, "--close", "needs --pooled");
  if (options.targets > 1 && !options.pooled) Refuse(2, "--targets", "needs --pooled");
  return options;
}

}  // namespace

int main(int argc, char** argv) { Relay(ParseOptions(argc, argv)).Run(); }
