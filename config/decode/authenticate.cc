// authenticate-oidc and authenticate-cognito; spec: alb.md 5.4.

#include "base/text.h"
#include "config/decode/decode.h"
#include "config/findings.h"
#include "config/schema/schema.h"
#include "config/schema/value_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {
namespace {

using std::string_view;

constexpr std::size_t kExtraParamsMax = 10;
// Our choice: with `-0=` and a value of some use a cookie has 4,096 bytes.
constexpr std::size_t kCookieNameMax = 256;
// Parameters of the authentication request that are ours.
constexpr auto kOwnParams = std::to_array<string_view>({"client_id", "code_challenge", "code_challenge_method", "nonce",
                                                        "redirect_uri", "response_type", "scope", "state"});

bool IsVisible(string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

void CheckCookieName(const Fields& fields, const std::string& name, Findings& findings) {
  constexpr string_view kKey = "session-cookie-name";
  if (!fields.Has(kKey)) return;
  if (!IsToken(name)) {
    findings.AddError(fields.PositionOf(kKey), fmt::format("{} is no name of a cookie", Quoted(name)),
                      "letters, digits and marks such as - . _");
  } else if (name.size() > kCookieNameMax) {
    findings.AddError(fields.PositionOf(kKey), fmt::format("the name of a cookie has {} bytes", name.size()),
                      fmt::format("at most {}", kCookieNameMax));
  } else if (name.starts_with("AWSALB")) {
    findings.AddError(fields.PositionOf(kKey), fmt::format("the cookie {} is the load balancer's own", Quoted(name)),
                      "a name that does not begin with AWSALB");
  }
}

void DecodeExtraParams(const Fields& fields, AuthenticateOidcAction& out, Findings& findings) {
  constexpr string_view kKey = "authentication-request-extra-params";
  const Node* const map = fields.Map(kKey);
  if (map == nullptr) return;
  for (std::size_t i = 0; i < map->entries(); ++i) {
    const Node& key = map->key(i);
    const Node& value = map->value(i);
    if (!value.is_scalar()) continue;
    if (std::ranges::find(kOwnParams, key.text) != kOwnParams.end()) {
      findings.AddError(key.position, fmt::format("`{}` of the authentication request is set already", key.text),
                        "leave it out");
      continue;
    }
    out.extra_params.emplace_back(key.text, value.text);
  }
  if (map->entries() > kExtraParamsMax) {
    findings.AddError(fields.PositionOf(kKey), fmt::format("{} extra parameters", map->entries()),
                      fmt::format("at most {}", kExtraParamsMax));
  }
}

void CheckScope(const Fields& fields, const std::string& scope, Findings& findings) {
  if (!fields.Has("scope")) return;
  // RFC 6749 section 3.3.
  const bool is_sent = !scope.empty() && std::ranges::all_of(scope, [](char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
  });
  if (!is_sent) {
    findings.AddError(fields.PositionOf("scope"), fmt::format("{} is no scope", Quoted(scope)),
                      "words of visible ASCII with spaces between");
    return;
  }
  const std::string padded = ' ' + scope + ' ';
  if (padded.find(" openid ") == std::string::npos) {
    findings.AddWarning(fields.PositionOf("scope"), "without the scope `openid` there is no ID token",
                        "every login is answered 401");
  }
}

// What both actions have.
void DecodeSession(const Fields& fields, Decoding& decoding, AuthenticateOidcAction& out) {
  Findings& findings = decoding.findings;
  out.position = fields.position();
  out.session_cookie_name = fields.Text("session-cookie-name", out.session_cookie_name);
  CheckCookieName(fields, out.session_cookie_name, findings);
  out.scope = fields.Text("scope", out.scope);
  CheckScope(fields, out.scope, findings);
  if (const auto timeout = fields.Seconds("session-timeout")) out.session_timeout = std::chrono::seconds(*timeout);
  out.on_unauthenticated_request =
      fields.Choice("on-unauthenticated-request", kUnauthenticatedWords, out.on_unauthenticated_request);
  DecodeExtraParams(fields, out, findings);
  out.client_secret = DecodeSecret(fields, "client-secret", decoding.files);
  out.nonce = fields.Boolean("weir.nonce", false);
  out.pkce = fields.Word("weir.pkce", kPkceWords).has_value();
  if (fields.Has("weir.ca-bundle")) out.ca_bundle = DecodePath(fields, "weir.ca-bundle", decoding.files);
}

void CheckClientId(const Fields& fields, string_view key, const std::string& id, Findings& findings) {
  const bool is_sent = std::ranges::all_of(id, [](char c) { return c >= 0x20 && c < 0x7F; });
  if (!fields.Has(key) || (!id.empty() && is_sent)) return;
  findings.AddError(fields.PositionOf(key), fmt::format("`{}` cannot be {}", key, Quoted(id)), "visible ASCII");
}

struct ProviderEndpoint {
  string_view key;
  LocatedText AuthenticateOidcAction::* member;
  string_view path;  // of Cognito
};
constexpr auto kEndpoints = std::to_array<ProviderEndpoint>({
    {"authorization-endpoint", &AuthenticateOidcAction::authorization_endpoint, "/oauth2/authorize"},
    {"token-endpoint", &AuthenticateOidcAction::token_endpoint, "/oauth2/token"},
    {"user-info-endpoint", &AuthenticateOidcAction::user_info_endpoint, "/oauth2/userInfo"},
});

struct UserPool {
  std::string region;
  std::string id;
};
// Of `arn:aws:cognito-idp:REGION:ACCOUNT:userpool/POOL`; both empty when it is none.
UserPool ParsePool(string_view arn) {
  std::vector<string_view> parts;
  string_view rest = arn;
  while (parts.size() < 5 && rest.contains(':')) {
    parts.push_back(rest.substr(0, rest.find(':')));
    rest.remove_prefix(rest.find(':') + 1);
  }
  constexpr string_view kKind = "userpool/";
  const bool is_pool = parts.size() == 5 && parts[0] == "arn" && parts[1].starts_with("aws") &&
                       parts[2] == "cognito-idp" && !parts[3].empty() && rest.starts_with(kKind) &&
                       rest.size() > kKind.size() && IsVisible(arn) && !rest.substr(kKind.size()).contains('/');
  if (!is_pool) return {};
  return {.region = std::string(parts[3]), .id = std::string(rest.substr(kKind.size()))};
}

bool IsHostName(string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

}  // namespace

void CheckHttpsUrl(const LocatedText& url, string_view key, Findings& findings) {
  const string_view text = url.text;
  if (text.empty()) return;
  constexpr string_view kScheme = "https://";
  const bool is_https = text.size() > kScheme.size() && EqualsIgnoreCase(text.substr(0, kScheme.size()), kScheme);
  const string_view rest = is_https ? text.substr(kScheme.size()) : string_view();
  string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t colon = authority.ends_with(']') ? string_view::npos : authority.rfind(':');
  bool good = is_https && IsVisible(text) && !text.contains('#') && !authority.contains('@');
  if (colon != string_view::npos) {
    const auto port = ParseDecimal(authority.substr(colon + 1));
    good = good && port && *port >= 1 && *port <= 65'535;
    authority = authority.substr(0, colon);
  }
  if (good && !authority.empty()) return;
  findings.AddError(url.position, fmt::format("`{}` cannot be {}", key, Quoted(text)),
                    "an https URL such as https://id.example.test/path");
}

AuthenticateOidcAction DecodeAuthenticateOidc(const Fields& fields, Decoding& decoding) {
  AuthenticateOidcAction out;
  DecodeSession(fields, decoding, out);
  out.issuer = fields.Located("issuer");
  CheckHttpsUrl(out.issuer, "issuer", decoding.findings);
  for (const ProviderEndpoint& endpoint : kEndpoints) {
    out.*endpoint.member = fields.Located(endpoint.key);
    CheckHttpsUrl(out.*endpoint.member, endpoint.key, decoding.findings);
  }
  out.client_id = fields.Text("client-id");
  CheckClientId(fields, "client-id", out.client_id, decoding.findings);
  return out;
}

AuthenticateOidcAction DecodeAuthenticateCognito(const Fields& fields, Decoding& decoding) {
  Findings& findings = decoding.findings;
  AuthenticateOidcAction out;
  out.cognito = true;
  DecodeSession(fields, decoding, out);
  out.client_id = fields.Text("user-pool-client-id");
  CheckClientId(fields, "user-pool-client-id", out.client_id, findings);
  const LocatedText arn = fields.Located("user-pool-arn");
  const UserPool pool = ParsePool(arn.text);
  if (pool.id.empty() && fields.Scalar("user-pool-arn") != nullptr) {
    findings.AddError(arn.position, fmt::format("{} is no user pool", Quoted(arn.text)),
                      "arn:aws:cognito-idp:REGION:ACCOUNT:userpool/POOL");
  }
  const LocatedText domain = fields.Located("user-pool-domain");
  if (!IsHostName(domain.text) && fields.Scalar("user-pool-domain") != nullptr) {
    findings.AddError(domain.position, fmt::format("{} is no domain", Quoted(domain.text)),
                      "the prefix of a domain of Cognito's, or a whole domain");
  }
  const std::string host =
      domain.text.contains('.') ? domain.text : fmt::format("{}.auth.{}.amazoncognito.com", domain.text, pool.region);
  const auto take = [&](string_view key, std::string derived, Position position) {
    LocatedText url = fields.Has(key) ? fields.Located(key) : LocatedText{std::move(derived), position};
    if (fields.Has(key)) CheckHttpsUrl(url, key, findings);
    return url;
  };
  out.issuer =
      take("issuer", fmt::format("https://cognito-idp.{}.amazonaws.com/{}", pool.region, pool.id), arn.position);
  for (const ProviderEndpoint& endpoint : kEndpoints) {
    out.*endpoint.member = take(endpoint.key, fmt::format("https://{}{}", host, endpoint.path), domain.position);
  }
  return out;
}

}  // namespace weir::config
