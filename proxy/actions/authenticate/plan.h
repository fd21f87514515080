#pragma once

// Signing users in at an OpenID Connect provider: authenticate-oidc and authenticate-cognito. spec: alb.md 5.4.
// authenticate.h is the action, callback.h takes the provider's answer; docs/authentication.md tells the whole flow.

#include "config/model.h"
#include "net/signing_key.h"
#include "outbound/http_client.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {
class TlsAuthorities;
}

namespace weir::proxy {

class TlsCredentialStore;

// Where the provider sends users back to, on every listener that has such an action.
inline constexpr std::string_view kCallbackPath = "/oauth2/idpresponse";

// One action as it runs. Immutable, shared by the workers. Thread: any (const).
struct AuthenticationPlan {
  config::AuthenticateOidcAction config;
  std::uint64_t id = 0;         // made of all that is configured: what a login that is under way belongs to
  std::string session_purpose;  // what its sessions are sealed for: issuer, client and cookie
  std::string client_secret;    // empty: there is none
  outbound::Url token_endpoint;
  outbound::Url user_info_endpoint;
  std::shared_ptr<const net::TlsAuthorities> authorities;
  std::string signer;  // the load balancer, as an ARN
  [[nodiscard]] std::string_view name() const { return config.cognito ? "authenticate-cognito" : "authenticate-oidc"; }
};

// Reads the secret and the authorities; null with an error among `findings`. `region` may be empty. Blocks on the file
// system. Thread: control.
[[nodiscard]] std::shared_ptr<const AuthenticationPlan> BuildAuthenticationPlan(
    const config::AuthenticateOidcAction& action, std::string_view load_balancer, std::string_view region,
    TlsCredentialStore& credentials, std::vector<config::Diagnostic>& findings);

// `arn:aws:elasticloadbalancing:REGION:000000000000:loadbalancer/app/NAME/ID`: there is no account here, the ID is made
// of the name, and an empty region is `local`.
[[nodiscard]] std::string SignerOf(std::string_view load_balancer, std::string_view region);

}  // namespace weir::proxy
