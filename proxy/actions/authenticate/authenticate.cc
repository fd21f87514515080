#include "proxy/actions/authenticate/authenticate.h"

#include "base/base64.h"
#include "http/form_urlencoded.h"
#include "http/writer.h"
#include "net/key_secret.h"
#include "net/sha256.h"
#include "proxy/actions/authenticate/claims.h"
#include "proxy/actions/authenticate/refresh_work.h"
#include "proxy/actions/authenticate/worker_sessions.h"
#include "proxy/actions/redirect.h"
#include "proxy/balancing/sticky_cookie.h"
#include "proxy/downstream/connection_facts.h"
#include "proxy/worker_state.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>

namespace weir::proxy {
namespace {

// How long a target may take the claims of a request for what they are. ALB's tokens live as long.
constexpr std::chrono::seconds kClaimsTokenLifetime{120};

std::chrono::sys_seconds SecondsOf(WallTime now) { return std::chrono::floor<std::chrono::seconds>(now); }

// 256 random bits: 43 characters, which is also what a verifier of PKCE may be (RFC 7636 section 4.1).
std::string RandomText() {
  const net::KeySecret bytes = net::MakeKeySecret();
  return EncodeBase64Url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// What the browser has from a login that it began before, in another tab perhaps, if it is one of ours by its form.
std::optional<std::string> KnownNonce(const http::RequestHead& head) {
  const auto value = FindCookie(head.fields, kNonceCookie);
  if (!value || value->size() != 43 || !DecodeBase64Url(*value)) return std::nullopt;
  return std::string(*value);
}

// What becomes of a request without a session, in words.
std::string Otherwise(const config::AuthenticateOidcAction& config) {
  switch (config.on_unauthenticated_request) {
    case config::OnUnauthenticatedRequest::kDeny:
      return "is answered 401, or sent to " + config.authorization_endpoint.text + " where a session has ended";
    case config::OnUnauthenticatedRequest::kAllow:
      return "goes on without claims";
    case config::OnUnauthenticatedRequest::kAuthenticate:
      return "is sent to " + config.authorization_endpoint.text + " (302)";
  }
  std::unreachable();
}

}  // namespace

ActionOutcome Authenticate::Run(const ActionRequest& request) const {
  WorkerSessions& sessions = WorkerSessions::Of(request.worker, *request.view.routing);
  const auto outcome_without = [&](Missing missing) {
    if (missing == Missing::kInvalid) {
      request.connection.slot->counters->authentication.invalid_cookies.Add();
      request.additions().error_reason = TraitsOf(ErrorCode::kAuthInvalidCookie).reason;
    }
    return OnMissing(missing, request.head, request.listener, request.worker, sessions);
  };
  const auto cookie = ReadSessionCookies(request.head.fields, plan_->config.session_cookie_name);
  if (!cookie) return outcome_without(Missing::kNone);
  const auto opened = sessions.sealer().Open(plan_->session_purpose, *cookie);
  const auto session = opened ? DecodeSession(*opened) : std::nullopt;
  if (!session) return outcome_without(Missing::kInvalid);
  const WallTime now = request.worker.loop.wall_now();
  // In whole seconds: times of a provider may lie beyond what nanoseconds reach.
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (session->ends <= second) return outcome_without(Missing::kExpired);
  if (session->access_token_expires && *session->access_token_expires <= second && !session->refresh_token.empty()) {
    return request.Wait(std::make_unique<RefreshWork>(*this, *cookie, *session, request));
  }
  request.additions().request_fields = ClaimFields(*session, sessions, now);
  return ActionOutcome::GoOn();
}

FieldBlock Authenticate::ClaimFields(const UserSession& session, const WorkerSessions& sessions, WallTime now) const {
  FieldBlock out;
  http::AppendField(out, "X-Amzn-Oidc-Accesstoken", session.access_token);
  http::AppendField(out, "X-Amzn-Oidc-Identity", session.identity);
  http::AppendField(out, "X-Amzn-Oidc-Data",
                    MakeClaimsToken(session.claims,
                                    {.signer = plan_->signer,
                                     .issuer = plan_->config.issuer.text,
                                     .client_id = plan_->config.client_id,
                                     .expires = SecondsOf(now) + kClaimsTokenLifetime},
                                    sessions.signing_key()));
  return out;
}

ActionOutcome Authenticate::OnMissing(Missing missing, const http::RequestHead& head, const Listener& listener,
                                      WorkerState& worker, WorkerSessions& sessions) const {
  switch (plan_->config.on_unauthenticated_request) {
    case config::OnUnauthenticatedRequest::kAllow:
      return ActionOutcome::GoOn();
    case config::OnUnauthenticatedRequest::kDeny:
      // Who was signed in may do so again.
      if (missing == Missing::kExpired) break;
      return ActionOutcome::Fail(missing == Missing::kInvalid ? ErrorCode::kAuthInvalidCookie
                                                              : ErrorCode::kAuthRequired);
    case config::OnUnauthenticatedRequest::kAuthenticate:
      break;
  }
  return Redirect(head, listener, worker, sessions);
}

ActionOutcome Authenticate::Redirect(const http::RequestHead& head, const Listener& listener, WorkerState& worker,
                                     WorkerSessions& sessions) const {
  const WallTime now = worker.loop.wall_now();
  LoginState state;
  state.authority = AuthorityOf(head);
  if (state.authority.empty()) return ActionOutcome::Fail(ErrorCode::kAuthMissingHost);
  state.action = plan_->id;
  state.begun = SecondsOf(now);
  state.browser = KnownNonce(head).value_or(RandomText());
  state.target = head.parts.path;
  if (head.parts.has_query) (state.target += '?') += head.parts.query;
  if (plan_->config.nonce) state.nonce = RandomText();
  if (plan_->config.pkce) state.verifier = RandomText();
  state.same_site = NeedsSameSiteNone(head.fields) ? SameSite::kNone : SameSite::kDefault;
  GeneratedResponse& response = worker.generated;
  response.location =
      AuthorizationUrl(*plan_, state, sessions.sealer().Seal(kLoginStatePurpose, EncodeLoginState(state)));
  if (response.location.size() > kLocationBytesMax) return ActionOutcome::Fail(ErrorCode::kRedirectTooLong);
  BuildRedirectResponse(302, worker.date.At(now), listener.listener_config->attributes, response);
  AppendNonceCookie(state.browser, state.same_site, now, response.fields);
  return ActionOutcome::Respond();
}

std::string Authenticate::Explain() const {
  const config::AuthenticateOidcAction& config = plan_->config;
  return fmt::format(
      "{} at {} as client {}, scope {}: with the cookie {}-0 of a session, which ends after {} s, it goes on with the "
      "user's claims; else it {}",
      plan_->name(), config.issuer.text, config.client_id, config.scope, config.session_cookie_name,
      config.session_timeout.count(), Otherwise(config));
}

std::string AuthorizationUrl(const AuthenticationPlan& plan, const LoginState& state, std::string_view sealed) {
  const config::AuthenticateOidcAction& config = plan.config;
  std::string out = config.authorization_endpoint.text;
  if (out.find('?') == std::string::npos) out += '?';
  http::AppendFormField(out, "client_id", config.client_id);
  http::AppendFormField(out, "redirect_uri", RedirectUri(state.authority));
  http::AppendFormField(out, "response_type", "code");
  http::AppendFormField(out, "scope", config.scope);
  http::AppendFormField(out, "state", sealed);
  if (!state.nonce.empty()) http::AppendFormField(out, "nonce", state.nonce);
  if (!state.verifier.empty()) {
    http::AppendFormField(out, "code_challenge", EncodeBase64Url(net::Sha256(state.verifier)));
    http::AppendFormField(out, "code_challenge_method", "S256");
  }
  for (const auto& [name, value] : config.extra_params) http::AppendFormField(out, name, value);
  return out;
}

}  // namespace weir::proxy
