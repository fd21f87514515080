#pragma once

// JSON Web Tokens without keys and I/O (RFC 7519, as JWS of RFC 7515 in compact form): what a request bears, what its
// header says, what its claims must be. spec: alb.md 5.5.

#include "base/clock.h"
#include "config/model.h"
#include "http/message.h"
#include "net/signature_key.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

enum class TokenFault : std::uint8_t {
  kNotPresent,       // there is no Authorization field
  kFormat,           // no bearer token, or more than one; no JWS whose header and claims are JSON objects
  kSignature,        // another algorithm, no key of that `kid`, or not signed by it
  kClaimNotPresent,  // a claim is missing
  kClaimFormat,      // a claim is of another type
  kClaimValue,       // a claim has another value
};

// What is behind `Bearer ` in the one Authorization field. The scheme is written so and followed by one space; the
// token is not empty and has no space. The view points into the field.
[[nodiscard]] std::expected<std::string_view, TokenFault> BearerToken(const std::vector<http::Field>& fields);

// A token taken apart; nothing of it is proven. Views point into its text.
struct Token {
  net::SignatureAlgorithm algorithm = net::SignatureAlgorithm::kRs256;
  std::string key_id;
  std::string_view signed_text;  // header and claims, as they stand there
  std::string_view claims;       // in base64url
  std::string signature;
};
// Base64url is taken in its one form without padding (RFC 7515 section 2). kFormat too for a header without `alg` or
// `kid`, and for one with `crit`: no extension is understood here. kSignature for an `alg` that is no signature with a
// public key (`none`, HS256).
[[nodiscard]] std::expected<Token, TokenFault> ParseToken(std::string_view text);

// What is wrong with the claims of a token whose signature is good; absent: nothing. `claims` is in base64url. `iss` is
// the issuer; `exp` is in the future; `nbf` and `iat`, where they are there, are not. No leeway: times are compared
// with the second that `now` is in.
[[nodiscard]] std::optional<TokenFault> CheckClaims(std::string_view claims,
                                                    const config::JwtValidationAction& expected, WallTime now);

}  // namespace weir::proxy
