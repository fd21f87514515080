#include "dns/wire/query.h"

#include "dns/server_cookie.h"
#include "dns/wire/name.h"

#include <algorithm>
#include <array>

namespace weir::dns {
namespace {

constexpr std::uint32_t kDnssecOk = 0x8000;
constexpr std::size_t kUdpPayloadMin = 512;  // RFC 6891 6.2.3: smaller values count as 512

// Reads numbers and pieces from the front; once it has run short, it stays `failed`.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint8_t U8() {
    const auto piece = Take(1);
    return piece.empty() ? std::uint8_t{0} : piece[0];
  }
  std::uint16_t U16() {
    const auto piece = Take(2);
    return piece.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(piece[0] << 8 | piece[1]);
  }
  std::uint32_t U32() {
    const std::uint32_t high = U16();
    return high << 16 | U16();
  }
  std::span<const std::uint8_t> Take(std::size_t count) {
    if (failed_ || count > bytes_.size() - at_) {
      failed_ = true;
      return {};
    }
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }
  // A name that is not compressed.
  std::span<const std::uint8_t> PlainName() {
    const std::size_t size = failed_ ? 0 : NameBytes(bytes_.subspan(at_));
    if (size == 0) failed_ = true;
    return Take(size);
  }
  // Passes over a name; a compression pointer ends it. Pointers are not followed: nobody needs the name.
  void SkipName() {
    std::size_t bytes = 0;
    while (!failed_) {
      const std::uint8_t length = U8();
      if (length >= 0xC0) {
        static_cast<void>(U8());
        return;
      }
      bytes += 1U + length;
      if (length > kLabelBytesMax || bytes > kNameBytesMax) failed_ = true;
      if (failed_ || length == 0) return;
      static_cast<void>(Take(length));
    }
  }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
  [[nodiscard]] std::uint8_t peek() const { return at_ < bytes_.size() ? bytes_[at_] : std::uint8_t{0xFF}; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

// RFC 7871 section 6: as many octets as the prefix needs, no bit beyond it, SCOPE zero in a query.
std::optional<ClientSubnet> DecodeClientSubnet(std::span<const std::uint8_t> option) {
  ByteReader reader(option);
  ClientSubnet subnet;
  subnet.family = reader.U16();
  subnet.source_bits = reader.U8();
  const std::uint8_t scope_bits = reader.U8();
  if (reader.failed() || scope_bits != 0) return std::nullopt;
  const std::size_t octets = (std::size_t{subnet.source_bits} + 7) / 8;
  const auto prefix = reader.Take(octets);
  if (reader.failed() || !reader.at_end()) return std::nullopt;
  if (subnet.source_bits % 8 != 0 && (prefix.back() & (0xFFU >> (subnet.source_bits % 8))) != 0) return std::nullopt;
  switch (subnet.family) {
    case 0:
      // No family is given for `no client`: only the empty prefix makes sense.
      return subnet.source_bits == 0 ? std::optional(subnet) : std::nullopt;
    case 1: {
      if (subnet.source_bits > 32) return std::nullopt;
      std::array<std::uint8_t, 4> bytes{};
      std::ranges::copy(prefix, bytes.begin());
      subnet.address = IpAddress::V4(bytes);
      return subnet;
    }
    case 2: {
      if (subnet.source_bits > 128) return std::nullopt;
      std::array<std::uint8_t, 16> bytes{};
      std::ranges::copy(prefix, bytes.begin());
      subnet.address = IpAddress::V6(bytes);
      return subnet;
    }
    default:
      return std::nullopt;
  }
}

// False when an option breaks its rules. Options that are not known are passed over (RFC 6891 6.1.2).
bool DecodeOptions(std::span<const std::uint8_t> options, Query& query) {
  ByteReader reader(options);
  while (!reader.failed() && !reader.at_end()) {
    const std::uint16_t code = reader.U16();
    const auto value = reader.Take(reader.U16());
    if (reader.failed()) return false;
    if (code == kOptionNsid) {
      query.wants_name_server_id = true;
    } else if (code == kOptionKeepalive) {
      // RFC 7828 3.2.1: empty in a query.
      if (!value.empty()) return false;
      query.wants_keepalive = true;
    } else if (code == kOptionCookie) {
      // RFC 7873 5.2: the client's alone, or with a server's of 8 to 32 bytes; of several the first counts.
      const std::size_t server_bytes = value.size() - std::min(value.size(), kClientCookieBytes);
      const bool right =
          value.size() == kClientCookieBytes || (server_bytes >= 8 && server_bytes <= kServerCookieBytesMax);
      if (!right) return false;
      if (query.cookie.empty()) query.cookie = value;
    } else if (code == kOptionClientSubnet) {
      if (query.client_subnet) return false;
      query.client_subnet = DecodeClientSubnet(value);
      if (!query.client_subnet) return false;
    }
  }
  return !reader.failed();
}

// The owner must be the root. Sets kBadVersion; false when malformed.
bool DecodeOpt(ByteReader& reader, Query& query) {
  if (query.has_edns || reader.U8() != 0) return false;
  static_cast<void>(reader.U16());  // type
  const std::uint16_t payload = reader.U16();
  const std::uint32_t ttl = reader.U32();
  const auto options = reader.Take(reader.U16());
  if (reader.failed()) return false;
  query.has_edns = true;
  query.udp_payload_bytes = std::max(payload, static_cast<std::uint16_t>(kUdpPayloadMin));
  query.dnssec_ok = (ttl & kDnssecOk) != 0;
  if (((ttl >> 16) & 0xFFU) != 0) {
    // Options of another version may mean anything.
    query.verdict = Query::Verdict::kBadVersion;
    return true;
  }
  return DecodeOptions(options, query);
}

bool DecodeSignature(std::span<const std::uint8_t> owner, std::span<const std::uint8_t> rdata, Query& query) {
  ByteReader reader(rdata);
  TransactionSignature signature;
  signature.owner = owner;
  signature.algorithm = reader.PlainName();
  signature.time = reader.Take(6);
  if (reader.failed()) return false;
  query.signature = signature;
  return true;
}

bool DecodeQuestion(std::span<const std::uint8_t> message, ByteReader& reader, Query& query) {
  query.name = reader.PlainName();
  query.type = reader.U16();
  query.record_class = reader.U16();
  if (reader.failed()) return false;
  query.has_question = true;
  query.question = message.subspan(kHeaderBytes, reader.at() - kHeaderBytes);
  return true;
}

bool DecodeAdditional(std::span<const std::uint8_t> message, ByteReader& reader, std::size_t count, Query& query) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = reader.at();
    ByteReader ahead = reader;
    ahead.SkipName();
    const std::size_t name_end = ahead.at();
    const std::uint16_t type = ahead.U16();
    if (ahead.failed()) return false;
    if (type == rr::kOpt) {
      if (!DecodeOpt(reader, query)) return false;
      continue;
    }
    reader = ahead;
    static_cast<void>(reader.Take(6));  // class and TTL
    const auto rdata = reader.Take(reader.U16());
    if (reader.failed()) return false;
    if (type != rr::kTsig) continue;
    // RFC 8945 5.1: TSIG is the last record, or the message is malformed. A compressed owner cannot be echoed.
    const auto owner = message.subspan(begin, name_end - begin);
    if (i + 1 != count || NameBytes(owner) != owner.size() || !DecodeSignature(owner, rdata, query)) return false;
  }
  return true;
}

