#include "dns/server_cookie.h"

#include "base/check.h"
#include "base/hex.h"
#include "base/text.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace weir::dns {
namespace {

constexpr std::uint8_t kVersion = 1;              // RFC 9018 section 4.1
constexpr std::uint32_t kRenewedAfter = 30 * 60;  // 4.3
constexpr std::uint32_t kFutureMax = 5 * 60;

std::uint64_t ReadLittle(const std::uint8_t* at) {
  std::uint64_t out = 0;
  std::memcpy(&out, at, sizeof(out));
  static_assert(std::endian::native == std::endian::little);
  return out;
}

// SipHash-2-4 (Aumasson and Bernstein, 2012), which RFC 9018 section 4.4 names.
class SipHash {
 public:
  explicit SipHash(const CookieSecret& key) {
    const std::uint64_t k0 = ReadLittle(key.data());
    const std::uint64_t k1 = ReadLittle(key.data() + 8);
    state_ = {k0 ^ 0x736f6d6570736575U, k1 ^ 0x646f72616e646f6dU, k0 ^ 0x6c7967656e657261U, k1 ^ 0x7465646279746573U};
  }

  [[nodiscard]] std::uint64_t Of(std::span<const std::uint8_t> bytes) {
    const auto last = static_cast<std::uint64_t>(bytes.size()) << 56;
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) Take(ReadLittle(bytes.data()));
    std::uint64_t rest = last;
    for (std::size_t i = 0; i < bytes.size(); ++i) rest |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
    Take(rest);
    state_[2] ^= 0xff;
    for (int i = 0; i < 4; ++i) Round();
    return state_[0] ^ state_[1] ^ state_[2] ^ state_[3];
  }

 private:
  void Take(std::uint64_t word) {
    state_[3] ^= word;
    Round();
    Round();
    state_[0] ^= word;
  }
  void Round() {
    auto& [a, b, c, d] = state_;
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }

  std::array<std::uint64_t, 4> state_;
};

// Version, three reserved bytes, time and hash.
std::array<std::uint8_t, kServerCookieBytes> ServerCookie(std::span<const std::uint8_t> client_cookie,
                                                          const IpAddress& client, const CookieSecret& secret,
                                                          std::uint32_t time) {
  std::array<std::uint8_t, kServerCookieBytes> out{kVersion, 0, 0, 0};
  for (std::size_t i = 0; i < 4; ++i) out[4 + i] = static_cast<std::uint8_t>(time >> (24 - 8 * i));
  std::array<std::uint8_t, kClientCookieBytes + 8 + 16> hashed{};
  auto end = std::ranges::copy(client_cookie, hashed.begin()).out;
  end = std::ranges::copy(std::span(out).first(8), end).out;
  const IpAddress address = client.Unmapped();
  end = std::ranges::copy(address.bytes(), end).out;
  const std::uint64_t hash =
      SipHash(secret).Of(std::span(hashed).first(static_cast<std::size_t>(end - hashed.begin())));
  std::memcpy(out.data() + 8, &hash, sizeof(hash));
  return out;
}

}  // namespace

Result<CookieSecret> ParseCookieSecret(std::string_view text) {
  text = TrimBlanks(text);
  CookieSecret out{};
  bool right = text.size() == out.size() * 2;
  for (std::size_t i = 0; right && i < out.size(); ++i) {
    const int high = HexValue(text[2 * i]);
    const int low = HexValue(text[2 * i + 1]);
    right = high >= 0 && low >= 0;
    if (right) out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (right) return out;
  return Failure("the secret of DNS cookies is not 32 hexadecimal digits", "make one: openssl rand -hex 16");
}

const CookieSecret& OwnCookieSecret() {
  static const CookieSecret secret = [] {
    CookieSecret out{};
    WEIR_CHECK(getrandom(out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    return out;
  }();
  return secret;
}

Cookie AnswerCookie(std::span<const std::uint8_t> option, const IpAddress& client, const CookieSecret& secret,
                    std::uint32_t now) {
  const auto client_cookie = option.first(kClientCookieBytes);
  const auto sent = option.subspan(kClientCookieBytes);
  std::uint32_t time = now;
  if (sent.size() == kServerCookieBytes) {
    const std::uint32_t then = std::uint32_t{sent[4]} << 24 | std::uint32_t{sent[5]} << 16 |
                               std::uint32_t{sent[6]} << 8 | std::uint32_t{sent[7]};
    // Serial number arithmetic (RFC 1982): the time wraps in 2106.
    const bool fresh = now - then < kRenewedAfter || then - now <= kFutureMax;
    if (fresh && std::ranges::equal(ServerCookie(client_cookie, client, secret, then), sent)) time = then;
  }
  Cookie out{};
  const auto end = std::ranges::copy(client_cookie, out.begin()).out;
  std::ranges::copy(ServerCookie(client_cookie, client, secret, time), end);
  return out;
}

}  // namespace weir::dns
