#pragma once

// What an OpenID Connect provider says, read and checked. spec: alb.md 5.4, OpenID Connect Core 1.0.

#include "net/signing_key.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace weir::proxy {

// Of the token endpoint (RFC 6749 section 5.1).
struct TokenResponse {
  std::string access_token;        // visible ASCII: fit for a field
  std::string refresh_token = {};  // empty: there is none
  std::string id_token = {};       // likewise
  std::optional<std::chrono::seconds> expires_in = {};
};
// Absent when it is no such answer.
[[nodiscard]] std::optional<TokenResponse> ParseTokenResponse(std::string_view json);
// The `error` of an answer that is one (RFC 6749 section 5.2); empty when it has none.
[[nodiscard]] std::string ParseOauthError(std::string_view json);

// What an ID token must say.
struct IdTokenTerms {
  std::string_view issuer;
  std::string_view client_id;
  std::string_view nonce;  // empty: any, or none
  std::chrono::sys_seconds now;
};
// Clocks of providers may be that much off.
inline constexpr std::chrono::seconds kProviderSkew{60};
// Checks iss, aud, azp, exp and nonce of an ID token, and gives its `sub`; absent when anything is wrong. The signature
// is not looked at: the token came from the token endpoint itself, over TLS (OpenID Connect Core 3.1.3.7, 6).
[[nodiscard]] std::optional<std::string> CheckIdToken(std::string_view token, const IdTokenTerms& terms);

// The `sub` of a user info answer, which is to be a JSON object; absent when it is none, or when a field cannot carry
// it.
[[nodiscard]] std::optional<std::string> SubjectOf(std::string_view claims);

// What `x-amzn-oidc-data` says beside the claims.
struct ClaimsTokenTerms {
  std::string_view signer;
  std::string_view issuer;
  std::string_view client_id;
  std::chrono::sys_seconds expires;
};
// A JWT of the claims, signed ES256, in base64url with padding.
[[nodiscard]] std::string MakeClaimsToken(std::string_view claims, const ClaimsTokenTerms& terms,
                                          const net::SigningKey& key);

}  // namespace weir::proxy