bool DecodeBody(std::span<const std::uint8_t> message, Query& query) {
  ByteReader header(message.subspan(4, kHeaderBytes - 4));
  const std::uint16_t questions = header.U16();
  const std::size_t passed_over = std::size_t{header.U16()} + header.U16();
  const std::uint16_t additional = header.U16();
  ByteReader reader(message);
  static_cast<void>(reader.Take(kHeaderBytes));
  // RFC 9619: exactly one question.
  if (questions != 1 || !DecodeQuestion(message, reader, query)) return false;
  for (std::size_t i = 0; i < passed_over && !reader.failed(); ++i) {
    reader.SkipName();
    static_cast<void>(reader.Take(8));
    static_cast<void>(reader.Take(reader.U16()));
  }
  return !reader.failed() && DecodeAdditional(message, reader, additional, query);
}

}  // namespace

Query ParseQuery(std::span<const std::uint8_t> message) {
  Query query;
  // A response is never answered, whatever else it holds: two servers could answer each other for ever.
  if (message.size() < kHeaderBytes || (message[2] & 0x80U) != 0) return query;
  query.id = static_cast<std::uint16_t>(message[0] << 8 | message[1]);
  query.opcode = (message[2] >> 3) & 0x0FU;
  query.recursion_desired = (message[2] & 0x01U) != 0;
  query.checking_disabled = (message[3] & 0x10U) != 0;
  if (query.opcode != 0) {
    query.verdict = Query::Verdict::kNotImp;
    return query;
  }
  query.verdict = Query::Verdict::kValid;
  if (!DecodeBody(message, query)) query.verdict = Query::Verdict::kMalformed;
  return query;
}

}  // namespace weir::dns
