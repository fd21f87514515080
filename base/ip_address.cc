#include "base/ip_address.h"

#include "base/check.h"
#include "base/text.h"
#include "base/text_writer.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace weir {
namespace {

// Of an interface by its name or its index; 0: there is no such thing.
std::uint32_t InterfaceIndex(const std::string& zone) {
  const auto number = ParseDecimal(zone);
  if (!number) return if_nametoindex(zone.c_str());
  constexpr std::uint64_t kIndexMax = std::numeric_limits<std::int32_t>::max();
  return *number <= kIndexMax ? static_cast<std::uint32_t>(*number) : 0;
}

void PutZone(std::uint32_t zone, TextWriter& out) {
  out.Put('%');
  char name[IF_NAMESIZE];
  if (if_indextoname(zone, name) != nullptr) {
    out.Put(std::string_view(name));
  } else {
    out.PutDecimal(zone);
  }
}

}  // namespace

Result<IpAddress> IpAddress::Parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN + 1];
  if (!text.empty() && text.size() < sizeof(buffer)) {
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = '\0';
    std::array<std::uint8_t, 16> bytes{};
    if (text.find(':') == std::string_view::npos) {
      if (inet_pton(AF_INET, buffer, bytes.data()) == 1) return V4({bytes[0], bytes[1], bytes[2], bytes[3]});
    } else if (inet_pton(AF_INET6, buffer, bytes.data()) == 1) {
      return V6(bytes);
    }
  }
  return Failure("'" + std::string(text) + "' is not an IP address", "write 192.0.2.1 or 2001:db8::1");
}

Result<IpAddress> IpAddress::ParseZoned(std::string_view text) {
  const auto percent = text.find('%');
  if (percent == std::string_view::npos) return Parse(text);
  const auto address = Parse(text.substr(0, percent));
  if (!address) return address;
  if (!address->is_link_local()) {
    return Failure("'" + std::string(text) + "' cannot have a zone", "only addresses of fe80::/10 have one");
  }
  const std::uint32_t index = InterfaceIndex(std::string(text.substr(percent + 1)));
  if (index != 0) return address->WithZone(index);
  return Failure("'" + std::string(text) + "' names no interface", "write fe80::1%eth0, or the interface's index");
}

IpAddress IpAddress::WithZone(std::uint32_t interface_index) const {
  IpAddress address = *this;
  address.zone_ = interface_index;
  return address;
}

IpAddress IpAddress::V4(std::array<std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::V6(const std::array<std::uint8_t, 16>& bytes) {
  IpAddress address;
  address.family_ = IpFamily::kV6;
  address.bytes_ = bytes;
  return address;
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  std::array<std::uint8_t, 16> one{};
  one[15] = 1;
  return bytes_ == one;
}

IpAddress IpAddress::Unmapped() const {
  static constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (is_v4() || !std::equal(kMapped.begin(), kMapped.end(), bytes_.begin())) return *this;
  return V4({bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

void IpAddress::Put(TextWriter& out) const {
  if (is_v4()) {
    // Written with every request and every log line; inet_ntop takes the way through sprintf.
    out.PutDecimal(bytes_[0]);
    for (std::size_t i = 1; i < 4; ++i) {
      out.Put('.');
      out.PutDecimal(bytes_[i]);
    }
    return;
  }
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, bytes_.data(), text, sizeof(text));
  out.Put(std::string_view(text));
  if (zone_ != 0) PutZone(zone_, out);
}

void IpAddress::AppendTo(std::string& out) const {
  AppendWith(out, kTextBytesMax, [this](TextWriter& text) { Put(text); });
}

std::string IpAddress::ToString() const {
  std::string out;
  AppendTo(out);
  return out;
}

Result<Endpoint> Endpoint::Parse(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto fail = [&] {
    return Failure("'" + std::string(text) + "' is not an address and port", "write 127.0.0.1:80 or [::1]:80");
  };
  if (colon == std::string_view::npos) return fail();
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto port = ParseDecimal(text.substr(colon + 1));
  const auto address = IpAddress::ParseZoned(host);
  if (!port || *port > 65535 || !address || address->is_v4() == bracketed) return fail();
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

void Endpoint::Put(TextWriter& out) const {
  if (!address.is_v4()) out.Put('[');
  address.Put(out);
  if (!address.is_v4()) out.Put(']');
  out.Put(':');
  out.PutDecimal(port);
}

void Endpoint::AppendTo(std::string& out) const {
  AppendWith(out, kTextBytesMax, [this](TextWriter& text) { Put(text); });
}

std::string Endpoint::ToString() const {
  std::string out;
  AppendTo(out);
  return out;
}

CidrBlock CidrBlock::Of(const IpAddress& address, unsigned prefix_bits) {
  const auto bytes = address.bytes();
  WEIR_CHECK(prefix_bits <= bytes.size() * 8);
  std::array<std::uint8_t, 16> masked{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned before = static_cast<unsigned>(i) * 8;
    const unsigned bits = prefix_bits <= before ? 0 : std::min(8U, prefix_bits - before);
    masked[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> bits));
  }
  CidrBlock block;
  block.address_ =
      address.is_v4() ? IpAddress::V4({masked[0], masked[1], masked[2], masked[3]}) : IpAddress::V6(masked);
  block.prefix_bits_ = prefix_bits;
  return block;
}

Result<CidrBlock> CidrBlock::Parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::Parse(text.substr(0, slash));
  const auto fail = [&] {
    return Failure("'" + std::string(text) + "' is not a CIDR block", "write 10.0.0.0/8 or 2001:db8::/32");
  };
  if (!address) return fail();
  const unsigned bits_max = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Of(*address, bits_max);
  const auto bits = ParseDecimal(text.substr(slash + 1));
  if (!bits || *bits > bits_max) return fail();
  const CidrBlock block = Of(*address, static_cast<unsigned>(*bits));
  if (block.address() != *address) {
    return Failure("'" + std::string(text) + "' has host bits set", "write " + block.ToString());
  }
  return block;
}

bool CidrBlock::Contains(const IpAddress& address) const {
  if (address.family() != address_.family()) return false;
  const auto ours = address_.bytes();
  const auto theirs = address.bytes();
  const std::size_t whole = prefix_bits_ / 8;
  if (std::memcmp(ours.data(), theirs.data(), whole) != 0) return false;
  const unsigned rest = prefix_bits_ % 8;
  return rest == 0 || ((ours[whole] ^ theirs[whole]) & (0xff00U >> rest) & 0xffU) == 0;
}

std::string CidrBlock::ToString() const { return address_.ToString() + "/" + std::to_string(prefix_bits_); }

}  // namespace weir

std::size_t std::hash<weir::IpAddress>::operator()(const weir::IpAddress& address) const noexcept {
  const auto bytes = address.bytes();
  std::uint64_t mixed = bytes.size() ^ (std::uint64_t{address.zone()} << 8);
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof(word));
    mixed = (mixed ^ word) * 0x9e3779b97f4a7c15ULL;
    mixed ^= mixed >> 32;
  }
  return mixed;
}

std::size_t std::hash<weir::Endpoint>::operator()(const weir::Endpoint& endpoint) const noexcept {
  const std::uint64_t mixed = (std::hash<weir::IpAddress>{}(endpoint.address) ^ endpoint.port) * 0x9e3779b97f4a7c15ULL;
  return mixed ^ (mixed >> 32);
}
