#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string>

namespace weir::net {
namespace {

constexpr int kListenBacklog = 4096;

void Enable(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof(on));
}

// A sentence about what errno says.
std::unexpected<Error> BindFailure(const char* what, const Endpoint& endpoint) {
  const int code = errno;
  return Failure(std::string("cannot ") + what + " " + endpoint.ToString() + ": " + std::strerror(code),
                 code == EADDRINUSE ? "another program uses this port; stop it or choose another"
                 : code == EACCES   ? "ports below 1024 need root or CAP_NET_BIND_SERVICE"
                                    : "");
}

// A socket with these options of SOL_SOCKET, bound.
Result<UniqueFd> BindSocket(const Endpoint& endpoint, int type, std::initializer_list<int> options) {
  UniqueFd fd(socket(endpoint.address.is_v4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return BindFailure("open a socket for", endpoint);
  for (const int option : options) Enable(fd.get(), SOL_SOCKET, option);
  if (!endpoint.address.is_v4()) Enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  const auto address = SocketAddress::From(endpoint);
  if (bind(fd.get(), address.get(), address.size) != 0) return BindFailure("bind", endpoint);
  return fd;
}

}  // namespace

SocketAddress SocketAddress::From(const Endpoint& endpoint) {
  SocketAddress out;
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&out.storage, &v4, sizeof(v4));
    out.size = sizeof(v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    v6.sin6_scope_id = endpoint.address.zone();
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&out.storage, &v6, sizeof(v6));
    out.size = sizeof(v6);
  }
  return out;
}

Endpoint SocketAddress::ToEndpoint(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof(v4));
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return {IpAddress::V4(bytes), ntohs(v4.sin_port)};
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof(v6));
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return {IpAddress::V6(bytes), ntohs(v6.sin6_port)};
  }
  return {};
}

Result<UniqueFd> ListenTcp(const Endpoint& endpoint) {
  auto fd = BindSocket(endpoint, SOCK_STREAM, {SO_REUSEADDR, SO_REUSEPORT});
  if (!fd) return fd;
  // Accepted sockets inherit it: nobody has to ask for it connection by connection.
  Enable(fd->get(), IPPROTO_TCP, TCP_NODELAY);
  if (listen(fd->get(), kListenBacklog) != 0) return BindFailure("listen on", endpoint);
  return fd;
}

Result<UniqueFd> BindUdp(const Endpoint& endpoint) {
  return BindSocket(endpoint, SOCK_DGRAM, {SO_REUSEADDR, SO_REUSEPORT});
}

Result<UniqueFd> OpenUdpSender(const Endpoint& endpoint) {
  // Not SO_REUSEPORT: it must not join those among whom the system divides what arrives.
  auto fd = BindSocket(endpoint, SOCK_DGRAM, {SO_REUSEADDR});
  if (!fd) return fd;
  const auto address = SocketAddress::From(endpoint);
  if (connect(fd->get(), address.get(), address.size) != 0) return BindFailure("connect to", endpoint);
  return fd;
}

Result<void> CheckUnshared(const Endpoint& endpoint, SocketKind kind) {
  if (endpoint.port == 0) return {};
  // For TCP SO_REUSEADDR only passes over connections in TIME_WAIT; for UDP it would share the port.
  const auto fd = kind == SocketKind::kTcp ? BindSocket(endpoint, SOCK_STREAM, {SO_REUSEADDR})
                                           : BindSocket(endpoint, SOCK_DGRAM, {});
  if (!fd) return std::unexpected(fd.error());
  return {};
}

Endpoint LocalEndpoint(int fd) {
  SocketAddress address;
  address.size = sizeof(address.storage);
  if (getsockname(fd, address.get(), &address.size) != 0) return {};
  Endpoint endpoint = SocketAddress::ToEndpoint(address.get());
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof(v6));
    endpoint.address = endpoint.address.WithZone(v6.sin6_scope_id);
  }
  return endpoint;
}

}  // namespace weir::net
