#pragma once

#include "http/message.h"
#include "proxy/actions/authenticate/session.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::proxy {

// What goes to the provider as `state` and comes back: all that is known of a login that is under way.
struct LoginState {
  std::uint64_t action = 0;  // AuthenticationPlan::id
  std::chrono::sys_seconds begun;
  std::string browser;        // the value of its cookie AWSALBAuthNonce
  std::string authority;      // host and port that it asked for, as the redirect URI has them
  std::string target;         // path and query that it asked for
  std::string nonce = {};     // that the ID token is to have; empty: none (OpenID Connect Core 3.1.2.1)
  std::string verifier = {};  // of PKCE; empty: none (RFC 7636)
  SameSite same_site = SameSite::kDefault;
  friend bool operator==(const LoginState&, const LoginState&) = default;
};

inline constexpr std::string_view kLoginStatePurpose = "weir login state";

[[nodiscard]] std::string EncodeLoginState(const LoginState& state);
// Absent for what EncodeLoginState does not write.
[[nodiscard]] std::optional<LoginState> DecodeLoginState(std::string_view text);

// The authority of the URLs that a browser has for the request: the port is left out where it is 443, and where the
// client named none. Empty when the request names no host.
[[nodiscard]] std::string AuthorityOf(const http::RequestHead& head);
// `https://AUTHORITY/oauth2/idpresponse`.
[[nodiscard]] std::string RedirectUri(std::string_view authority);
// Appends `https://AUTHORITY` and the target; bytes that a URI cannot hold are percent-encoded.
void AppendOriginalUri(const LoginState& state, std::string& out);

}  // namespace weir::proxy
