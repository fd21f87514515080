#pragma once

#include "base/clock.h"
#include "http/message.h"
#include "proxy/message.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// A user who has signed in; all of it is in the cookies. Times count from the epoch.
struct UserSession {
  std::chrono::sys_seconds ends;
  std::optional<std::chrono::sys_seconds> access_token_expires = {};  // absent: the provider did not say
  std::string access_token;
  std::string refresh_token = {};  // empty: there is none
  std::string identity;            // `sub`
  std::string claims;              // what the user info endpoint said: a JSON object
  friend bool operator==(const UserSession&, const UserSession&) = default;
};

// Claims and access token of more bytes are not taken. spec: alb.md 5.4.
inline constexpr std::size_t kClaimsBytesMax = 11 * 1024;

[[nodiscard]] std::string EncodeSession(const UserSession& session);
// Absent for what EncodeSession does not write.
[[nodiscard]] std::optional<UserSession> DecodeSession(std::string_view text);

enum class SameSite : unsigned char { kDefault, kNone };

// Appends the Set-Cookie fields `NAME-0` and so on that hold `sealed`: at most 4, each with its name at most 4,096
// bytes, which is what browsers take. The first character says how many there are, so that those of a longer value
// before do no harm. False, and nothing is appended, when it does not fit, or would not fit into one Cookie field.
[[nodiscard]] bool AppendSessionCookies(std::string_view name, std::string_view sealed, SameSite same_site,
                                        WallTime now, FieldBlock& out);

// What the cookies of a request hold: what was sealed. Absent when there is no first one; empty when others are
// missing.
[[nodiscard]] std::optional<std::string> ReadSessionCookies(const std::vector<http::Field>& fields,
                                                            std::string_view name);

// The cookie that binds a login to the browser it began in.
inline constexpr std::string_view kNonceCookie = "AWSALBAuthNonce";
// Longer, a login has failed. spec: alb.md 5.4.
inline constexpr std::chrono::minutes kLoginMax{15};
void AppendNonceCookie(std::string_view value, SameSite same_site, WallTime now, FieldBlock& out);

}  // namespace weir::proxy
