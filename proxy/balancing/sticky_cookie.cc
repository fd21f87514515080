#include "proxy/balancing/sticky_cookie.h"

#include "base/text.h"
#include "http/scan.h"

#include <algorithm>
#include <charconv>
#include <span>

namespace weir::proxy {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xff;

consteval std::array<std::uint8_t, 256> DigitValues() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> kDigitValues = DigitValues();

using Sealed = std::array<std::uint8_t, StickyCookieCodec::kPlainBytes + net::CookieCipher::kOverheadBytes>;
static_assert(Sealed().size() % 3 == 0);

StickyCookieCodec::Value ToBase64(const Sealed& bytes) {
  StickyCookieCodec::Value text{};
  for (std::size_t i = 0; i < bytes.size() / 3; ++i) {
    const std::uint32_t group =
        std::uint32_t{bytes[3 * i]} << 16U | std::uint32_t{bytes[3 * i + 1]} << 8U | std::uint32_t{bytes[3 * i + 2]};
    for (std::size_t j = 0; j < 4; ++j) text[4 * i + j] = kDigits[group >> (18 - 6 * j) & 63U];
  }
  return text;
}

bool FromBase64(std::string_view text, Sealed& bytes) {
  if (text.size() != StickyCookieCodec::kValueBytes) return false;
  unsigned all = 0;  // the values of digits have no bit of kNoDigit's upper ones
  for (std::size_t i = 0; i < bytes.size() / 3; ++i) {
    const auto digit = [&](std::size_t j) -> std::uint32_t {
      return kDigitValues[static_cast<unsigned char>(text[4 * i + j])];
    };
    const std::uint32_t a = digit(0);
    const std::uint32_t b = digit(1);
    const std::uint32_t c = digit(2);
    const std::uint32_t d = digit(3);
    all |= a | b | c | d;
    bytes[3 * i] = static_cast<std::uint8_t>(a << 2U | b >> 4U);
    bytes[3 * i + 1] = static_cast<std::uint8_t>(b << 4U | c >> 2U);
    bytes[3 * i + 2] = static_cast<std::uint8_t>(c << 6U | d);
  }
  return all < 64;
}

// The plain text: version and address family, the group, the address (an IPv4 one in its first four bytes), the port,
// seconds since the epoch (40 bits) and the position (24 bits). Numbers in network order.
using Plain = std::array<std::uint8_t, StickyCookieCodec::kPlainBytes>;
constexpr std::uint8_t kVersion4 = 0x14;
constexpr std::uint8_t kVersion6 = 0x16;
constexpr std::size_t kGroupAt = 1;
constexpr std::size_t kAddressAt = 9;
constexpr std::size_t kPortAt = 25;
constexpr std::size_t kTimeAt = 27;
static_assert(kTimeAt + 8 == StickyCookieCodec::kPlainBytes);

void PutNumber(std::span<std::uint8_t> out, std::uint64_t value) {
  for (std::size_t i = out.size(); i-- > 0; value >>= 8U) out[i] = static_cast<std::uint8_t>(value);
}
std::uint64_t TakeNumber(std::span<const std::uint8_t> in) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : in) value = value << 8U | byte;
  return value;
}

std::string_view NameOf(CookiePurpose purpose) {
  switch (purpose) {
    case CookiePurpose::kTarget:
      return "weir stickiness target";
    case CookiePurpose::kApplication:
      return "weir stickiness application";
    case CookiePurpose::kGroup:
      return "weir stickiness target group";
  }
  std::unreachable();
}

bool IsNamed(const http::Field& field, std::string_view lower) {
  return field.name.size() == lower.size() && EqualsLower(field.name, lower);
}

// Calls take(name, value) for each `name=value` of a Cookie field.
template <class Take>
void ForEachCookie(std::string_view text, Take take) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t sign = pair.find('=');
    if (sign != std::string_view::npos) {
      take(http::TrimSpace(pair.substr(0, sign)), http::TrimSpace(pair.substr(sign + 1)));
    }
  }
}

}  // namespace

