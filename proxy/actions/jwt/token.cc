#include "proxy/actions/jwt/token.h"

#include "base/base64.h"
#include "base/text.h"
#include "proxy/actions/jwt/json_object.h"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

namespace weir::proxy {
namespace {

namespace json = boost::json;

// Most headers and claims fit in; what does not is allocated.
constexpr std::size_t kJsonRoom = 4096;
using JsonRoom = std::array<unsigned char, kJsonRoom>;

std::string_view TextOf(const json::string& text) { return {text.data(), text.size()}; }

// ---- claims

using Fault = std::optional<TokenFault>;

const json::value* FindClaim(const json::object& claims, std::string_view name) {
  return claims.if_contains({name.data(), name.size()});
}

Fault CheckIssuer(const json::object& claims, std::string_view issuer) {
  const json::value* const claim = FindClaim(claims, "iss");
  if (claim == nullptr) return TokenFault::kClaimNotPresent;
  const json::string* const text = claim->if_string();
  if (text == nullptr) return TokenFault::kClaimFormat;
  if (TextOf(*text) != issuer) return TokenFault::kClaimValue;
  return std::nullopt;
}

enum class TimeRule : std::uint8_t { kAfterNow, kNotAfterNow };

Fault CheckTime(const json::value& claim, TimeRule rule, double now) {
  if (!claim.is_number()) return TokenFault::kClaimFormat;
  boost::system::error_code error;
  const auto seconds = claim.to_number<double>(error);  // NumericDate, RFC 7519 section 2: fractions are allowed
  if (error) return TokenFault::kClaimFormat;
  const bool holds = rule == TimeRule::kAfterNow ? seconds > now : seconds <= now;
  return holds ? Fault() : TokenFault::kClaimValue;
}

Fault CheckTimes(const json::object& claims, WallTime now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const auto at = static_cast<double>(seconds);
  const json::value* const expires = FindClaim(claims, "exp");
  if (expires == nullptr) return TokenFault::kClaimNotPresent;
  if (const Fault fault = CheckTime(*expires, TimeRule::kAfterNow, at)) return fault;
  for (const std::string_view name : {"nbf", "iat"}) {
    const json::value* const claim = FindClaim(claims, name);
    if (claim == nullptr) continue;
    if (const Fault fault = CheckTime(*claim, TimeRule::kNotAfterNow, at)) return fault;
  }
  return std::nullopt;
}

bool HasWord(std::string_view words, std::string_view wanted) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == wanted) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

Fault CheckArray(const json::value& claim, const std::vector<std::string>& values) {
  const json::array* const items = claim.if_array();
  if (items == nullptr) return TokenFault::kClaimFormat;
  if (!std::ranges::all_of(*items, [](const json::value& item) { return item.is_string(); })) {
    return TokenFault::kClaimFormat;
  }
  const bool has_one = std::ranges::any_of(*items, [&](const json::value& item) {
    return std::ranges::find(values, TextOf(item.get_string())) != values.end();
  });
  return has_one ? Fault() : TokenFault::kClaimValue;
}

Fault CheckClaim(const json::object& claims, const config::JwtClaim& expected) {
  const json::value* const claim = FindClaim(claims, expected.name);
  if (claim == nullptr) return TokenFault::kClaimNotPresent;
  if (expected.format == config::JwtClaimFormat::kStringArray) return CheckArray(*claim, expected.values);
  const json::string* const text = claim->if_string();
  if (text == nullptr) return TokenFault::kClaimFormat;
  const bool holds =
      expected.format == config::JwtClaimFormat::kSingleString
          ? TextOf(*text) == expected.values.front()
          : std::ranges::all_of(expected.values, [&](const auto& value) { return HasWord(TextOf(*text), value); });
  return holds ? Fault() : TokenFault::kClaimValue;
}

}  // namespace

std::expected<std::string_view, TokenFault> BearerToken(const std::vector<http::Field>& fields) {
  constexpr std::string_view kScheme = "Bearer ";
  const http::Field* found = nullptr;
  for (const http::Field& field : fields) {
    if (!EqualsIgnoreCase(field.name, "authorization")) continue;
    if (found != nullptr) return std::unexpected(TokenFault::kFormat);
    found = &field;
  }
  if (found == nullptr) return std::unexpected(TokenFault::kNotPresent);
  std::string_view value = found->value;
  if (!value.starts_with(kScheme)) return std::unexpected(TokenFault::kFormat);
  value.remove_prefix(kScheme.size());
  if (value.empty() || value.find_first_of(" \t,") != std::string_view::npos) {
    return std::unexpected(TokenFault::kFormat);
  }
  return value;
}

std::expected<Token, TokenFault> ParseToken(std::string_view text) {
  const auto malformed = std::unexpected(TokenFault::kFormat);
  const std::size_t first = text.find('.');
  if (first == std::string_view::npos) return malformed;
  const std::size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos) return malformed;
  const auto header_text = DecodeBase64Url(text.substr(0, first));
  auto signature = DecodeBase64Url(text.substr(second + 1));  // which has no dot
  if (!header_text || !signature || signature->empty()) return malformed;

  JsonRoom room;
  json::monotonic_resource storage(room.data(), room.size());
  const auto header = ParseJsonObject(*header_text, &storage);
  if (!header || header->contains("crit")) return malformed;
  const json::string* const name = TextMember(*header, "alg");
  const json::string* const key_id = TextMember(*header, "kid");
  if (name == nullptr || key_id == nullptr) return malformed;
  const auto algorithm = net::FindSignatureAlgorithm(TextOf(*name));
  if (!algorithm) return std::unexpected(TokenFault::kSignature);
  return Token{.algorithm = *algorithm,
               .key_id = std::string(TextOf(*key_id)),
               .signed_text = text.substr(0, second),
               .claims = text.substr(first + 1, second - first - 1),
               .signature = std::move(*signature)};
}

std::optional<TokenFault> CheckClaims(std::string_view claims_text, const config::JwtValidationAction& expected,
                                      WallTime now) {
  const auto decoded = DecodeBase64Url(claims_text);
  if (!decoded) return TokenFault::kFormat;
  JsonRoom room;
  json::monotonic_resource storage(room.data(), room.size());
  const auto claims = ParseJsonObject(*decoded, &storage);
  if (!claims) return TokenFault::kFormat;
  if (const Fault fault = CheckIssuer(*claims, expected.issuer)) return fault;
  if (const Fault fault = CheckTimes(*claims, now)) return fault;
  for (const config::JwtClaim& claim : expected.additional_claims) {
    if (const Fault fault = CheckClaim(*claims, claim)) return fault;
  }
  return std::nullopt;
}

}  // namespace weir::proxy
