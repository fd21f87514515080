#pragma once

#include "base/clock.h"
#include "base/ip_address.h"
#include "http/message.h"
#include "net/cookie_cipher.h"
#include "proxy/balancing/sticky_verdict.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace weir::proxy {

// Names a target group in cookies: the same on every appliance. 64 bits of its name's hash (FNV-1a).
[[nodiscard]] std::uint64_t StickyGroupId(std::string_view name);

// What a stickiness cookie says. spec: alb.md 9.
struct StickySession {
  static constexpr std::uint32_t kPositionMax = (1U << 24U) - 1;

  std::uint64_t group = 0;           // StickyGroupId
  Endpoint target = {};              // of kGroup: none. Without the zone of a link-local address
  std::uint32_t position = 0;        // where the target was in its group, at most kPositionMax: where to look first
  std::chrono::sys_seconds expires;  // from the epoch on
  friend bool operator==(const StickySession&, const StickySession&) = default;
};

// From sessions to the values of cookies and back: version, group, target and time of expiry, encrypted and
// authenticated for their purpose (net::CookieCipher), in base64 (RFC 4648 section 4). Neither call allocates. Thread:
// one owner.
class StickyCookieCodec {
 public:
  // Whole groups of three bytes: no padding.
  static constexpr std::size_t kPlainBytes = 35;
  static constexpr std::size_t kValueBytes = (kPlainBytes + net::CookieCipher::kOverheadBytes) / 3 * 4;
  using Value = std::array<char, kValueBytes>;

  // `keys` is not empty.
  explicit StickyCookieCodec(net::CookieKeySet keys) : cipher_(std::move(keys)) {}

  [[nodiscard]] Value Encode(CookiePurpose purpose, const StickySession& session);
  // Absent for everything that Encode has not made for this purpose with one of the keys. Whether it expired is not
  // looked at. The work is bounded whatever `value` is: one of another length is not looked at.
  [[nodiscard]] std::optional<StickySession> Decode(CookiePurpose purpose, std::string_view value);

  [[nodiscard]] const net::CookieKeySet& keys() const { return cipher_.keys(); }

 private:
  net::CookieCipher cipher_;
};

// The cookies of a request that matter here, of each name the first one. Views into the fields.
struct ReceivedCookies {
  std::optional<std::string_view> target;       // AWSALBCORS, else AWSALB
  std::optional<std::string_view> application;  // AWSALBAPP-0
  std::optional<std::string_view> group;        // AWSALBTGCORS, else AWSALBTG
  bool has_own = false;                         // the application's own cookie
};
// Reads all Cookie fields, once through, as RFC 6265 section 5.4 writes them; what is no `name=value` is passed over.
// `own` is the name of the application's cookie, which may be empty.
[[nodiscard]] ReceivedCookies ReadStickyCookies(const std::vector<http::Field>& fields, std::string_view own);

// The value of the first cookie `name`, which is not empty; may be empty. A view into the fields.
[[nodiscard]] std::optional<std::string_view> FindCookie(const std::vector<http::Field>& fields, std::string_view name);

// True when a Set-Cookie field sets the cookie `name`, to whatever value.
[[nodiscard]] bool SetsCookie(const std::vector<http::Field>& fields, std::string_view name);

// A request of another site's page by a browser that sends no cookie there without `SameSite=None`: an Origin field,
// and Chromium 80 or later. spec: alb.md 9.
[[nodiscard]] bool NeedsSameSiteNone(const std::vector<http::Field>& fields);

}  // namespace weir::proxy
