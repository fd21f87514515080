#pragma once

#include "base/ip_address.h"
#include "dns/wire/types.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace weir::dns {

inline constexpr std::size_t kHeaderBytes = 12;
// Our limit for answers over UDP, whatever the client offers (RFC 9715, DNS flag day 2020); also the size we advertise.
inline constexpr std::size_t kUdpPayloadMax = 1232;
inline constexpr std::size_t kTcpMessageMax = 65'535;

// EDNS Client Subnet of a query (RFC 7871). Family 0 comes with an empty prefix only.
struct ClientSubnet {
  std::uint16_t family = 0;  // 1 IPv4, 2 IPv6
  std::uint8_t source_bits = 0;
  IpAddress address;  // bits beyond source_bits are zero
};

// A TSIG record that came with a query (RFC 8945); no key is known here, so it can only be refused.
struct TransactionSignature {
  std::span<const std::uint8_t> owner;      // wire form
  std::span<const std::uint8_t> algorithm;  // wire form
  std::span<const std::uint8_t> time;       // 6 bytes
};

// A query as far as it could be read. Spans point into the message.
struct Query {
  enum class Verdict : std::uint8_t {
    kDrop,        // no header, or a response: answering could start a loop
    kMalformed,   // FORMERR
    kNotImp,      // an opcode other than QUERY
    kBadVersion,  // EDNS version other than 0
    kValid,
  };
  Verdict verdict = Verdict::kDrop;
  std::uint16_t id = 0;
  std::uint8_t opcode = 0;
  bool recursion_desired = false;
  bool checking_disabled = false;

  bool has_question = false;
  std::span<const std::uint8_t> question;  // name, type and class as sent
  std::span<const std::uint8_t> name;      // uncompressed wire form, case as sent
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;

  bool has_edns = false;
  std::uint16_t udp_payload_bytes = 512;  // at least 512
  bool dnssec_ok = false;
  bool wants_name_server_id = false;  // RFC 5001
  bool wants_keepalive = false;       // RFC 7828
  std::optional<ClientSubnet> client_subnet;
  std::span<const std::uint8_t> cookie;  // RFC 7873: the client's, and the server's behind it where it knows one
  std::optional<TransactionSignature> signature;
};

// Reads a message from the wire. Never reads past the end; loops are bounded by the message. Compression in the
// question is malformed: there is nothing before it that it could point to.
[[nodiscard]] Query ParseQuery(std::span<const std::uint8_t> message);

}  // namespace weir::dns
