#include "dns/explain_message.h"

#include "dns/answer.h"
#include "dns/explain.h"
#include "dns/wire/name.h"
#include "dns/wire/query.h"
#include "dns/wire/rdata.h"
#include "dns/wire/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace weir::dns {
namespace {

void PutU16(std::vector<std::uint8_t>& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

// Reads our own response. Offsets are trusted: MessageWriter made them.
class ResponseReader {
 public:
  explicit ResponseReader(std::span<const std::uint8_t> message) : message_(message) {}

  void ReadInto(Explanation& out) {
    const std::size_t answers = U16At(6);
    const std::size_t authorities = U16At(8);
    at_ = kHeaderBytes;
    static_cast<void>(ReadName());
    at_ += 4;
    for (std::size_t i = 0; i < answers; ++i) ReadAnswer(out);
    for (std::size_t i = 0; i < authorities; ++i) {
      const std::size_t begin = at_;
      static_cast<void>(ReadName());
      const std::uint16_t type = U16At(at_);
      if (type == rr::kSoa && !out.ttl_seconds) out.ttl_seconds = TtlAt(at_ + 4);
      at_ = begin;
      SkipRecord();
    }
    ReadSubnet(out);
  }

 private:
  [[nodiscard]] std::uint16_t U16At(std::size_t at) const {
    return static_cast<std::uint16_t>(message_[at] << 8 | message_[at + 1]);
  }
  [[nodiscard]] std::uint32_t TtlAt(std::size_t at) const {
    return static_cast<std::uint32_t>(U16At(at)) << 16 | U16At(at + 2);
  }
  // The uncompressed name at the place, which moves behind it.
  std::vector<std::uint8_t> ReadName() {
    std::vector<std::uint8_t> wire;
    std::size_t from = at_;
    bool jumped = false;
    while (message_[from] != 0) {
      if (message_[from] >= 0xC0) {
        if (!jumped) at_ = from + 2;
        jumped = true;
        from = U16At(from) & 0x3FFFU;
        continue;
      }
      const std::size_t label = 1U + message_[from];
      wire.insert(wire.end(), message_.begin() + static_cast<std::ptrdiff_t>(from),
                  message_.begin() + static_cast<std::ptrdiff_t>(from + label));
      from += label;
    }
    wire.push_back(0);
    if (!jumped) at_ = from + 1;
    return wire;
  }
  void SkipRecord() {
    static_cast<void>(ReadName());
    at_ += 10U + U16At(at_ + 8);
  }
  void ReadAnswer(Explanation& out) {
    const auto owner = ReadName();
    const std::uint16_t type = U16At(at_);
    const std::uint32_t ttl = TtlAt(at_ + 4);
    const std::size_t size = U16At(at_ + 8);
    at_ += 10;
    const std::size_t end = at_ + size;
    const std::string value = RdataText(type, PlainRdata(type, end));
    at_ = end;
    std::string line;
    AppendDomainName(owner, line);
    out.answer.push_back(fmt::format("{} {} {} {}", line, ttl, RecordTypeName(type), value));
    if (type == out.type || out.type == rr::kAny) out.values.push_back(value);
    // What a client may keep is the shortest TTL of the chain.
    out.ttl_seconds = std::min(out.ttl_seconds.value_or(ttl), ttl);
  }
  std::vector<std::uint8_t> PlainRdata(std::uint16_t type, std::size_t end) {
    std::vector<std::uint8_t> out;
    const auto take = [&](std::size_t count) {
      for (; count > 0; --count) out.push_back(message_[at_++]);
    };
    const auto take_name = [&] {
      const auto name = ReadName();
      out.insert(out.end(), name.begin(), name.end());
    };
    if (type == rr::kMx) take(2);
    if (type == rr::kMx || type == rr::kNs || type == rr::kCname || type == rr::kPtr || type == rr::kSoa) take_name();
    if (type == rr::kSoa) take_name();
    take(end - at_);
    return out;
  }
  // The scope of the EDNS Client Subnet option: OPT is the last record, and the option stands first in it.
  void ReadSubnet(Explanation& out) {
    for (std::size_t i = U16At(10); i > 1; --i) SkipRecord();
    if (out.client.empty() || U16At(at_ + 9) < 8) return;
    out.client_scope_bits = message_[at_ + 11 + 7];
  }

  std::span<const std::uint8_t> message_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<std::uint8_t> EncodeQuestion(const Name& name, std::uint16_t type, const std::optional<CidrBlock>& client) {
  std::vector<std::uint8_t> out = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  out.insert(out.end(), name.wire().begin(), name.wire().end());
  PutU16(out, type);
  PutU16(out, kClassIn);
  out.push_back(0);
  PutU16(out, rr::kOpt);
  PutU16(out, kTcpMessageMax);
  PutU16(out, 0);
  PutU16(out, 0);
  if (!client) {
    PutU16(out, 0);
    return out;
  }
  const std::size_t octets = (client->prefix_bits() + 7) / 8;
  PutU16(out, 8 + octets);
  PutU16(out, 8);
  PutU16(out, 4 + octets);
  PutU16(out, client->address().is_v4() ? 1 : 2);
  out.push_back(static_cast<std::uint8_t>(client->prefix_bits()));
  out.push_back(0);
  const auto address = client->address().bytes().first(octets);
  out.insert(out.end(), address.begin(), address.end());
  return out;
}

void ReadResponse(std::span<const std::uint8_t> response, Explanation& out) { ResponseReader(response).ReadInto(out); }

}  // namespace weir::dns
