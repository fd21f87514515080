#include "dns/edns.h"

#include "dns/server_cookie.h"
#include "dns/wire/piece.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>

namespace weir::dns {
namespace {

constexpr std::size_t kOptFixedBytes = 11;
constexpr std::size_t kOptionHeaderBytes = 4;
constexpr std::size_t kAddressBytesMax = 16;

using Options = Piece<kOptionHeaderBytes * 4 + 4 + kAddressBytesMax + kNsidBytesMax + 2 + std::tuple_size_v<Cookie>>;

std::size_t SubnetOctets(const ClientSubnet& subnet) { return (subnet.source_bits + 7U) / 8U; }

std::string_view SentId(std::string_view id) { return id.substr(0, kNsidBytesMax); }

// Scope 0 where the answer is the same for everybody (RFC 7871 7.2.1). One that a policy makes has its scope even when
// it is negative: with 0 a cache would keep "no data" for those who have some (7.4 leaves this open).
void PutClientSubnet(const ClientSubnet& subnet, unsigned scope_bits, Options& options) {
  const bool tailored = subnet.source_bits > 0;
  options.U16(kOptionClientSubnet);
  options.U16(4 + SubnetOctets(subnet));
  options.U16(subnet.family);
  options.U8(subnet.source_bits);
  options.U8(tailored ? scope_bits : 0);
  options.Bytes(subnet.address.bytes().first(SubnetOctets(subnet)));
}

void PutOptions(const Query& query, const EdnsAnswer& answer, Options& options) {
  if (query.client_subnet) PutClientSubnet(*query.client_subnet, answer.scope_bits, options);
  if (const auto id = SentId(answer.name_server_id); !id.empty()) {
    options.U16(kOptionNsid);
    options.U16(id.size());
    options.Bytes({reinterpret_cast<const std::uint8_t*>(id.data()), id.size()});
  }
  if (!answer.cookie.empty()) {
    options.U16(kOptionCookie);
    options.U16(answer.cookie.size());
    options.Bytes(answer.cookie);
  }
  if (const auto idle = answer.idle_timeout.count(); query.wants_keepalive && idle > 0) {
    options.U16(kOptionKeepalive);
    options.U16(2);
    options.U16(static_cast<std::size_t>(std::min<std::int64_t>(idle / 100, 0xFFFF)));
  }
}

}  // namespace

std::size_t EdnsBytes(const Query& query, std::string_view name_server_id) {
  std::size_t bytes = kOptFixedBytes;
  if (query.client_subnet) bytes += kOptionHeaderBytes + 4 + SubnetOctets(*query.client_subnet);
  if (!name_server_id.empty()) bytes += kOptionHeaderBytes + SentId(name_server_id).size();
  if (query.wants_keepalive) bytes += kOptionHeaderBytes + 2;
  if (!query.cookie.empty()) bytes += kOptionHeaderBytes + std::tuple_size_v<Cookie>;
  return bytes;
}

void PutEdns(const Query& query, const EdnsAnswer& answer, MessageWriter& writer) {
  Options options;
  if (query.verdict != Query::Verdict::kBadVersion) PutOptions(query, answer, options);
  constexpr std::uint8_t kRoot = 0;
  const std::uint32_t ttl =
      static_cast<std::uint32_t>(std::to_underlying(answer.rcode)) >> 4 << 24 | (query.dnssec_ok ? 0x8000U : 0U);
  // Room was set aside; only a buffer below the documented size has none.
  static_cast<void>(
      writer.PutRaw(std::span(&kRoot, 1), rr::kOpt, static_cast<std::uint16_t>(kUdpPayloadMax), ttl, options.view()));
}

}  // namespace weir::dns
