#pragma once

// The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): a header in front of a connection's bytes, by
// which whoever passes the connection on says between whom it is. Without I/O.

#include "base/ip_address.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::net {

// A version 1 header is a line of at most so many bytes, CRLF included (section 2.1).
inline constexpr std::size_t kProxyLineBytesMax = 107;
// Of a version 2 header altogether. Our choice: it could say 65,551, and 536 are all that may be counted on.
inline constexpr std::size_t kProxyHeaderBytesMax = 4096;

enum class ProxyVersion : std::uint8_t { kV1 = 1, kV2 = 2 };

struct ProxyHeader {
  ProxyVersion version = ProxyVersion::kV1;
  // It names nobody (LOCAL, UNSPEC, UNKNOWN, UNIX): the ends are those of the connection itself.
  bool is_local = false;
  Endpoint source;  // else the client, and whom it connected to; both of one family
  Endpoint destination;
};

enum class ProxyRefusal : std::uint8_t { kMalformed, kTooLong, kChecksum };

struct ProxyParse {
  enum class Status : std::uint8_t { kNeedMore, kDone, kRefused };
  Status status = Status::kNeedMore;
  std::size_t size = 0;  // of the header, with kDone: what follows is the connection's
  ProxyHeader header;
  ProxyRefusal refusal = ProxyRefusal::kMalformed;  // with kRefused
  std::string_view why;                             // the same in words; a static text
};

// Reads the header that `bytes` begin with. Strict: nothing is repaired, and what cannot become a header is refused at
// its first byte that is wrong. Additional fields of version 2 are passed over, but they have to fill what they are
// given, and a checksum (CRC32c) has to be right.
[[nodiscard]] ProxyParse ParseProxyHeader(std::string_view bytes);

// Appends the header for a connection from `source` to `destination`, IPv4-mapped addresses as IPv4. Where they are of
// different families it names nobody.
void AppendProxyHeader(std::string& out, ProxyVersion version, const Endpoint& source, const Endpoint& destination);
// Appends the header of a connection that is the sender's own, as a health check is.
void AppendLocalProxyHeader(std::string& out, ProxyVersion version);

// CRC32c (RFC 9260 appendix A) of `bytes`.
[[nodiscard]] std::uint32_t Crc32c(std::string_view bytes);

}  // namespace weir::net
