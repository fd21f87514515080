#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "base/unique_fd.h"

#include <sys/socket.h>

#include <cstdint>

namespace weir::net {

// An Endpoint in the form the socket calls take.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] static SocketAddress From(const Endpoint& endpoint);
  // The Endpoint of a filled-in address, without its zone: a peer is named by its address. 0.0.0.0:0 for families other
  // than IPv4 and IPv6.
  [[nodiscard]] static Endpoint ToEndpoint(const sockaddr* address);
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Non-blocking, close-on-exec sockets. IPv6 sockets take IPv6 only, so that both wildcards can be bound beside each
// other. The message names the endpoint and the system's reason (`cannot bind 0.0.0.0:80: Permission denied`).
[[nodiscard]] Result<UniqueFd> ListenTcp(
    const Endpoint& endpoint);  // SO_REUSEADDR, SO_REUSEPORT; one for each worker; accepted sockets have TCP_NODELAY
[[nodiscard]] Result<UniqueFd> BindUdp(const Endpoint& endpoint);  // SO_REUSEADDR, SO_REUSEPORT
// A second socket of an address that BindUdp has bound, to send by; non-blocking, close-on-exec. It is connected to its
// own address, so that nothing else arrives at it once this function has returned; what arrived until then waits to be
// read. Fails as BindUdp does, and where the system has no way to that address (no loopback).
[[nodiscard]] Result<UniqueFd> OpenUdpSender(const Endpoint& endpoint);
// Whether nobody else has the address: SO_REUSEPORT would let a second appliance of the same user share it unnoticed,
// and take half of the connections. Binds without sharing and closes again. Port 0 is always free. Fails as the two
// above do.
enum class SocketKind : std::uint8_t { kTcp, kUdp };
[[nodiscard]] Result<void> CheckUnshared(const Endpoint& endpoint, SocketKind kind);
// The address a socket is bound to, with its zone: the real port after a bind to port 0.
[[nodiscard]] Endpoint LocalEndpoint(int fd);

}  // namespace weir::net