std::uint64_t StickyGroupId(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

StickyCookieCodec::Value StickyCookieCodec::Encode(CookiePurpose purpose, const StickySession& session) {
  Plain plain{};
  const std::span<std::uint8_t> out(plain);
  plain[0] = session.target.address.is_v4() ? kVersion4 : kVersion6;
  PutNumber(out.subspan<kGroupAt, 8>(), session.group);
  std::ranges::copy(session.target.address.bytes(), plain.begin() + kAddressAt);
  PutNumber(out.subspan<kPortAt, 2>(), session.target.port);
  const auto seconds = static_cast<std::uint64_t>(session.expires.time_since_epoch().count());
  PutNumber(out.subspan<kTimeAt, 8>(), seconds << 24U | (session.position & StickySession::kPositionMax));
  Sealed sealed{};
  cipher_.Seal(NameOf(purpose), plain, sealed);
  return ToBase64(sealed);
}

std::optional<StickySession> StickyCookieCodec::Decode(CookiePurpose purpose, std::string_view value) {
  Sealed sealed{};
  Plain plain{};
  if (!FromBase64(value, sealed) || !cipher_.Open(NameOf(purpose), sealed, plain)) return std::nullopt;
  // A later version that shares the key may say something else.
  if (plain[0] != kVersion4 && plain[0] != kVersion6) return std::nullopt;
  const std::span<const std::uint8_t> in(plain);
  StickySession session;
  session.group = TakeNumber(in.subspan<kGroupAt, 8>());
  std::array<std::uint8_t, 16> address{};
  std::ranges::copy(in.subspan<kAddressAt, 16>(), address.begin());
  session.target.address =
      plain[0] == kVersion6 ? IpAddress::V6(address) : IpAddress::V4({address[0], address[1], address[2], address[3]});
  session.target.port = static_cast<std::uint16_t>(TakeNumber(in.subspan<kPortAt, 2>()));
  const std::uint64_t time = TakeNumber(in.subspan<kTimeAt, 8>());
  session.position = static_cast<std::uint32_t>(time & StickySession::kPositionMax);
  session.expires = std::chrono::sys_seconds(std::chrono::seconds(time >> 24U));
  return session;
}

ReceivedCookies ReadStickyCookies(const std::vector<http::Field>& fields, std::string_view own) {
  constexpr std::string_view kPrefix = "AWSALB";
  ReceivedCookies out;
  std::optional<std::string_view> target_cors;
  std::optional<std::string_view> group_cors;
  const auto keep = [](std::optional<std::string_view>& kept, std::string_view value) {
    if (!kept) kept = value;
  };
  for (const http::Field& field : fields) {
    if (!IsNamed(field, "cookie")) continue;
    ForEachCookie(field.value, [&](std::string_view name, std::string_view value) {
      if (!own.empty() && name == own) out.has_own = true;
      if (!name.starts_with(kPrefix)) return;
      const std::string_view rest = name.substr(kPrefix.size());
      if (rest.empty()) return keep(out.target, value);
      if (rest == "CORS") return keep(target_cors, value);
      if (rest == "TG") return keep(out.group, value);
      if (rest == "TGCORS") return keep(group_cors, value);
      if (rest == "APP-0") return keep(out.application, value);
    });
  }
  if (target_cors) out.target = target_cors;
  if (group_cors) out.group = group_cors;
  return out;
}

std::optional<std::string_view> FindCookie(const std::vector<http::Field>& fields, std::string_view name) {
  std::optional<std::string_view> out;
  for (const http::Field& field : fields) {
    if (!IsNamed(field, "cookie")) continue;
    ForEachCookie(field.value, [&](std::string_view found, std::string_view value) {
      if (!out && found == name) out = value;
    });
  }
  return out;
}

bool SetsCookie(const std::vector<http::Field>& fields, std::string_view name) {
  return std::ranges::any_of(fields, [name](const http::Field& field) {
    if (!IsNamed(field, "set-cookie")) return false;
    const std::string_view pair = field.value.substr(0, field.value.find(';'));
    const std::size_t sign = pair.find('=');
    return sign != std::string_view::npos && http::TrimSpace(pair.substr(0, sign)) == name;
  });
}

bool NeedsSameSiteNone(const std::vector<http::Field>& fields) {
  constexpr unsigned kFirstVersion = 80;
  if (http::FindField(fields, "origin") == nullptr) return false;
  const http::Field* const agent = http::FindField(fields, "user-agent");
  if (agent == nullptr) return false;
  for (const std::string_view product : {"Chrome/", "Chromium/"}) {
    const std::size_t at = agent->value.find(product);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = agent->value.substr(at + product.size());
    unsigned version = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), version);
    if (version >= kFirstVersion) return true;
  }
  return false;
}

}  // namespace weir::proxy
