#pragma once

// DNS cookies (RFC 7873), the server's made as RFC 9018 says, so that servers which share a secret know each other's.

#include "base/ip_address.h"
#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::dns {

inline constexpr std::size_t kClientCookieBytes = 8;
inline constexpr std::size_t kServerCookieBytes = 16;
inline constexpr std::size_t kServerCookieBytesMax = 32;  // of others' making (RFC 7873 section 4)

using CookieSecret = std::array<std::uint8_t, 16>;
using Cookie = std::array<std::uint8_t, kClientCookieBytes + kServerCookieBytes>;

// Reads 32 hexadecimal digits, spaces and line ends around them ignored. Fails on anything else; the message does not
// repeat the text.
[[nodiscard]] Result<CookieSecret> ParseCookieSecret(std::string_view text);

// Random, made once in the life of the program. Thread: any.
[[nodiscard]] const CookieSecret& OwnCookieSecret();

// What answers a cookie option of a query, which ParseQuery found to be of a right length: the client's cookie and a
// server cookie for it, the one that came while it is right and younger than half an hour (RFC 9018 4.3). `now` is in
// seconds since 1970.
[[nodiscard]] Cookie AnswerCookie(std::span<const std::uint8_t> option, const IpAddress& client,
                                  const CookieSecret& secret, std::uint32_t now);

}  // namespace weir::dns
