#pragma once

#include "base/result.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

class TextWriter;

enum class IpFamily : std::uint8_t { kV4, kV6 };

// An IPv4 or IPv6 address; a value. An IPv4-mapped IPv6 address stays IPv6 until Unmapped() is asked for. A link-local
// one may have a zone (RFC 4007): the index of the interface whose link it is on; addresses that differ in it alone are
// different ones. Thread: any (const).
class IpAddress {
 public:
  // 0.0.0.0.
  IpAddress() = default;

  // Parses dotted-quad IPv4 or RFC 4291 IPv6 text, without brackets, port or zone id. Fails on anything else.
  [[nodiscard]] static Result<IpAddress> Parse(std::string_view text);
  // The same with a zone id where the address is of fe80::/10 (RFC 4007 section 11): `fe80::1%eth0`, `fe80::1%2`. Fails
  // also when the system has no interface of that name, which it is asked for. For what is bound or connected to.
  [[nodiscard]] static Result<IpAddress> ParseZoned(std::string_view text);
  [[nodiscard]] static IpAddress V4(std::array<std::uint8_t, 4> bytes);
  [[nodiscard]] static IpAddress V6(const std::array<std::uint8_t, 16>& bytes);
  [[nodiscard]] static IpAddress AnyV4() { return {}; }
  [[nodiscard]] static IpAddress AnyV6() { return V6({}); }

  [[nodiscard]] IpFamily family() const { return family_; }
  [[nodiscard]] bool is_v4() const { return family_ == IpFamily::kV4; }
  // 4 or 16 bytes in network order.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.data(), is_v4() ? 4U : 16U}; }
  [[nodiscard]] bool is_wildcard() const { return bytes_ == std::array<std::uint8_t, 16>{}; }
  [[nodiscard]] bool is_loopback() const;
  // fe80::/10 (RFC 4291 section 2.5.6).
  [[nodiscard]] bool is_link_local() const { return !is_v4() && bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80; }
  // An interface index; 0: none.
  [[nodiscard]] std::uint32_t zone() const { return zone_; }
  [[nodiscard]] IpAddress WithZone(std::uint32_t interface_index) const;
  // ::ffff:a.b.c.d becomes a.b.c.d; every other address is returned as it is.
  [[nodiscard]] IpAddress Unmapped() const;

  // RFC 5952 text, without brackets: at most kTextBytesMax bytes. A zone is `%` and the name of the interface, for
  // which the system is asked, or its index where it has none.
  static constexpr std::size_t kTextBytesMax = 45 + 1 + 15;
  [[nodiscard]] std::string ToString() const;
  void AppendTo(std::string& out) const;
  void Put(TextWriter& out) const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  IpFamily family_ = IpFamily::kV4;
  std::array<std::uint8_t, 16> bytes_{};
  std::uint32_t zone_ = 0;
};

// ip:port, a value.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  // Parses 127.0.0.1:80, [::1]:80 and [fe80::1%eth0]:80 (IpAddress::ParseZoned). The port is required.
  [[nodiscard]] static Result<Endpoint> Parse(std::string_view text);
  // 127.0.0.1:80 or [::1]:80: at most kTextBytesMax bytes.
  static constexpr std::size_t kTextBytesMax = IpAddress::kTextBytesMax + 8;
  [[nodiscard]] std::string ToString() const;
  void AppendTo(std::string& out) const;
  void Put(TextWriter& out) const;

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// An address prefix such as 10.0.0.0/8 or 2001:db8::/32; a value. Host bits are zero.
class CidrBlock {
 public:
  // 0.0.0.0/0.
  CidrBlock() = default;
  // Parses ADDRESS/BITS. A bare address is a block of one. Host bits that are set are refused (the hint names the right
  // block).
  [[nodiscard]] static Result<CidrBlock> Parse(std::string_view text);
  // The first `prefix_bits` of `address`, host bits cleared. `prefix_bits` is at most 32 or 128.
  [[nodiscard]] static CidrBlock Of(const IpAddress& address, unsigned prefix_bits);

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] unsigned prefix_bits() const { return prefix_bits_; }
  // Families never mix: an IPv4 block holds no IPv6 address.
  [[nodiscard]] bool Contains(const IpAddress& address) const;
  [[nodiscard]] std::string ToString() const;

  friend auto operator<=>(const CidrBlock&, const CidrBlock&) = default;

 private:
  IpAddress address_;
  unsigned prefix_bits_ = 0;
};

}  // namespace weir

template <>
struct std::hash<weir::IpAddress> {
  std::size_t operator()(const weir::IpAddress& address) const noexcept;
};

template <>
struct std::hash<weir::Endpoint> {
  std::size_t operator()(const weir::Endpoint& endpoint) const noexcept;
};
