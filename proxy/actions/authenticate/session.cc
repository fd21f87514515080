#include "proxy/actions/authenticate/session.h"

#include "http/date.h"
#include "proxy/actions/authenticate/packed_text.h"
#include "proxy/balancing/sticky_cookie.h"

#include <cstdint>

namespace weir::proxy {
namespace {

constexpr std::uint64_t kSessionVersion = 1;
constexpr std::size_t kShardsMax = 4;
constexpr std::size_t kCookieBytesMax = 4096;
// Of all of them in one Cookie field, which together with `Cookie: `, AWSALBAuthNonce and some cookies of the
// application is to stay below the 16 KiB of a field line (http::HeadLimits): else whoever has signed in could ask for
// nothing more.
constexpr std::size_t kCookiesBytesMax = 15 * 1024 + 512;
// Always, whenever the session ends.
constexpr std::chrono::hours kSessionLifetime{7 * 24};

std::uint64_t Seconds(std::chrono::sys_seconds time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
std::chrono::sys_seconds TimeAt(std::uint64_t seconds) {
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

std::string ShardName(std::string_view name, std::size_t index) {
  std::string out(name);
  out += '-';
  out += static_cast<char>('0' + index);
  return out;
}

void AppendCookie(std::string_view name, std::string_view value, SameSite same_site, WallTime expires,
                  FieldBlock& out) {
  (((out += "Set-Cookie: ") += name) += '=') += value;
  out += "; Expires=";
  http::AppendHttpDate(out, expires);
  out += "; Path=/; Secure; HttpOnly";
  if (same_site == SameSite::kNone) out += "; SameSite=None";
  out += "\r\n";
}

}  // namespace

std::string EncodeSession(const UserSession& session) {
  std::string out;
  out.reserve(7 * 8 + session.access_token.size() + session.refresh_token.size() + session.identity.size() +
              session.claims.size());
  PackNumber(out, kSessionVersion);
  PackNumber(out, Seconds(session.ends));
  PackNumber(out, session.access_token_expires ? Seconds(*session.access_token_expires) : 0);
  for (const auto* text : {&session.access_token, &session.refresh_token, &session.identity, &session.claims}) {
    PackText(out, *text);
  }
  return out;
}

std::optional<UserSession> DecodeSession(std::string_view text) {
  Unpacker in(text);
  if (in.Number() != kSessionVersion) return std::nullopt;
  UserSession session;
  session.ends = TimeAt(in.Number());
  if (const std::uint64_t expires = in.Number(); expires != 0) session.access_token_expires = TimeAt(expires);
  session.access_token = in.Text();
  session.refresh_token = in.Text();
  session.identity = in.Text();
  session.claims = in.Text();
  if (!in.whole()) return std::nullopt;
  return session;
}

bool AppendSessionCookies(std::string_view name, std::string_view sealed, SameSite same_site, WallTime now,
                          FieldBlock& out) {
  const std::size_t taken_by_name = name.size() + 3;  // `-0=`
  if (taken_by_name >= kCookieBytesMax) return false;
  const std::size_t room = kCookieBytesMax - taken_by_name;
  const std::size_t count = (sealed.size() + 1 + room - 1) / room;
  if (count > kShardsMax || sealed.size() + 1 + count * (taken_by_name + 2) > kCookiesBytesMax) return false;
  std::string value(1, static_cast<char>('0' + count));
  value += sealed;
  for (std::size_t i = 0; i < count; ++i) {
    AppendCookie(ShardName(name, i), std::string_view(value).substr(i * room, room), same_site, now + kSessionLifetime,
                 out);
  }
  return true;
}

std::optional<std::string> ReadSessionCookies(const std::vector<http::Field>& fields, std::string_view name) {
  const auto first = FindCookie(fields, ShardName(name, 0));
  if (!first) return std::nullopt;
  const std::size_t count = first->empty() ? 0 : static_cast<std::size_t>(first->front() - '0');
  if (count == 0 || count > kShardsMax) return std::string();
  std::string out(first->substr(1));
  for (std::size_t i = 1; i < count; ++i) {
    const auto next = FindCookie(fields, ShardName(name, i));
    if (!next) return std::string();
    out += *next;
  }
  return out;
}

void AppendNonceCookie(std::string_view value, SameSite same_site, WallTime now, FieldBlock& out) {
  AppendCookie(kNonceCookie, value, same_site, now + kLoginMax, out);
}

}  // namespace weir::proxy
