// What the floor programs share: command lines of `--name value`, loopback sockets, and refusing with a sentence.
// They run one thread each and depend on nothing of weir: they show what the kernel alone costs.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

namespace floor_bench {

// Ends the program: 2 the command line is wrong, 3 the system refused.
[[noreturn]] inline void Refuse(int exit_code, std::string_view what, std::string_view detail) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(detail.size()),
               detail.data());
  std::exit(exit_code);
}

// The result of a system call, or the end of the program with exit code 3.
inline int Require(int result, std::string_view what) {
  if (result < 0) Refuse(3, what, std::strerror(errno));
  return result;
}

// A port number, 1-65535; anything else ends the program with exit code 2.
inline std::uint16_t ParsePort(std::string_view option, std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    Refuse(2, option, "a port is a number from 1 to 65535");
  }
  return port;
}

inline sockaddr_in Address(std::uint32_t address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(address);
  result.sin_port = htons(port);
  return result;
}

// Sockets calls take addresses as sockaddr*; this is the one place that says so.
inline const sockaddr* AsGeneric(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

inline void SetOption(int fd, int level, int option, int value) {
  Require(setsockopt(fd, level, option, &value, sizeof value), "setsockopt");
}

// A socket of `type` bound to `port`: at 127.0.0.1, or at every address of the loopback interface.
enum class Scope { kLoopbackAddress, kLoopbackInterface };
inline int Bind(int type, std::uint16_t port, Scope scope) {
  const int fd = Require(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  std::uint32_t host = INADDR_LOOPBACK;
  if (scope == Scope::kLoopbackInterface) {
    host = INADDR_ANY;
    Require(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), "binding to the loopback interface");
  }
  const sockaddr_in address = Address(host, port);
  Require(bind(fd, AsGeneric(address), sizeof address), "bind");
  return fd;
}

inline int Listen(std::uint16_t port, Scope scope) {
  const int fd = Bind(SOCK_STREAM, port, scope);
  Require(listen(fd, 4096), "listen");
  return fd;
}

inline void Watch(int epoll, int operation, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  Require(epoll_ctl(epoll, operation, fd, &event), "epoll_ctl");
}

}  // namespace floor_bench
