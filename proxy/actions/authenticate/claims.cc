#include "proxy/actions/authenticate/claims.h"

#include "base/base64.h"
#include "base/text.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdint>

namespace weir::proxy {
namespace {

namespace json = boost::json;

std::optional<json::object> ParseObject(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

// A member that is a text; empty when it is missing or something else.
std::string TextOf(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string());
}

// Seconds; some providers write them as a text, or with a fraction.
std::optional<std::int64_t> SecondsOf(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  constexpr double kMax = 1e15;
  if (value->is_double()) {
    const double seconds = value->get_double();
    if (seconds < 0 || !(seconds < kMax)) return std::nullopt;
    return static_cast<std::int64_t>(seconds);
  }
  std::uint64_t seconds = 0;
  if (value->is_string()) {
    const auto parsed = ParseDecimal(value->get_string());
    if (!parsed) return std::nullopt;
    seconds = *parsed;
  } else if (value->is_int64() && value->get_int64() >= 0) {
    seconds = static_cast<std::uint64_t>(value->get_int64());
  } else {
    return std::nullopt;
  }
  if (seconds > static_cast<std::uint64_t>(kMax)) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

// Visible ASCII, of which a token and a subject are.
bool IsVisible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool IsFor(const json::object& claims, std::string_view client_id) {
  const json::value* const audience = claims.if_contains("aud");
  if (audience == nullptr) return false;
  const auto is_ours = [client_id](const json::value& value) {
    return value.is_string() && std::string_view(value.get_string()) == client_id;
  };
  if (!audience->is_array()) return is_ours(*audience);
  return std::ranges::any_of(audience->get_array(), is_ours);
}

}  // namespace

std::optional<TokenResponse> ParseTokenResponse(std::string_view text) {
  const auto object = ParseObject(text);
  if (!object) return std::nullopt;
  const std::string type = TextOf(*object, "token_type");
  if (!type.empty() && !EqualsIgnoreCase(type, "Bearer")) return std::nullopt;
  TokenResponse out{.access_token = TextOf(*object, "access_token"),
                    .refresh_token = TextOf(*object, "refresh_token"),
                    .id_token = TextOf(*object, "id_token")};
  if (out.access_token.empty() || !IsVisible(out.access_token)) return std::nullopt;
  if (const auto seconds = SecondsOf(*object, "expires_in")) out.expires_in = std::chrono::seconds(*seconds);
  return out;
}

std::string ParseOauthError(std::string_view text) {
  const auto object = ParseObject(text);
  return object ? TextOf(*object, "error") : std::string();
}

std::optional<std::string> CheckIdToken(std::string_view token, const IdTokenTerms& terms) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  const auto payload = DecodeBase64Url(token.substr(first + 1, second - first - 1));
  const auto claims = payload ? ParseObject(*payload) : std::nullopt;
  if (!claims || TextOf(*claims, "iss") != terms.issuer || !IsFor(*claims, terms.client_id)) return std::nullopt;
  const std::string authorized = TextOf(*claims, "azp");
  if (!authorized.empty() && authorized != terms.client_id) return std::nullopt;
  const auto expires = SecondsOf(*claims, "exp");
  if (!expires || std::chrono::sys_seconds(std::chrono::seconds(*expires)) + kProviderSkew <= terms.now) {
    return std::nullopt;
  }
  if (!terms.nonce.empty() && TextOf(*claims, "nonce") != terms.nonce) return std::nullopt;
  std::string subject = TextOf(*claims, "sub");
  if (subject.empty()) return std::nullopt;
  return subject;
}

std::optional<std::string> SubjectOf(std::string_view claims) {
  const auto object = ParseObject(claims);
  std::string subject = object ? TextOf(*object, "sub") : std::string();
  const bool is_sent = std::ranges::all_of(subject, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (subject.empty() || !is_sent || subject.front() == ' ' || subject.back() == ' ') return std::nullopt;
  return subject;
}

std::string MakeClaimsToken(std::string_view claims, const ClaimsTokenTerms& terms, const net::SigningKey& key) {
  const std::string header = json::serialize(json::object{{"alg", "ES256"},
                                                          {"kid", key.id()},
                                                          {"signer", terms.signer},
                                                          {"iss", terms.issuer},
                                                          {"client", terms.client_id},
                                                          {"exp", terms.expires.time_since_epoch().count()}});
  std::string out = EncodeBase64Url(header, Base64Padding::kWritten);
  out += '.';
  out += EncodeBase64Url(claims, Base64Padding::kWritten);
  const std::string signature = key.Sign(out);
  out += '.';
  out += EncodeBase64Url(signature, Base64Padding::kWritten);
  return out;
}

}  // namespace weir::proxy
