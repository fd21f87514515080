#include "proxy/actions/authenticate/plan.h"

#include "base/text.h"
#include "config/secret_text.h"
#include "proxy/balancing/sticky_cookie.h"
#include "proxy/tls/credential_store.h"

#include <utility>

namespace weir::proxy {
namespace {

// Everything that makes it another action; parts cannot run into each other.
std::string Identity(const config::AuthenticateOidcAction& action) {
  std::string out;
  const auto add = [&out](std::string_view part) {
    out += std::to_string(part.size());
    (out += ' ') += part;
  };
  for (const auto* url :
       {&action.issuer, &action.authorization_endpoint, &action.token_endpoint, &action.user_info_endpoint}) {
    add(url->text);
  }
  add(action.client_id);
  add(action.session_cookie_name);
  add(action.scope);
  add(std::to_string(action.session_timeout.count()));
  for (const auto& [name, value] : action.extra_params) {
    add(name);
    add(value);
  }
  add(action.nonce ? "nonce" : "");
  add(action.pkce ? "pkce" : "");
  return out;
}

void AddError(const config::Position& position, const Error& error, std::vector<config::Diagnostic>& findings) {
  AddFinding(findings, config::Severity::kError, position, error);
}

}  // namespace

std::string SignerOf(std::string_view load_balancer, std::string_view region) {
  std::string out = "arn:aws:elasticloadbalancing:";
  out += region.empty() ? "local" : region;
  out += ":000000000000:loadbalancer/app/";
  out += load_balancer;
  out += '/';
  AppendHex(out, StickyGroupId(load_balancer), 16);
  return out;
}

std::shared_ptr<const AuthenticationPlan> BuildAuthenticationPlan(const config::AuthenticateOidcAction& action,
                                                                  std::string_view load_balancer,
                                                                  std::string_view region,
                                                                  TlsCredentialStore& credentials,
                                                                  std::vector<config::Diagnostic>& findings) {
  auto plan = std::make_shared<AuthenticationPlan>();
  plan->config = action;
  plan->id = StickyGroupId(Identity(action));
  plan->session_purpose =
      "weir session " + action.issuer.text + ' ' + action.client_id + ' ' + action.session_cookie_name;
  plan->signer = SignerOf(load_balancer, region);
  bool good = true;
  const auto take_url = [&](const config::LocatedText& text, outbound::Url& url) {
    auto parsed = outbound::ParseUrl(text.text);
    if (parsed) {
      url = std::move(*parsed);
    } else {
      AddError(text.position, parsed.error(), findings);
      good = false;
    }
  };
  take_url(action.token_endpoint, plan->token_endpoint);
  take_url(action.user_info_endpoint, plan->user_info_endpoint);
  if (action.client_secret) {
    auto secret = config::ReadSecret(*action.client_secret, "a client secret");
    if (secret && secret->empty()) {
      secret = Failure("the client secret is empty", "write the provider's secret into it");
    }
    if (secret) {
      plan->client_secret = std::move(*secret);
    } else {
      AddError(action.client_secret->position, secret.error(), findings);
      good = false;
    }
  }
  // Those of the system are loaded here, not by the first login, which would stop a worker.
  plan->authorities = LoadAuthorities(action.ca_bundle, action.position, credentials, findings);
  return good && plan->authorities != nullptr ? plan : nullptr;
}

}  // namespace weir::proxy
