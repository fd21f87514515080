// authenticate-oidc and authenticate-cognito; spec: alb.md 5.4.

#include "tests/config/load_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <variant>

namespace weir::config {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kOidc =
    "issuer: https://id.test, authorization-endpoint: https://id.test/auth, token-endpoint: https://id.test/token, "
    "user-info-endpoint: https://id.test/me, client-id: weir, client-secret: \"${SECRET}\"";
constexpr std::string_view kCognito =
    "user-pool-arn: arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_abc, user-pool-client-id: weir, "
    "user-pool-domain: shop";
const std::map<std::string, std::string> kEnvironment = {{"SECRET", "s3cret"}};

// An HTTPS listener whose default actions begin with these.
std::string With(std::string_view actions, std::string_view protocol = "HTTPS") {
  std::string out = "load-balancers:\n  - name: a\n    listeners:\n      - port: 443\n        protocol: ";
  out += protocol;
  if (protocol == "HTTPS") {
    out += "\n        ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06";
    out += "\n        certificates: [{certificate: a.pem, key: a.key}]";
  }
  ((out += "\n        default-actions: [") += actions) += ", {fixed-response: {status-code: 200}}]\n";
  return out;
}
std::string Oidc(std::string_view more = {}) {
  return "{authenticate-oidc: {" + std::string(kOidc) + std::string(more) + "}}";
}
std::string Cognito(std::string_view more = {}) {
  return "{authenticate-cognito: {" + std::string(kCognito) + std::string(more) + "}}";
}
std::string Found(const std::string& text, bool aws = false) {
  return LoadFor(text, kEnvironment, aws).diagnostics.FormatAll();
}
AuthenticateOidcAction Decoded(const std::string& action) {
  const LoadResult result = LoadFor(With(action), kEnvironment);
  EXPECT_EQ(result.diagnostics.FormatAll(), "");
  return std::get<AuthenticateOidcAction>(
      result.model->load_balancers.at(0).listeners.at(0).default_rule.leading_actions[0]);
}

TEST(AuthenticateTest, HasTheDefaultsOfAws) {
  const AuthenticateOidcAction action = Decoded(Oidc());
  EXPECT_FALSE(action.cognito);
  EXPECT_EQ(action.issuer.text, "https://id.test");
  EXPECT_EQ(action.authorization_endpoint.text, "https://id.test/auth");
  EXPECT_EQ(action.token_endpoint.text, "https://id.test/token");
  EXPECT_EQ(action.user_info_endpoint.text, "https://id.test/me");
  EXPECT_EQ(action.client_id, "weir");
  EXPECT_EQ(action.client_secret->text, "s3cret");
  EXPECT_EQ(action.session_cookie_name, "AWSELBAuthSessionCookie");
  EXPECT_EQ(action.scope, "openid");
  EXPECT_EQ(action.session_timeout, std::chrono::seconds(604'800));
  EXPECT_EQ(action.on_unauthenticated_request, OnUnauthenticatedRequest::kAuthenticate);
  EXPECT_FALSE(action.nonce);
  EXPECT_FALSE(action.pkce);
  EXPECT_TRUE(action.ca_bundle.text.empty());
}

TEST(AuthenticateTest, EveryKeyIsRead) {
  const AuthenticateOidcAction action = Decoded(
      Oidc(", session-cookie-name: S, scope: openid email, session-timeout: 1h, on-unauthenticated-request: deny, "
           "authentication-request-extra-params: {prompt: login, b: c}, weir.nonce: true, weir.pkce: S256, "
           "weir.ca-bundle: /ca.pem"));
  EXPECT_EQ(action.session_cookie_name, "S");
  EXPECT_EQ(action.scope, "openid email");
  EXPECT_EQ(action.session_timeout, std::chrono::seconds(3'600));
  EXPECT_EQ(action.on_unauthenticated_request, OnUnauthenticatedRequest::kDeny);
  ASSERT_EQ(action.extra_params.size(), 2U);
  EXPECT_EQ(action.extra_params[0].first, "prompt");
  EXPECT_EQ(action.extra_params[0].second, "login");
  EXPECT_TRUE(action.nonce);
  EXPECT_TRUE(action.pkce);
  EXPECT_EQ(action.ca_bundle.text, "/ca.pem");
}

TEST(AuthenticateTest, CognitosEndpointsFollowFromThePool) {
  const AuthenticateOidcAction action = Decoded(Cognito());
  EXPECT_TRUE(action.cognito);
  EXPECT_EQ(action.issuer.text, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc");
  EXPECT_EQ(action.authorization_endpoint.text, "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/authorize");
  EXPECT_EQ(action.token_endpoint.text, "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token");
  EXPECT_EQ(action.user_info_endpoint.text, "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/userInfo");
  EXPECT_EQ(action.client_id, "weir");
  EXPECT_FALSE(action.client_secret);
}

TEST(AuthenticateTest, CognitosNamesServeAnyProvider) {
  const AuthenticateOidcAction action = Decoded(
      Cognito(", issuer: https://id.test, token-endpoint: https://id.test/token, client-secret: \"${SECRET}\""));
  EXPECT_EQ(action.issuer.text, "https://id.test");
  EXPECT_EQ(action.token_endpoint.text, "https://id.test/token");
  EXPECT_EQ(action.authorization_endpoint.text, "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/authorize");
  EXPECT_EQ(action.client_secret->text, "s3cret");
}

TEST(AuthenticateTest, AWholeDomainIsTakenAsItIs) {
  const std::string text = Cognito();
  const std::string whole = text.substr(0, text.find("domain: shop")) + "domain: id.shop.test}}";
  EXPECT_EQ(Decoded(whole).token_endpoint.text, "https://id.shop.test/oauth2/token");
}

TEST(AuthenticateTest, AdditionsAreToldOf) {
  const std::string found = Found(With(Oidc(", weir.nonce: true, weir.pkce: S256, weir.ca-bundle: ca.pem")), true);
  for (const char* key : {"weir.nonce", "weir.pkce", "weir.ca-bundle"}) {
    EXPECT_THAT(found, HasSubstr(std::string("AWS: `") + key + "` is weir's own"));
  }
  const std::string cognito = Found(With(Cognito(", issuer: https://id.test, client-secret: \"${SECRET}\"")), true);
  EXPECT_THAT(cognito, HasSubstr("AWS: `issuer` is weir's own"));
  EXPECT_THAT(cognito, HasSubstr("AWS: `client-secret` is weir's own"));
}

struct AuthenticateCase {
  const char* name;
  std::string text;
  const char* finding;  // a part of the output
};
void PrintTo(const AuthenticateCase& c, std::ostream* out) { *out << c.name; }
class AuthenticateFaultTest : public ::testing::TestWithParam<AuthenticateCase> {};

TEST_P(AuthenticateFaultTest, IsReportedOnce) {
  const std::string found = Found(GetParam().text);
  EXPECT_THAT(found, HasSubstr(GetParam().finding));
  EXPECT_EQ(found.find('\n'), found.size() - 1) << "one fault, one finding: " << found;
}

std::string Replaced(std::string_view from, std::string_view to) {
  std::string text = With(Oidc());
  return text.replace(text.find(from), from.size(), to);
}

INSTANTIATE_TEST_SUITE_P(
    All, AuthenticateFaultTest,
    ::testing::Values(
        AuthenticateCase{"Http", With(Oidc(), "HTTP"), "`authenticate-oidc` on an HTTP listener"},
        AuthenticateCase{"Two", With(Oidc() + ", " + Cognito()),
                         "`authenticate-cognito` behind another action of its kind"},
        AuthenticateCase{"Cleartext", Replaced("https://id.test/token", "http://id.test/token"),
                         "`token-endpoint` cannot be"},
        AuthenticateCase{"NoHost", Replaced("https://id.test/me", "https:///me"), "`user-info-endpoint` cannot be"},
        AuthenticateCase{"User", Replaced("https://id.test/auth", "https://a@id.test/auth"),
                         "`authorization-endpoint` cannot be"},
        AuthenticateCase{"Fragment", Replaced("https://id.test/auth", "\"https://id.test/auth#a\""), "cannot be"},
        AuthenticateCase{"Port", Replaced("https://id.test/auth", "\"https://id.test:0/auth\""), "cannot be"},
        AuthenticateCase{"NoSecret", Replaced(", client-secret: \"${SECRET}\"", ""), "client-secret"},
        AuthenticateCase{"Timeout", With(Oidc(", session-timeout: 0s")), "session-timeout"},
        AuthenticateCase{"Choice", With(Oidc(", on-unauthenticated-request: ask")), "on-unauthenticated-request"},
        AuthenticateCase{"Cookie", With(Oidc(", session-cookie-name: \"a b\"")), "is no name of a cookie"},
        AuthenticateCase{"OwnCookie", With(Oidc(", session-cookie-name: AWSALBTG")), "is the load balancer's own"},
        AuthenticateCase{"Scope", With(Oidc(", scope: \"openid \\n\"")), "is no scope"},
        AuthenticateCase{"NoOpenid", With(Oidc(", scope: email")), "without the scope `openid`"},
        AuthenticateCase{
            "Params",
            With(Oidc(", authentication-request-extra-params: {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, "
                      "j: 1, k: 1}")),
            "11 extra parameters"},
        AuthenticateCase{"OwnParam", With(Oidc(", authentication-request-extra-params: {state: a}")), "is set already"},
        AuthenticateCase{"Pkce", With(Oidc(", weir.pkce: plain")), "weir.pkce"},
        AuthenticateCase{
            "Pool", With("{authenticate-cognito: {user-pool-arn: pool, user-pool-client-id: c, user-pool-domain: d}}"),
            "is no user pool"},
        AuthenticateCase{"Domain",
                         With("{authenticate-cognito: {user-pool-arn: "
                              "arn:aws:cognito-idp:eu-west-1:1:userpool/p, user-pool-client-id: c, user-pool-domain: "
                              "https://d}}"),
                         "is no domain"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(AuthenticateTest, StandsBeforeTheActionThatAnswers) {
  const std::string text =
      "load-balancers: [{name: a, listeners: [{port: 443, protocol: HTTPS, ssl-policy: "
      "ELBSecurityPolicy-TLS13-1-2-2021-06, certificates: [{certificate: a.pem, key: a.key}], default-actions: "
      "[{fixed-response: {status-code: 200}}, " +
      Oidc() + "]}]}]\n";
  EXPECT_THAT(Found(text), HasSubstr("`authenticate-oidc` behind the action that answers"));
  const std::string alone =
      "load-balancers: [{name: a, listeners: [{port: 443, protocol: HTTPS, ssl-policy: "
      "ELBSecurityPolicy-TLS13-1-2-2021-06, certificates: [{certificate: a.pem, key: a.key}], default-actions: [" +
      Oidc() + "]}]}]\n";
  EXPECT_THAT(Found(alone), HasSubstr("no action that answers"));
}

}  // namespace
}  // namespace weir::config
