#include "proxy/actions/leading.h"

#include "base/overloaded.h"
#include "outbound/http_client.h"
#include "proxy/actions/authenticate/authenticate.h"
#include "proxy/actions/jwt/jwks_endpoint.h"
#include "proxy/actions/jwt_validation.h"
#include "proxy/tls/credential_store.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace weir::proxy {

JwksEndpoints::JwksEndpoints(std::size_t workers, std::vector<std::shared_ptr<JwksEndpoint>> known)
    : workers_(workers), known_(std::move(known)) {}

std::shared_ptr<JwksEndpoint> JwksEndpoints::For(const config::JwtValidationAction& action,
                                                 TlsCredentialStore& credentials,
                                                 std::vector<config::Diagnostic>& findings) {
  auto url = outbound::ParseUrl(action.jwks_endpoint.text);
  if (!url) {
    AddFinding(findings, config::Severity::kError, action.jwks_endpoint.position, url.error());
    return nullptr;
  }
  const auto authorities = LoadAuthorities(action.ca_bundle, action.position, credentials, findings);
  if (authorities == nullptr) return nullptr;
  const auto is_same = [&](const auto& endpoint) {
    return endpoint->address() == action.jwks_endpoint.text && endpoint->authorities() == authorities;
  };
  if (const auto found = std::ranges::find_if(used_, is_same); found != used_.end()) return *found;
  const auto before = std::ranges::find_if(known_, is_same);
  used_.push_back(before != known_.end() ? *before
                                         : std::make_shared<JwksEndpoint>(action.jwks_endpoint.text, std::move(*url),
                                                                          authorities, workers_));
  return used_.back();
}

std::shared_ptr<const LeadingAction> BuildLeadingAction(const config::LeadingAction& action,
                                                        const LeadingActionParts& parts) {
  using Built = std::shared_ptr<const LeadingAction>;
  return std::visit(Overloaded{[&](const config::AuthenticateOidcAction& authenticate) -> Built {
                                 auto plan = BuildAuthenticationPlan(authenticate, parts.load_balancer, parts.region,
                                                                     parts.credentials, parts.findings);
                                 return plan == nullptr ? nullptr : std::make_shared<const Authenticate>(plan);
                               },
                               [&](const config::JwtValidationAction& jwt) -> Built {
                                 auto endpoint = parts.jwks_endpoints.For(jwt, parts.credentials, parts.findings);
                                 if (endpoint == nullptr) return nullptr;
                                 return std::make_shared<const JwtValidation>(jwt, std::move(endpoint));
                               }},
                    action);
}

}  // namespace weir::proxy
